"""The typed sections: what a config may say where no ``_target_`` does.

A verb's section is the class that bears its name; a room whose options have no ``_target_`` has a section under its own
name there. Rooms that are built (``adapter``, ``trainer``, …) need no line here: their class's signature is the schema.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

Count = int
"""A whole number from 0 on."""
Positive = int
"""A whole number from 1 on."""
Language = str
"""The code of a language in `sonar_slt.languages`."""


@dataclass(kw_only=True)
class Languages:
    """Which languages the student is trained into, and which it meets only when it is evaluated."""

    targets: list[Language]
    weights: dict[str, float] | None
    spoken: list[Language] | None
    anchors: list[Language] | None
    unseen: list[Language]


@dataclass(kw_only=True)
class Chosen:
    """The languages that a command asks for; null stands for all that the run knows."""

    targets: list[Language] | None


@dataclass(kw_only=True)
class Paths:
    """Where things are kept; relative paths count from the working folder."""

    outputs: str
    runs: str
    spaces: str
    corpora: str
    cache: str


@dataclass(kw_only=True)
class Verb:
    """What every verb has."""

    allow: list[str]


@dataclass(kw_only=True)
class Train(Verb):
    """``conf/train.yaml`` beside its rooms."""

    name: str
    seed: Count
    threads: Positive | None
    resume: str | None
    init_from: str | None
    init_parts: list[str]
    eval_every: Positive
    monitor: str
    conclude: Literal["train", "dev", "test"] | None
    recipe: str | None
    again: bool
    languages: Languages
    paths: Paths


@dataclass(kw_only=True)
class Evaluate(Verb):
    """``conf/evaluate.yaml`` beside its rooms."""

    inputs: list[str]
    split: Literal["train", "dev", "test"]
    checkpoint: Literal["best", "last"]
    languages: Chosen
    num_beams: Positive
    resamples: Count
    seed: Count
    shown: Count
    output: str | None
    again: bool
    paths: Paths


@dataclass(kw_only=True)
class Score(Verb):
    """``conf/score.yaml`` beside its rooms."""

    inputs: list[str]
    hypotheses: str | None
    references: list[str]
    ids: str | None
    language: Language | None
    languages: Chosen
    split: Literal["train", "dev", "test"]
    source: str | None
    against: str | None
    resamples: Count
    trials: int
    seed: Count
    floors: bool
    output: str | None
    paths: Paths


@dataclass(kw_only=True)
class Demo(Verb):
    """``conf/demo.yaml`` beside its rooms."""

    seed: Count
    num_beams: Positive
    paths: Paths


@dataclass(kw_only=True)
class Check(Train):
    """``conf/check.yaml``: what ``train`` has, for it is looked at without being trained, and what is tried of it."""

    fits: bool
    round_trip: int
    least_bleu: float


@dataclass(kw_only=True)
class Bench(Train):
    """``conf/bench.yaml``: what ``train`` has, and how much of it is measured how often."""

    inputs: list[str]
    rounds: int
    steps: int
    stepped: int
    encoded: int
    decoded: int
    trained: int
    read: int
    served: int
    held: int
    prepared: int
    seen: int


@dataclass(kw_only=True)
class Convert(Verb):
    """``conf/convert.yaml`` beside its rooms."""

    encoder: str | None
    decoder: str | None
    tokenizer: str
    output: str
    dtype: str | None
    heads: int
    tolerance: float
    paths: Paths


@dataclass(kw_only=True)
class Embed(Train):
    """``conf/embed.yaml``: what ``train`` has, whose sentences are meant, and files of sentences instead."""

    inputs: list[str]
    language: Language | None
    output: str | None


@dataclass(kw_only=True)
class Prepare(Verb):
    """``conf/prepare.yaml`` beside its rooms."""

    workers: int | None
    renew: bool
    write_as: str | None
    traps: list[str] | str
    output: str | None
    paths: Paths


@dataclass(kw_only=True)
class Extract(Verb):
    """``conf/extract.yaml`` beside its rooms."""

    shard: str
    workers: int | None
    pictures: int
    precision: str | None
    paths: Paths


@dataclass(kw_only=True)
class AugmentText(Verb):
    """``conf/augment_text.yaml`` beside its rooms."""

    language: Language | None
    languages: Chosen
    replace: bool
    least_cosine: float
    drop_flagged: bool
    recipe: str | None
    paths: Paths


@dataclass(kw_only=True)
class Assess:
    """How people are asked to judge what systems said."""

    clips: int | None
    judges: int
    together: bool
    controls: float
    video: str | None


@dataclass(kw_only=True)
class Report(Verb):
    """``conf/report.yaml`` beside its rooms."""

    inputs: list[str]
    swept: str | None
    target: str | None
    dashboard: str | None
    bundle: str | None
    assess: Assess
    ratings: list[str]
    key: str | None
    languages: Chosen
    seed: Count
    output: str | None
    picture: str | None
    width: int
    height: int | None
    theme: str | None
    open: bool
    paths: Paths


@dataclass(kw_only=True)
class Table(Verb):
    """``conf/table.yaml`` beside its rooms."""

    inputs: list[str]
    target: str | None
    targets: list[str] | None
    baseline: str | None
    over: list[str]
    resamples: Count
    seed: Count
    format: str | None
    output: str | None
    plot: str | None
    paths: Paths


@dataclass(kw_only=True)
class Runs(Verb):
    """``conf/runs.yaml`` beside its rooms."""

    inputs: list[str]
    status: list[Literal["running", "finished", "failed", "killed", "unreadable"]]
    verb: list[str]
    name: list[str]
    since: str | None
    swept: str | None
    where: list[str]
    sort: str
    reverse: bool
    limit: Positive | None
    output: str | None
    paths: Paths


@dataclass(kw_only=True)
class Rerun(Verb):
    """``conf/rerun.yaml`` beside its rooms."""

    inputs: list[str]
    without: list[str]
    as_saved: bool
    paths: Paths


@dataclass(kw_only=True)
class Diff(Verb):
    """``conf/diff.yaml`` beside its rooms."""

    inputs: list[str]
    significance: bool
    split: Literal["train", "dev", "test"]
    languages: Chosen
    resamples: Count
    trials: int
    seed: Count
    output: str | None
    paths: Paths


def section(name: str) -> type | None:
    """The section called ``name``, None where the word is no section of this module."""
    found = vars(sys.modules[__name__]).get(name)
    return found if isinstance(found, type) and hasattr(found, "__dataclass_fields__") else None


def of_verb(verb: str) -> type:
    """The section of a verb; ``augment-text`` is described by ``AugmentText``."""
    found = section("".join(part.title() for part in verb.replace("-", "_").split("_")))
    if found is None:
        raise LookupError(f"config/schema.py has no section for the verb {verb}")
    return found
