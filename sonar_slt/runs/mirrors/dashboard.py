"""The W&B dashboard of a run or a sweep as code: sections of panels, made of what the runs really logged.

Plain data that is checked here without a network; `workspace` hands it to W&B. The report shows the same from disk.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sonar_slt.errors import UserError
from sonar_slt.languages import LANGUAGES
from sonar_slt.runs.folder import CURVES, SAMPLES, all_hypotheses
from sonar_slt.runs.mirrors.panels import Bars, Column, Dashboard, Importance, Lines, Panel, Parallel, Section, Table
from sonar_slt.runs.mirrors.summary import final_scores
from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.titles import title
from sonar_slt.runs.sweeps.settings import given, swept_keys

RATES = ("lr", "gradient")
SPEED = ("clips_per_second", "waiting")
MEMORY = ("memory_gib", "gpu_memory_gib")
TARGETS = ("mean_bleu/trained", "dev/bleu", "retrieval_at_1", "dev/loss", "train/loss")
"""What a sweep is judged by: the first of these that its runs have."""


def dashboard_of(runs: Sequence[Record], *, name: str) -> Dashboard:
    """The dashboard of one run, or of several side by side; a section that would be empty is left out."""
    curves = list(dict.fromkeys(word for run in runs for word in _curves(run.folder)))
    figures = _figures(runs)
    tables = list(dict.fromkeys(word for run in runs for word in _tables(run.folder)))
    sections = (
        Section(name="Sweep", panels=tuple(_sweep([run for run in runs if run.verb == "train"], curves))),
        Section(name="Terms", panels=tuple(_terms(curves))),
        Section(name="Dev scores while training", panels=tuple(_dev_scores(curves))),
        Section(name="Final scores with 95 % intervals", panels=tuple(_final(figures))),
        Section(name="Samples", panels=tuple(Table(title=table.capitalize(), table=table) for table in tables)),
        Section(name="Rates, speed, memory", panels=tuple(_machine(curves)), open=False),
    )
    made = Dashboard(name=name, sections=tuple(section for section in sections if section.panels))
    require_sound(made, {*curves, *figures, *tables})
    return made


def require_sound(dashboard: Dashboard, logged: Iterable[str]) -> None:
    """Refuse a dashboard that would show nothing, twice the same, or what no run has logged."""
    known = set(logged)
    if not dashboard.sections:
        raise UserError("dashboard=: the runs have logged nothing that could be shown.")
    for section in dashboard.sections:
        for panel in section.panels:
            where = f"dashboard=: the panel {panel.title!r} of {section.name!r}"
            if not panel.names:
                raise UserError(f"{where} shows nothing.")
            if missing := [word for word in panel.names if word not in known]:
                raise UserError(f"{where} shows {missing[0]}, which no run has logged.")
        titles = [panel.title for panel in section.panels]
        if twice := [word for word in titles if titles.count(word) > 1]:
            raise UserError(f"dashboard=: {section.name!r} has two panels called {twice[0]!r}.")
    names = [section.name for section in dashboard.sections]
    if twice := [word for word in names if names.count(word) > 1]:
        raise UserError(f"dashboard=: there are two sections called {twice[0]!r}.")


def _terms(curves: Sequence[str]) -> Iterator[Panel]:
    train = [word.removeprefix("train/") for word in curves if word.startswith("train/")]
    for term in (word for word in train if word not in (*RATES, *SPEED, *MEMORY)):
        yield Lines(title=term, y=tuple(name for name in (f"train/{term}", f"dev/{term}") if name in curves))


def _dev_scores(curves: Sequence[str]) -> Iterator[Panel]:
    """A score with its languages in one panel; `bleu_deu_Latn` goes with `bleu`."""
    names = [word.removeprefix("dev/") for word in curves if word.startswith("dev/")]
    names = [word for word in names if f"train/{word}" not in curves]
    stems: dict[str, list[str]] = {}
    for word in names:
        stem = next((word[: -len(code) - 1] for code in LANGUAGES if word.endswith(f"_{code}")), word)
        stems.setdefault(stem, []).append(f"dev/{word}")
    for stem, together in stems.items():
        yield Lines(title="Retrieval@1" if stem == "retrieval_at_1" else title(stem), y=tuple(together))


def _final(figures: Sequence[str]) -> Iterator[Panel]:
    for word in figures:
        stem, slash, code = word.partition("/")
        if slash and code in LANGUAGES and f"{word}_low" in figures:
            ends = (f"{word}_low", word, f"{word}_high")
            yield Bars(title=f"{title(stem)}, {LANGUAGES[code].name} ({code})", figures=ends)
    means = tuple(word for word in figures if word.startswith("mean_bleu/"))
    if means:
        yield Bars(title="BLEU, means over languages", figures=means)
    if "retrieval_at_1" in figures:
        yield Bars(title="Retrieval@1", figures=("retrieval_at_1",))


def _machine(curves: Sequence[str]) -> Iterator[Panel]:
    titles = {
        "lr": "Learning rate", "gradient": "Length of the gradient", "clips_per_second": "Clips a second",
        "waiting": "Fraction of time spent waiting", "memory_gib": "Memory, GiB", "gpu_memory_gib": "GPU memory, GiB",
    }  # fmt: skip
    for name in (*RATES, *SPEED, *MEMORY):
        if f"train/{name}" in curves:
            yield Lines(title=titles[name], y=(f"train/{name}",))


def _sweep(trained: Sequence[Record], curves: Sequence[str]) -> Iterator[Panel]:
    """Which key does what to a figure of the trainings themselves; only where several differ."""
    keys = swept_keys(trained, [given(run) for run in trained]) if len(trained) > 1 else {}
    target = next((word for word in TARGETS if word in (*_figures(trained), *curves)), None)
    if not keys or target is None:
        return
    rooms = {room for run in trained for room in run.facts.get("choices") or {}}
    places = [f"record.choices.{key}" if key in rooms else key for key in keys]
    columns = [Column(source="config", name=place) for place in places]
    yield Parallel(title="Swept keys", columns=(*columns, Column(source="summary", name=target)))
    yield Importance(title="What counts", target=target)


def _curves(folder: Path) -> Iterator[str]:
    """The names in the log of a run, each as `split/name`."""
    path = folder / CURVES
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as stream:
            rows = ((row.get("split"), row.get("name")) for row in csv.DictReader(stream))
            yield from dict.fromkeys(f"{split}/{name}" for split, name in rows if split and name)


def _figures(runs: Sequence[Record]) -> list[str]:
    """The names of the final figures, those of the first run first."""
    found = (pair for run in runs for pair in final_scores(run.metrics).items())
    return list(dict.fromkeys(name for name, value in found if not isinstance(value, str)))


def _tables(folder: Path) -> Iterator[str]:
    if (folder / SAMPLES).is_file():
        yield "samples"
    if all_hypotheses(folder):
        yield "hypotheses"
