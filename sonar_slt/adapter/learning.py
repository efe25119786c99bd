"""What of a backbone learns: nothing, small matrices beside its attention, or all of it.

What does not learn stays what its weights' file made it, and is in no checkpoint.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from sonar_slt.errors import UserError
from sonar_slt.features.backbones.backbone import Backbone

ATTENTION = ("attn.qkv", "attn.proj", "query", "value", "q_proj", "v_proj")
"""Projections of attention by timm's names, VideoMAE's and CLIP's."""


class Learning(ABC):
    """Which weights of a backbone learn."""

    @abstractmethod
    def __call__(self, backbone: Backbone) -> None:
        """Prepare a backbone; whatever it sees at first, it sees as before."""


class Frozen(Learning):
    """None: the backbone stays in eval mode and is given no gradient."""

    def __call__(self, backbone: Backbone) -> None:
        """Freeze it."""
        backbone.requires_grad_(False)
        backbone.eval()


class Whole(Learning):
    """All of them."""

    def __call__(self, backbone: Backbone) -> None:
        """Free it."""
        backbone.requires_grad_(True)
        backbone.train()


class Lora(Learning):
    """Pairs of small matrices beside the projections that `targets` name, whichever of these the backbone has.

    What a backbone puts behind its network, and no file of weights holds, learns as it is.
    """

    def __init__(
        self, *, rank: int = 16, alpha: int = 32, dropout: float = 0.0, targets: Sequence[str] = ATTENTION
    ) -> None:
        if rank < 1 or not 0 <= dropout < 1 or not targets:
            raise UserError(f"learning: rank={rank}, dropout={dropout}, targets={list(targets)} make no LoRA.")
        self.rank, self.alpha, self.dropout, self.targets = rank, alpha, dropout, list(targets)

    def __call__(self, backbone: Backbone) -> None:
        """Freeze it, and put the matrices beside; they add nothing until they have learnt."""
        from peft import LoraConfig, inject_adapter_in_model

        backbone.requires_grad_(False)
        config = LoraConfig(r=self.rank, lora_alpha=self.alpha, lora_dropout=self.dropout, target_modules=self.targets)
        try:
            inject_adapter_in_model(config, backbone.get_submodule("model"))
        except ValueError as error:
            raise UserError(
                f"learning.targets={self.targets}: {type(backbone).__name__} has no projection of such a name."
            ) from error
        for name, behind in backbone.named_children():
            if name != "model":
                behind.requires_grad_(True)
        backbone.train()
