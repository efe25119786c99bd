"""On a GPU adapters with pictures in the loop say what they say on a CPU, and learn in portions and half precision."""

from __future__ import annotations

import pytest
import torch

from tests.adapter.tiny import adapter, tracks

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")]

MOTION = "eye@adapter.motion=motion"
CHOICES = {
    "visual": ("adapter=visual", "adapter.eye.frames=16"),
    "all_parts": ("adapter=multimodal", MOTION, "adapter.motion.frames=16", "learning@adapter.spatial.learning=lora"),
}


@pytest.mark.parametrize("words", CHOICES.values(), ids=CHOICES)
def test_a_gpu_sees_what_a_cpu_sees_and_learns(words: tuple[str, ...]) -> None:
    near, far, clips = adapter(*words).double(), adapter(*words).double().to("cuda"), tracks(1, 9, 40)
    there = {name: track.to("cuda") for name, track in clips.items()}
    with torch.no_grad():
        torch.testing.assert_close(far(there).cpu(), near(clips), rtol=1e-6, atol=1e-6)
    made = adapter(*words).to("cuda")
    with torch.autocast("cuda", torch.bfloat16):
        made(there).square().sum().backward()
    learning = [weight for weight in made.parameters() if weight.requires_grad]
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in learning)
