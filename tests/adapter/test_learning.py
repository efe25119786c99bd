"""What of a backbone learns, and that the rest stays bit for bit what it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sonar_slt.adapter.eye import Eye
from sonar_slt.adapter.learning import Frozen, Lora, Whole
from sonar_slt.errors import UserError
from tests.adapter.tiny import patch_vit, pictures, videomae, vit

BACKBONES = {
    "vit": vit,
    "vit_token": lambda: vit(pooling="token"),
    "patch_vit": patch_vit,
    "videomae": videomae,
    "videomae_token": lambda: videomae(pooling="token"),
}


@pytest.fixture(params=BACKBONES)
def backbone(request: pytest.FixtureRequest) -> Any:
    return BACKBONES[request.param]()


def stepped(eye: nn.Module) -> None:
    """One step of an optimiser that knows all weights that ask for a gradient."""
    eye.train()
    optimiser = torch.optim.Adam([weight for weight in eye.parameters() if weight.requires_grad], lr=0.01)
    for _ in range(2):  # LoRA's first matrix has a gradient only when its second is no longer zero
        optimiser.zero_grad()
        eye(pictures(20, 3)).rows.square().sum().backward()
        optimiser.step()


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in module.named_parameters()}


def test_frozen_stays_in_eval_mode_and_asks_for_no_gradient(backbone: Any) -> None:
    eye = Eye(backbone=backbone, learning=Frozen()).train()
    assert eye.training and not any(module.training for module in backbone.modules())
    assert not eye(pictures(5)).rows.requires_grad
    assert not [name for name, weight in eye.named_parameters() if weight.requires_grad]


def test_a_whole_backbone_learns(backbone: Any) -> None:
    eye = Eye(backbone=backbone, learning=Whole())
    before = weights(eye)
    assert backbone.training
    stepped(eye)
    after = weights(eye)
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    assert len(moved) > 0.8 * len(before)


def test_lora_begins_where_the_backbone_is_and_moves_nothing_else(backbone: Any) -> None:
    track = pictures(20, 3)
    with torch.no_grad():
        plain = Eye(backbone=backbone, learning=Frozen())(track).rows
        eye = Eye(backbone=backbone, learning=Lora(rank=2, alpha=4)).eval()
        torch.testing.assert_close(eye(track).rows, plain, atol=1e-6, rtol=0)
    before = weights(eye)
    learning = {name for name, weight in eye.named_parameters() if weight.requires_grad}
    assert learning and all(".lora_" in name or name == "backbone.narrow.weight" for name in learning)
    stepped(eye)
    after = weights(eye)
    assert {name for name in before if not torch.equal(before[name], after[name])} == learning
    with torch.no_grad():
        assert (eye.eval()(track).rows - plain).abs().max() > 1e-4


def test_what_does_not_learn_is_no_buffer_that_a_checkpoint_would_keep(backbone: Any) -> None:
    count = sum(weight.numel() for weight in backbone.parameters())
    eye = Eye(backbone=backbone, learning=Lora(rank=2))
    kept = dict(eye.named_buffers()).keys() & eye.state_dict().keys()
    assert sum(eye.state_dict()[name].numel() for name in kept) < 0.01 * count


def test_only_attention_is_adapted() -> None:
    eye = Eye(backbone=vit(), learning=Lora(rank=2))
    adapted = {name.partition(".lora_")[0] for name, weight in eye.named_parameters() if weight.requires_grad}
    assert adapted == {f"backbone.model.blocks.{n}.attn.{part}" for n in (0, 1) for part in ("qkv", "proj")}


def test_names_that_the_backbone_has_not_are_refused() -> None:
    with pytest.raises(UserError, match="Vit has no projection"):
        Eye(backbone=vit(), learning=Lora(targets=["nothing"]))
    with pytest.raises(UserError, match="rank=0"):
        Lora(rank=0)
