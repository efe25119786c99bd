"""The typed sections: what a config may say where no ``_target_`` does.

A verb's section is the class that bears its name; a room whose options have no ``_target_`` has a section under its own
name there. Rooms that are built (``adapter``, ``trainer``, …) need no line here: their class's signature is the schema.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(kw_only=True)
class Languages:
    """Which languages the student is trained into, and which it meets only when it is evaluated."""

    targets: list[str]
    weights: dict[str, float] | None
    spoken: list[str] | None
    anchors: list[str] | None
    unseen: list[str]


@dataclass(kw_only=True)
class Chosen:
    """The languages that a command asks for; null stands for all that the run knows."""

    targets: list[str] | None


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
    seed: int
    threads: int | None
    resume: str | None
    init_from: str | None
    init_parts: list[str]
    eval_every: int
    monitor: str
    conclude: str | None
    recipe: str | None
    languages: Languages
    paths: Paths


@dataclass(kw_only=True)
class Evaluate(Verb):
    """``conf/evaluate.yaml`` beside its rooms."""

    inputs: list[str]
    split: str
    checkpoint: str
    languages: Chosen
    num_beams: int
    resamples: int
    seed: int
    shown: int
    output: str | None
    paths: Paths


@dataclass(kw_only=True)
class Score(Verb):
    """``conf/score.yaml`` beside its rooms."""

    inputs: list[str]
    hypotheses: str | None
    references: list[str]
    ids: str | None
    language: str | None
    languages: Chosen
    split: str
    source: str | None
    against: str | None
    resamples: int
    trials: int
    seed: int
    floors: bool
    output: str | None
    paths: Paths


@dataclass(kw_only=True)
class Demo(Verb):
    """``conf/demo.yaml`` beside its rooms."""

    seed: int
    num_beams: int
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
    language: str | None
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

    language: str | None
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
    sweep: str | None
    target: str | None
    dashboard: str | None
    bundle: str | None
    assess: Assess
    ratings: list[str]
    key: str | None
    languages: Chosen
    seed: int
    output: str | None
    picture: str | None
    width: int
    height: int | None
    theme: str | None
    open: bool
    paths: Paths


@dataclass(kw_only=True)
class Runs(Verb):
    """``conf/runs.yaml`` beside its rooms."""

    inputs: list[str]
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
