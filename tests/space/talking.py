"""A space that has learnt to end its sentences, trained once per session in some 10 seconds, and vectors to decode."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch import Tensor

from sonar_slt.space import fresh
from tests.conftest import composed

TALKING_SPACE = {
    "experiment": "toy_space",
    "batches.vocabulary": 600,
    "batches.size": 12,
    "task.dim": 64,
    "task.hidden": 64,
    "task.decoder_hidden": 256,
    "task.judged": 10,
    "trainer.max_steps": 400,
    "trainer.log_every_n_steps": 400,
    "trainer.accelerator": "cpu",
}
LONGEST = 64
"""Tokens of an output, most of which end by themselves."""

SAMPLED = 600
CHOSEN = {1.0: 70, 2.0: 38}
"""How many of the vectors with the shortest and with the longest outputs; twice as long a vector makes for extremes."""


@dataclass(frozen=True)
class Talk:
    """An opened space and vectors, in all its languages, whose greedy outputs end by themselves, early and late."""

    space: Any
    vectors: Tensor
    languages: Tensor

    @property
    def model(self) -> Any:
        return self.space.model

    def some(self, step: int) -> tuple[Tensor, Tensor]:
        """Every so-manieth vector with its language."""
        return self.vectors[::step], self.languages[::step]


@pytest.fixture(scope="session")
def talking_folder(outputs: Path) -> Path:
    """The space's folder."""
    from sonar_slt.cli.training.training import train

    with patch.object(fresh, "MAX_TOKENS", LONGEST):
        folder, _ = train(composed("train", outputs, TALKING_SPACE), [])
    return folder / "space"


@pytest.fixture(scope="session")
def talk32(talking_folder: Path) -> Talk:
    """The space in float32."""
    from sonar_slt import SentenceSpace
    from sonar_slt.data.corpora.toy.text import ToyText
    from sonar_slt.space.generation import Search, generate

    space: Any = SentenceSpace.from_pretrained(talking_folder)
    random, corpus = Random(0), ToyText()
    codes = [space.languages[i % len(space.languages)] for i in range(SAMPLED)]
    vectors = space.encode([corpus.sample(random, code) for code in codes], codes)
    languages = torch.tensor([space.tokens.language_id(code) for code in codes])
    rows: list[tuple[Tensor, Tensor]] = []
    for loudness, many in CHOSEN.items():
        outputs = generate(space.model, loudness * vectors, languages, Search(num_beams=1))
        ended = [i for i, (output,) in enumerate(outputs) if output.ids[-1] == space.tokens.end]
        ended.sort(key=lambda i: len(outputs[i][0].ids))
        rows.extend((loudness * vectors[i], languages[i]) for i in [*ended[:many], *ended[-many:]])
    random.shuffle(rows)
    return Talk(space, torch.stack([vector for vector, _ in rows]), torch.stack([language for _, language in rows]))


@pytest.fixture(scope="session")
def talk64(talking_folder: Path, talk32: Talk) -> Talk:
    """The same space and vectors in float64."""
    from sonar_slt import SentenceSpace

    space: Any = SentenceSpace.from_pretrained(talking_folder, dtype="float64")
    return Talk(space, talk32.vectors.double(), talk32.languages)
