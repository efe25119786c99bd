"""sonar-slt: students of one frozen space of sentence vectors, from sign language to text in any language.

What may be imported from here is kept from version to version; docs/python.md shows each at work.

    SentenceSpace                       sentences to vectors, and vectors to sentences in any language
    space  metrics  runs                the rooms of students and poolings, of scores, of what was run
    main  assembled                     the command line as a function; the parts of a training, built
    Manifest  ClipStore                 a prepared corpus: a row and some frames for each clip
    Adapter  Measure  Track             an adapter of your own, what it is made to the measure of, what it reads
    PointFeatures  Head                 what an adapter may begin with, and end with
    Term  Landing                       a loss term of your own, and what it sees
    Augmentation                        an augmentation of your own
    Corpus  Preparation  PoseReader     a corpus of your own, how its clips are prepared and its poses read
    Reading  Entry  Media  Span  Fault  what a corpus says, a clip in it, where that lies, and what is wrong
    UserError                           what was asked for is wrong; its one sentence says what was expected
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonar_slt.lazy import lazily

if TYPE_CHECKING:
    from sonar_slt import metrics, runs, space
    from sonar_slt.adapter.adapter import Adapter, Head, Measure
    from sonar_slt.adapter.points import PointFeatures
    from sonar_slt.augment.augmentation import Augmentation
    from sonar_slt.cli import main
    from sonar_slt.config.notebook import assembled
    from sonar_slt.data.corpus import Corpus
    from sonar_slt.data.faults import Fault
    from sonar_slt.data.manifest import Manifest
    from sonar_slt.data.pose import PoseReader
    from sonar_slt.data.preparation import Preparation
    from sonar_slt.data.release import Entry, Media, Reading, Span
    from sonar_slt.data.store import ClipStore
    from sonar_slt.data.track import Track
    from sonar_slt.errors import UserError
    from sonar_slt.objective.objective import Landing, Term
    from sonar_slt.space.sentence_space import SentenceSpace

__all__ = [
    "Adapter",
    "Augmentation",
    "ClipStore",
    "Corpus",
    "Entry",
    "Fault",
    "Head",
    "Landing",
    "Manifest",
    "Measure",
    "Media",
    "PointFeatures",
    "PoseReader",
    "Preparation",
    "Reading",
    "SentenceSpace",
    "Span",
    "Term",
    "Track",
    "UserError",
    "assembled",
    "main",
    "metrics",
    "runs",
    "space",
]

if not TYPE_CHECKING:  # the command line answers without torch
    __getattr__, __dir__ = lazily(
        __name__,
        {
            **dict.fromkeys(["Adapter", "Head", "Measure"], "sonar_slt.adapter.adapter"),
            "Augmentation": "sonar_slt.augment.augmentation",
            "ClipStore": "sonar_slt.data.store",
            "Corpus": "sonar_slt.data.corpus",
            **dict.fromkeys(["Entry", "Media", "Reading", "Span"], "sonar_slt.data.release"),
            "Fault": "sonar_slt.data.faults",
            **dict.fromkeys(["Landing", "Term"], "sonar_slt.objective.objective"),
            "Manifest": "sonar_slt.data.manifest",
            "PointFeatures": "sonar_slt.adapter.points",
            "PoseReader": "sonar_slt.data.pose",
            "Preparation": "sonar_slt.data.preparation",
            "SentenceSpace": "sonar_slt.space.sentence_space",
            "Track": "sonar_slt.data.track",
            "UserError": "sonar_slt.errors",
            "assembled": "sonar_slt.config.notebook",
            "main": "sonar_slt.cli",
            **{room: f"sonar_slt.{room}" for room in ("metrics", "runs", "space")},
        },
    )
