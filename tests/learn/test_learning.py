"""A model must learn, and learn what matters: clips by heart, also where only the order of frames tells two apart."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from sonar_slt.config.assembly import assemble
from sonar_slt.data.track import Track
from sonar_slt.metrics.vectors import retrieval_at_1
from tests.conftest import MICRO, composed

pytestmark = pytest.mark.learn

STEPS = 150


@pytest.fixture(scope="module")
def learnt(request: pytest.FixtureRequest) -> Any:
    """An adapter that has seen 12 clips forwards and backwards, each with its own sentence, for 150 steps."""
    space = str(request.getfixturevalue("space_folder"))
    overrides = MICRO | {"recipe": "null", "space.source": space, "languages.targets": "[deu_Latn]"}
    made = assemble(composed("train", request.getfixturevalue("outputs"), overrides))
    rows = made.data.rows["train"]
    batch = made.data.collate(rows.numbers[:12], Random(0)).to("cpu")
    points = batch.tracks["points"]
    backwards = [clip[:long].flip(0) for clip, long in zip(points.values, points.mask.sum(1).tolist(), strict=True)]
    clips = torch.cat([points.values, pad_sequence(backwards, batch_first=True)])
    tracks = {"points": Track(clips, points.mask.repeat(2, 1))}
    s = made.data.space.encode([row.texts["deu_Latn"][0] for row in rows], "deu_Latn")
    optimiser = torch.optim.AdamW(made.task.adapter.parameters(), lr=5e-3)
    losses = []
    for _ in range(STEPS):
        loss = (((made.task(tracks) - s) / s.std(dim=0)) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    made.task.eval()
    with torch.no_grad():
        return retrieval_at_1(made.task(tracks), s, center=s.mean(dim=0)), losses


def test_the_loss_falls(learnt: Any) -> None:
    *_, losses = learnt
    assert losses[-1] < 0.1 * losses[0]


def test_each_clip_finds_its_sentence_and_another_one_backwards(learnt: Any) -> None:
    found, _ = learnt
    assert found > 90  # chance is 4, and 50 is what a bag of frames could reach
