"""The table of a sweep as LaTeX with booktabs: the best of each column in bold, notes as comments above."""

from __future__ import annotations

import re

from sonar_slt.runs.sweeps.comparison import Comparison, Row
from sonar_slt.runs.sweeps.formats.wording import SEEDS_MARK, SENTENCES_MARK, Wording

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "↓": r"$\downarrow$",
    SENTENCES_MARK: r"\dag{}", "<": r"$<$", ">": r"$>$", "|": r"$|$",
}  # fmt: skip


def as_latex(found: Comparison) -> str:
    """A tabular to put into a table of one's own; `\\usepackage{booktabs}` is all that it needs."""
    words = Wording(found)
    heads = [*found.keys, "n", *(words.heading(target) for target in found.targets)]
    noted = any(row.lacking or row.baseline for row in found.rows)
    columns = "l" * len(found.keys) + "r" * (1 + len(found.targets)) + "l" * noted
    notes = [*words.legend(), *found.warnings]
    lines = [*(f"% {' '.join(note.split())}" for note in ("needs \\usepackage{booktabs}", *notes))]
    lines += [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", _line([*map(escaped, heads), *([""] * noted)])]
    lines.append(r"\midrule")
    for row in found.rows:
        lines += _rows(found, words, row, noted)
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _rows(found: Comparison, words: Wording, row: Row, noted: bool) -> list[str]:
    """A line of figures, and below it one of differences where there are some."""
    said = []
    for target in found.targets:
        cell, text = row.cells.get(target), escaped(words.value(target, row))
        said.append(rf"\textbf{{{text}}}" if cell is not None and cell.best else text)
    note = escaped(words.note(row))
    front = [*map(escaped, row.settings.values()), escaped(words.count(row))]
    lines = [_line([*front, *said, *([note] if noted else [])])]
    apart = [words.difference(target, row.cells[target]) if target in row.cells else "" for target in found.targets]
    if any(apart):
        small = [rf"{{\footnotesize {_signed(text)}}}" if text else "" for text in apart]
        lines.append(_line([*([""] * len(front)), *small, *([""] if noted else [])]))
    return lines


def _signed(text: str) -> str:
    """A difference with real minus signs, its marks raised."""
    minus = re.sub(r"-(?=\d)", "−", escaped(text))
    return minus.replace("−", "$-$").replace(SEEDS_MARK, r"\textsuperscript{*}")


def escaped(text: str) -> str:
    """A text in which nothing is a command, and that brackets at the beginning of a row are no option of its end."""
    plain = "".join(SPECIAL.get(letter, letter) for letter in " ".join(text.split()))
    return f"{{{plain}}}" if plain.startswith(("[", "*")) else plain


def _line(cells: list[str]) -> str:
    return f"{' & '.join(cells)} \\\\"
