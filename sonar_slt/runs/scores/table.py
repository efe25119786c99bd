"""The scores of a run or of files on the screen, each with its 95 % interval below it.

Under them what they stand on: warnings, floors, signatures. What a paired test says and how older papers scored have
tables of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from sonar_slt.runs.scores.blocks import Blocks, Column
from sonar_slt.runs.scores.entries import comparisons, legacy_rows, score_rows, scores_in
from sonar_slt.runs.scores.numbers import is_number, score_text
from sonar_slt.runs.scores.titles import heading, language_title, title

Entry = Mapping[str, Any]
HASH = 8
"""So many digits of the hash of the ids are shown."""
FLOORS = {"shuffled": "shuffled references", "constant": "best constant sentence", "nearest": "nearest training clip"}


def scores_table(metrics: Mapping[str, Any]) -> RenderableType:
    """Every score of each language, trained languages first, and what they stand on."""
    entries = sorted(score_rows(metrics), key=lambda entry: not entry.get("seen"))
    below: list[list[RenderableType]] = [
        list(_warnings(entries)),
        list(_floors(entries)),
        [part for row in comparisons(metrics) for part in _comparison(row)],
        list(_signatures((title(name), score) for entry in entries for name, score in scores_in(entry).items())),
        [part for row in legacy_rows(metrics) for part in _legacy(row)],
    ]
    parts = [_scores(entries), *_caption(entries)] if entries else []
    for section in below:
        parts += [Text(""), *section] if section else []
    return Group(*parts)


def _scores(entries: Sequence[Entry]) -> RenderableType:
    kinds = {True: "trained", False: "unseen"}
    names = Column(
        "language",
        [(_name(entry), kinds.get(entry.get("seen"), "")) for entry in entries],  # type: ignore[arg-type]
        ["blue" if entry.get("seen") else "yellow" for entry in entries],
    )
    return Blocks(names, list(_columns(entries)))


def _caption(entries: Sequence[Entry]) -> Iterator[RenderableType]:
    """What the small figures are."""
    scores = [score for entry in entries for score in scores_in(entry).values()]
    if any(score.get("interval") for score in scores):
        draws = {entry["resamples"] for entry in entries if is_number(entry.get("resamples"))}
        told = f" ({', '.join(f'{n:,}' for n in sorted(draws))} resamples)" if draws else ""
        yield Text(f"Below each score its 95 % interval{told}.", style="dim")


def _columns(entries: Sequence[Entry]) -> Iterator[Column]:
    """BLEU with the two round trips of the reference beside it, the other scores, and what was scored."""
    for name in _score_names(entries):
        yield Column(heading(name), [_value(scores_in(entry).get(name), name) for entry in entries])
        if name == "bleu":
            yield Column("ceiling", [(score_text(entry.get("ceiling")), "") for entry in entries])
            yield Column("auto-enc.", [(score_text(entry.get("ae")), "") for entry in entries])
    sources = [str(entry.get("references") or "") for entry in entries]
    counts = [f"{entry['n']:,}" if is_number(entry.get("n")) else "" for entry in entries]
    warned = ["yellow" if source == "pseudo" else "dim" for source in sources]
    yield Column("N", list(zip(counts, sources, strict=True)), warned)
    yield Column("ids", [(str(entry.get("ids_hash") or "")[:HASH], "") for entry in entries])


def _warnings(entries: Sequence[Entry]) -> Iterator[RenderableType]:
    for entry in entries:
        if counts := {name: n for name, n in (entry.get("warnings") or {}).items() if n}:
            told = ", ".join(f"{n:,} {name}" for name, n in counts.items())
            yield Text(f"Warning, {_name(entry)}: {told}.", style="yellow")
    if any(entry.get("references") == "pseudo" for entry in entries):
        yield Text("pseudo: the references are a machine's translations, not people's.", style="yellow")


def _floors(entries: Sequence[Entry]) -> Iterator[RenderableType]:
    """What a system would score that saw nothing of its clips."""
    rows = [(entry, key, entry["floors"][key]) for entry in entries for key in FLOORS if key in _floors_of(entry)]
    if rows:
        names = [(FLOORS[key], "" if len(entries) == 1 else _name(entry)) for entry, key, _ in rows]
        columns = [
            Column(heading(name), [(score_text(floor.get(name), name), "") for _, _, floor in rows])
            for name in _score_names(entries)
        ]
        yield Blocks(Column("floors", names), columns)
    if len(entries) == 1 and (sentence := (_floors_of(entries[0]).get("constant") or {}).get("sentence")):
        yield Text(f"Best constant sentence: {sentence}", style="dim")


def _floors_of(entry: Entry) -> Mapping[str, Any]:
    found = entry.get("floors")
    return found if isinstance(found, Mapping) else {}


def _comparison(row: Mapping[str, Any]) -> Iterator[RenderableType]:
    scores = row.get("scores") or {}
    yield Text(
        f"Difference in {_spoken(row)}: {row.get('system')} less {row.get('against')}; p says how often chance "
        f"alone would make one as large (paired bootstrap of {row.get('resamples'):,} resamples, approximate "
        f"randomisation of {row.get('trials'):,} trials, seed {row.get('seed')})."
    )
    names = Column("score", [(heading(name), "") for name in scores])
    columns = [
        Column("this", [_value(score, name) for name, score in scores.items()]),
        Column("other", [_value({"value": s["other"], "interval": s["other_interval"]}, n) for n, s in scores.items()]),
        Column(
            "difference",
            [_value({"value": s["delta"], "interval": s["delta_interval"]}, n, "+") for n, s in scores.items()],
        ),
        Column("p bootstrap", [(_p(score["bootstrap"]["p"]), "") for score in scores.values()]),
        Column("p randomisation", [(_p(score["randomisation"]["p"]), "") for score in scores.values()]),
    ]
    yield Blocks(names, columns)


def _legacy(row: Mapping[str, Any]) -> Iterator[RenderableType]:
    """How older papers scored: after everything else, for it is not to be read as a score of ours."""
    scores = {name: score for name, score in (row.get("scores") or {}).items() if isinstance(score, Mapping)}
    yield Text(f"Legacy, in {_spoken(row)}, only to be compared with older papers:", style="dim")
    columns = [Column(title(name), [(score_text(score.get("value")), "")]) for name, score in scores.items()]
    yield Blocks(Column("protocol", [(str(row.get("title") or row.get("protocol")), "")]), columns)
    for name, score in scores.items():
        if empty := score.get("empty_references"):
            yield Text(f"{title(name)}: {empty:,} references are empty once reduced; they are kept.", style="dim")
    yield from _signatures((title(name), score) for name, score in scores.items())


def _signatures(named: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[RenderableType]:
    """Each signature once, with the scores that bear it; the order of BLEU-1 to 4 is told by their names."""
    found: dict[str, list[str]] = {}
    for name, score in named:
        if signature := score.get("signature"):
            bearers = found.setdefault(re.sub(r"^order:\d\|", "", str(signature)), [])
            bearers += [name] if name not in bearers else []
    for signature, bearers in found.items():
        yield Text(f"{', '.join(bearers)}  {signature}", style="dim", overflow="fold")


def _score_names(entries: Sequence[Entry]) -> list[str]:
    """The scores that any entry has, in the order in which they are shown."""
    every = [scores_in(entry) for entry in entries]
    return list(scores_in({name: score for scores in every for name, score in scores.items()}))


def _name(entry: Entry) -> str:
    return str(entry.get("name") or entry.get("language"))


def _spoken(row: Mapping[str, Any]) -> str:
    return language_title(str(row.get("language")))


def _value(score: Mapping[str, Any] | None, name: str, sign: str = "") -> tuple[str, str]:
    """A figure and its interval."""
    value, ends = (score or {}).get("value"), (score or {}).get("interval")
    plus = sign if is_number(value) and value >= 0 else ""
    return plus + score_text(value, name), _interval(ends, name) if isinstance(ends, list | tuple) else ""


def _interval(ends: Sequence[Any], name: str) -> str:
    low, high = (score_text(end, name) for end in ends)
    return f"{low} to {high}" if "-" in low + high else f"{low}–{high}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
