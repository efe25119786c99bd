"""On a GPU clips are changed as on a CPU, up to the rounding of a byte or of the last bits."""

from __future__ import annotations

import pytest
import torch

from tests.augment.test_augment import NAMES, made, tracks

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")]


@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_draws_and_does_the_same(name: str) -> None:
    augment = made(name)
    with torch.autocast("cuda", torch.bfloat16):
        far = augment({track: one.to("cuda") for track, one in tracks().items()}, seed=1, step=2)
    near = augment(tracks(), seed=1, step=2)
    for track, changed in far.items():
        assert changed.values.device.type == "cuda" and changed.values.dtype is near[track].values.dtype
        assert torch.equal(changed.mask.cpu(), near[track].mask)
        limit = 2 if track == "pictures" else 1e-5
        assert (changed.values.cpu().float() - near[track].values.float()).abs().max() <= limit
