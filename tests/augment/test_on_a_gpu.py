"""On a GPU clips are changed as on a CPU, up to the rounding of a byte."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from sonar_slt.augment import Augmentations
from sonar_slt.config.build import build
from sonar_slt.config.location import conf_folder
from sonar_slt.data.track import Track

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")]

FILES = sorted((Path(conf_folder()) / "augment").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_gpu_draws_and_does_the_same(file: Path) -> None:
    mask = torch.arange(24) < torch.tensor([24, 7, 1]).unsqueeze(1)
    noise = torch.randint(0, 256, (3, 24, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    track = Track(noise * mask[..., None, None, None], mask)
    parts = Augmentations({file.stem: build(yaml.safe_load(file.read_text(encoding="utf-8")))})
    with torch.autocast("cuda", torch.bfloat16):
        far = parts({"pictures": track.to("cuda")}, seed=1, step=2)["pictures"]
    near = parts({"pictures": track}, seed=1, step=2)["pictures"]
    assert far.values.device.type == "cuda" and far.values.dtype is torch.uint8
    assert (far.values.cpu().int() - near.values.int()).abs().max() <= 2
    assert torch.equal(far.mask.cpu(), mask)
