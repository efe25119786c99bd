"""The table of a sweep as markdown: the best of each column in bold, notes as a list below."""

from __future__ import annotations

from sonar_slt.runs.sweeps.comparison import Comparison, Row
from sonar_slt.runs.sweeps.formats.wording import Wording


def as_markdown(found: Comparison) -> str:
    """The whole text, with what it stands on."""
    words = Wording(found)
    heads = [*found.keys, "n"]
    for target in found.targets:
        heads += [words.heading(target), *([f"difference in {words.heading(target)}"] if found.against else [])]
    heads += ["note"] if any(row.lacking or row.baseline for row in found.rows) else []
    right = [":--"] * len(found.keys) + ["--:"] * (len(heads) - len(found.keys))
    right[-1] = ":--" if heads[-1] == "note" else right[-1]
    lines = [_line(heads), _line(right)]
    for row in found.rows:
        cells = [*row.settings.values(), words.count(row), *_figures(found, words, row)]
        cells += [words.note(row)] if heads[-1] == "note" else []
        lines.append(_line([_escaped(cell) for cell in cells]))
    notes = [*words.legend(), *(f"Warning: {warning}" for warning in found.warnings)]
    return "\n".join([*lines, "", *(f"- {_escaped(note)}" for note in notes)]) + "\n"


def _figures(found: Comparison, words: Wording, row: Row) -> list[str]:
    cells = []
    for target in found.targets:
        said, cell = words.value(target, row), row.cells.get(target)
        cells.append(f"**{said}**" if cell is not None and cell.best else said)
        cells += [words.difference(target, cell) if cell is not None else ""] if found.against else []
    return cells


def _escaped(text: str) -> str:
    """No cell ends early, and nothing in a reason is taken for markup; our own bold stays."""
    bold = text.startswith("**") and text.endswith("**") and len(text) > 4
    inner = text[2:-2] if bold else text
    for letter in "\\|*_<>`":
        inner = inner.replace(letter, f"\\{letter}")
    inner = " ".join(inner.split())
    return f"**{inner}**" if bold else inner


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
