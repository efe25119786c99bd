"""The decoder token by token says what the decoder says in one pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sonar_slt.space.generation.incremental import FIRST_SLOTS, IncrementalDecoder, gaps_filled
from sonar_slt.space.likelihood import plain_states

pytestmark = pytest.mark.properties
pytest_plugins = ["tests.space.talking"]

LEAVING = {3: (1, 5), 9: (0, 2)}
"""Which rows leave before which step."""


@torch.inference_mode()
def test_beams_that_cross_and_sentences_that_leave_keep_their_history(talk64: Any) -> None:
    model, beams, steps = talk64.model, 3, FIRST_SLOTS  # so many that the cache grows more than once
    random = torch.Generator().manual_seed(0)
    vectors, names = talk64.vectors[:7], list(range(7))
    decoder = IncrementalDecoder(model.model.decoder, vectors)
    prefix = torch.randint(2, 400, (7, 2), generator=random)
    states = decoder.begin(prefix)
    said = prefix.unsqueeze(1)
    for step in range(steps):
        width = said.shape[1]
        parents = torch.randint(0, width, (len(names), beams), generator=random)
        ids = torch.randint(2, 400, (len(names), beams), generator=random)
        if step in LEAVING:
            kept = gaps_filled([row for row in range(len(names)) if row not in LEAVING[step]])
            decoder.keep(kept)
            names, said, parents, ids = [names[row] for row in kept], said[kept], parents[kept], ids[kept]
        states = decoder.step(ids, parents)
        history = said.gather(1, parents.unsqueeze(2).expand(-1, -1, said.shape[2]))
        said = torch.cat([history, ids.unsqueeze(2)], dim=2)
    assert len(names) == 3
    memory = vectors[names].repeat_interleave(beams, dim=0)
    whole = plain_states(model.model.decoder, memory, said.flatten(0, 1))[:, -1]
    torch.testing.assert_close(states.flatten(0, 1), whole, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("kept", "order"),
    [([0, 1, 2], [0, 1, 2]), ([1, 3, 4], [3, 1, 4]), ([4], [4]), ([0, 5], [0, 5]), ([], []), ([2, 3], [2, 3])],
)
def test_only_rows_from_behind_move(kept: list[int], order: list[int]) -> None:
    assert gaps_filled(kept) == order
