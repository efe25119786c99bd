"""A model must learn, and learn what matters: a few clips by heart, and nothing of them when frames are shuffled."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import torch

from sonar_slt.config.assembly import assemble
from sonar_slt.metrics.vectors import retrieval_at_1
from sonar_slt.objective import Landing
from tests.conftest import MICRO, composed

pytestmark = pytest.mark.learn

STEPS = 150


@pytest.fixture(scope="module")
def learnt(request: pytest.FixtureRequest) -> Any:
    """A student that has seen 24 clips for 150 steps of a plain loop."""
    overrides = MICRO | {
        "recipe": "null",
        "space.source": str(request.getfixturevalue("space_folder")),
        "student": "frozen",
        "objective": "[mse,cosine]",
        "data.batch_size": 12,
        "adapter.dropout": 0,
    }
    made = assemble(composed("train", request.getfixturevalue("outputs"), overrides))
    optimiser = torch.optim.AdamW(made.task.adapter.parameters(), lr=5e-3)
    losses = []
    for number in range(STEPS):
        batch = made.data.batch(number)
        loss, _ = made.task.objective(Landing(made.task(batch.clip, batch.mask), batch.target.vectors))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    made.task.eval()
    return made, losses


def found(made: Any, shuffle: bool) -> float:
    """Retrieval@1 among the training clips, in per cent."""
    batch = made.data.collate(made.data.rows["train"], Random(0))
    clip = batch.clip
    if shuffle:
        generator = torch.Generator().manual_seed(0)
        clip = clip.clone()
        for i, length in enumerate(batch.mask.sum(1).tolist()):
            clip[i, :length] = clip[i, :length][torch.randperm(length, generator=generator)]
    with torch.no_grad():
        z = made.task(clip, batch.mask)
    sentences = [row.texts["deu_Latn"][0] for row in made.data.rows["train"]]
    s = made.data.space.encode(sentences, "deu_Latn")
    return retrieval_at_1(z, s, center=made.data.vectors.mean(dim=0))


def test_the_loss_falls(learnt: Any) -> None:
    _, losses = learnt
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])


def test_each_clip_finds_its_sentence(learnt: Any) -> None:
    made, _ = learnt
    assert found(made, shuffle=False) > 60  # chance is 4


def test_shuffled_frames_find_little(learnt: Any) -> None:
    made, _ = learnt
    assert found(made, shuffle=True) < 0.6 * found(made, shuffle=False)
