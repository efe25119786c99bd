"""What a study asks (its study.yaml) and what the runs folder holds on it: one entry per arm and seed.

A run belongs to an arm when it bears the study's name and its command had the arm's words, and no others that change
what is computed; of two such the newer counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sacrebleu.metrics.chrf import CHRF

from sonar_slt.errors import UserError
from sonar_slt.runs.provenance.identity import NOT_COMPUTED
from sonar_slt.runs.registry import Record, all_runs

HERE = Path(__file__).parent
Scores = np.ndarray[Any, np.dtype[np.float64]]
PLACE = ("lock_hash", "code", "manifest_hash", "space_fingerprint", "git")
"""What says of which code, packages, corpus and space a run is."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of training: words of the command, or the same training in another study, or both."""

    title: str
    words: tuple[str, ...] = ()
    same_as: tuple[tuple[str, str], ...] = ()  # study and arm of it, whose runs are of the very same config
    against: str | None = None  # the arm that it is held against, where that is not the study's
    at: float | None = None  # its place on the study's axis


@dataclass(frozen=True, slots=True)
class Study:
    """A question, the arms that answer it, and what they are judged by."""

    name: str
    question: str
    command: str
    against: str
    languages: Mapping[str, tuple[str, ...]]  # column -> the languages whose mean it shows
    seeds: tuple[int, ...]
    arms: Mapping[str, Arm]
    axis: str | None = None

    def reference(self, arm: Arm) -> Arm:
        """The arm that another one is held against."""
        return self.arms[arm.against or self.against]


@dataclass(frozen=True, slots=True)
class Trained:
    """One run of an arm: its scores, and what it stands on."""

    folder: Path
    languages: Mapping[str, tuple[str, ...]]
    bleu: Mapping[str, float]  # column -> mean over its languages
    retrieval: float
    clips: int
    place: Mapping[str, Any]
    begun: str | None  # the run whose weights it began with
    heard: frozenset[str]  # columns with a language that ae has heard and that no clip was trained into

    def sentences(self, column: str) -> dict[str, float]:
        """Clip to its mean sentence chrF2 over the languages of a column."""
        return sentence_scores(self.folder, self.languages[column])


def study_of(name: str, home: Path = HERE) -> Study:
    """The study called ``name``, read from its study.yaml."""
    path = home / name / "study.yaml"
    if not path.is_file():
        known = ", ".join(sorted(found.parent.name for found in home.glob("*/study.yaml")))
        raise UserError(f"No study {name!r} in {home}; expected one of {known}.")
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    arms = {title: _arm(str(title), words) for title, words in raw["arms"].items()}
    languages = {column: tuple(codes) for column, codes in raw["languages"].items()}
    told = {key: str(raw[key]) for key in ("question", "command", "against")}
    study = Study(name, **told, languages=languages, seeds=tuple(raw["seeds"]), arms=arms, axis=raw.get("axis"))
    unknown = {study.against, *(arm.against for arm in arms.values() if arm.against)} - set(arms)
    if unknown:
        raise UserError(f"{path}: no arm is called {', '.join(sorted(unknown))}, but others are held against it.")
    return study


def _arm(title: str, raw: Mapping[str, Any]) -> Arm:
    same = tuple((str(study), str(arm)) for study, arm in (raw.get("same_as") or {}).items())
    return Arm(title, tuple(raw.get("words") or ()), same, raw.get("against"), raw.get("at"))


def arm_of(study: Study, words: Sequence[str]) -> Arm | None:
    """The arm that a command with these words trains; None where it is none of the study's.

    Beside the arm's words there may be those of the study's command, a seed, and where and how a run is carried out; a
    run that was also shortened, say, is another training.
    """
    given = {_key(word) for word in study.command.split() if "=" in word} | {"seed"}
    found = []
    for arm in study.arms.values():
        rest = [key for word in words if word not in arm.words and (key := _key(word)) not in given]
        if arm.words and set(arm.words) <= set(words) and all(_not_computed(key) for key in rest):
            found.append(arm)
    if len(found) > 1:
        raise UserError(f"{study.name}: {' '.join(words)} is in several arms: {', '.join(arm.title for arm in found)}.")
    return found[0] if found else None


def _key(word: str) -> str:
    return word.lstrip("+~").partition("=")[0]


def _not_computed(key: str) -> bool:
    parts = tuple(key.split("."))
    return any(parts[: len(place)] == place for place in NOT_COMPUTED)


def collect(study: Study, root: Path, home: Path = HERE) -> dict[str, dict[int, Trained]]:
    """Arm and seed to the newest finished run of it, those of the same training in other studies included."""
    names = {study.name, *(other for arm in study.arms.values() for other, _ in arm.same_as)}
    studies = {name: study if name == study.name else study_of(name, home) for name in names}
    newest: dict[tuple[str, str, int], Record] = {}
    for run, words in _finished(root, names):
        arm = arm_of(studies[run.name], words)
        if arm is not None and run.seed is not None:
            newest.setdefault((run.name, arm.title, run.seed), run)
    found: dict[str, dict[int, Trained]] = {}
    for arm in study.arms.values():
        sources = [(study.name, arm.title), *arm.same_as]
        for seed in study.seeds:
            runs = [newest[*source, seed] for source in sources if (*source, seed) in newest]
            if runs:
                chosen = max(runs, key=lambda run: run.folder.name)
                found.setdefault(arm.title, {})[seed] = trained(chosen, study.languages)
    return found


def _finished(root: Path, names: set[str]) -> Iterator[tuple[Record, list[str]]]:
    """Trainings of these names, judged on the test split, the newest first, with the words of their commands."""
    for run in all_runs(root):
        judged = run.status == "finished" and run.metrics.get("split") == "test"
        if run.verb == "train" and run.name in names and judged:
            yield run, yaml.safe_load((run.folder / "overrides.yaml").read_text(encoding="utf-8")) or []


def trained(run: Record, languages: Mapping[str, tuple[str, ...]]) -> Trained:
    """The scores of one run, by column."""
    scores = {entry["language"]: entry for entry in run.metrics["scores"]}
    lacking = [code for codes in languages.values() for code in codes if code not in scores]
    if lacking:
        raise UserError(f"{run.folder} was not judged in {', '.join(lacking)}, which its study asks for.")
    aside = {code for code, entry in scores.items() if entry["anchored"] and not entry["seen"]}
    place = {key: run.facts.get("code") if key == "code" else getattr(run, key) for key in PLACE}
    return Trained(
        folder=run.folder,
        languages=languages,
        bleu={
            column: float(np.mean([scores[code]["bleu"]["value"] for code in codes]))
            for column, codes in languages.items()
        },
        retrieval=float(run.metrics["retrieval_at_1"]),
        clips=max(entry["n"] for entry in scores.values()),
        place=place,
        begun=run.facts.get("init_from"),
        heard=frozenset(column for column, codes in languages.items() if aside & set(codes)),
    )


@cache
def sentence_scores(folder: Path, codes: tuple[str, ...]) -> dict[str, float]:
    """Clip to its mean sentence chrF2 over some languages; clips without a sentence in all of them are left out."""
    metric, by_language = CHRF(), []
    for code in codes:
        text = (folder / "hypotheses" / f"test.{code}.jsonl").read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()]
        scored = {line["id"]: metric.sentence_score(line["hypothesis"], line["references"]).score for line in lines}
        by_language.append(scored)
    everywhere = [clip for clip in by_language[0] if all(clip in scored for scored in by_language)]
    return {clip: float(np.mean([scored[clip] for scored in by_language])) for clip in everywhere}


def difference(
    arm: Mapping[int, Trained], other: Mapping[int, Trained], column: str, resamples: int = 1000
) -> tuple[float, float, float]:
    """Mean difference of sentence chrF2, and the ends of its 95 % interval, paired by clip and seed.

    Both the seeds and the clips are drawn anew, with replacement, in every resample.
    """
    seeds = sorted(set(arm) & set(other))
    if not seeds:
        raise UserError("Two arms without a seed in common cannot be paired.")
    pairs = [(arm[seed].sentences(column), other[seed].sentences(column)) for seed in seeds]
    clips = sorted(set.intersection(*(set(one) & set(two) for one, two in pairs)))
    if not clips:
        raise UserError("Two arms without a clip in common cannot be paired.")
    apart: Scores = np.array([[one[clip] - two[clip] for clip in clips] for one, two in pairs])  # (seeds, clips)
    draw = np.random.default_rng(12345)
    rows = draw.integers(len(seeds), size=(resamples, len(seeds), 1))
    columns = draw.integers(len(clips), size=(resamples, 1, len(clips)))
    low, high = np.percentile(apart[rows, columns].mean(axis=(1, 2)), [2.5, 97.5])
    return float(apart.mean()), float(low), float(high)


def freeze(folder: Path, *, table: Sequence[str], notes: Sequence[str], plot: str, results: Mapping[str, Any]) -> str:
    """Keep what came out of a study in its folder: table, plot, and the numbers behind them; the table as text."""
    text = "\n".join([*table, "", *(f"- {note}" for note in notes)])
    (folder / "table.md").write_text(text + "\n", encoding="utf-8")
    (folder / "plot.svg").write_text(plot, encoding="utf-8")
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return text
