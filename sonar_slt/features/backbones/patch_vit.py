"""PatchVit: a vision transformer whose patches keep their places in the vector, so that it says where a hand is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from sonar_slt.errors import UserError
from sonar_slt.features.backbones.vit import Vit
from sonar_slt.features.backbones.weights import fingerprint_of, seeded
from sonar_slt.features.picture import Fit


class PatchVit(Vit):
    """A vector per frame: the state of every patch, narrowed to a few numbers, one patch behind the other.

    A small network that learns from nothing finds this much sooner than how to tell it all by one token.
    """

    def __init__(
        self,
        *,
        model: str = "vit_tiny_patch16_224",
        tag: str | None = None,
        weights: str | None = None,
        narrow: int = 8,
        fit: Fit | None = None,
        architecture: Mapping[str, Any] | None = None,
        seed: int = 0,
        option: str = "patch_vit",
    ) -> None:
        if narrow < 1:
            raise UserError(f"features.{option}.narrow={narrow}: at least 1 number stands for a patch.")
        super().__init__(
            model=model,
            tag=tag,
            weights=weights,
            pooling="mean",
            fit=fit,
            architecture=architecture,
            seed=seed,
            option=option,
        )
        with seeded(seed):
            self.narrow = nn.Linear(self.width, narrow, bias=False).requires_grad_(False)
        self.fingerprint = fingerprint_of(self)
        self.width = narrow * self.model.patch_embed.num_patches

    def _embedded(self, pictures: Tensor) -> Tensor:
        states = self.model.forward_features(self._normalised(pictures))  # (frames, tokens, dim)
        vectors: Tensor = self.narrow(states[:, self.prefix :]).flatten(1)
        return vectors

    def settings(self) -> dict[str, Any]:
        """The model of timm, and what is changed of it."""
        return {**super().settings(), "pooling": f"patches of {self.narrow.out_features}"}
