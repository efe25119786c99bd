"""What every backbone is: pictures in, one vector per item out, and an account of all that decides the vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, ClassVar, Literal, Self, get_args

import torch
from torch import Tensor, nn

from sonar_slt.errors import UserError
from sonar_slt.features.backbones.weights import fingerprint_of
from sonar_slt.features.picture import Picture

Pooling = Literal["token", "mean"]
"""What stands for all tokens of a picture or a window: the first of them, or their mean."""

TOKENS = 1600
"""Tokens that a processor works on at a time: their hidden states still fit its cache, and more is slower."""


class Backbone(nn.Module, ABC):
    """A network that looks at pictures: frozen and in eval mode, until somebody asks its weights for gradients.

    A subclass gives its weights with `_opened`, and works in whatever precision it is brought to.
    """

    track: ClassVar[Literal["spatial", "motion"]]
    picture: Picture
    mean: tuple[float, ...]  # of red, green and blue, from 0 to 1
    std: tuple[float, ...]
    width: int
    window: int = 1
    stride: int = 1
    fingerprint: str

    @abstractmethod
    def forward(self, pictures: Tensor, windows: Tensor) -> Tensor:
        """One vector per window.

        `pictures` (frames, 3, size, size) of bytes, `windows` (items, window) numbers of frames; returns
        (items, width). What several windows share goes in once.
        """

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What of the subclass decides a vector, beside weights and pictures."""

    def described(self) -> dict[str, Any]:
        """Everything that decides a vector but the precision; of the weights, their hash when they were opened."""
        return {
            "backbone": type(self).__name__,
            "weights": self.fingerprint,
            "width": self.width,
            "window": self.window,
            "stride": self.stride,
            "picture": asdict(self.picture),
            "mean": list(self.mean),
            "std": list(self.std),
            **self.settings(),
        }

    def train(self, mode: bool = True) -> Self:
        """As for any module, but what is frozen stays in eval mode."""
        return super().train(mode and any(weight.requires_grad for weight in self.parameters()))

    def _opened(self, model: nn.Module) -> None:
        """Freeze a model whose weights are in place, and remember which they were."""
        self.fingerprint = fingerprint_of(model)
        model.requires_grad_(False)
        self.eval()

    def _normalised(self, pictures: Tensor) -> Tensor:
        """Bytes to what the network was trained on, in full precision first."""
        mean, std = (torch.tensor(values, device=pictures.device).view(3, 1, 1) for values in (self.mean, self.std))
        return ((pictures.float() / 255 - mean) / std).to(next(self.parameters()).dtype)

    def _passes(self, items: Tensor, tokens: int) -> Iterator[Tensor]:
        """Items in portions, where each has so many tokens; all at once on anything but a processor."""
        on_processor = next(self.parameters()).device.type == "cpu"
        yield from torch.split(items, max(1, TOKENS // tokens if on_processor else len(items)))


def distinct(windows: Tensor) -> tuple[Tensor, Tensor]:
    """The frames of windows of one, each once, and for every window its place among them."""
    if windows.shape[1] != 1:
        raise ValueError(f"windows of one frame are expected, not of {windows.shape[1]}")
    frames, places = torch.unique(windows[:, 0], return_inverse=True)
    return frames, places


def require_pooling(pooling: str) -> None:
    """Refuse a pooling that there is not."""
    if pooling not in get_args(Pooling):
        raise UserError(f"pooling={pooling} is unknown: choose one of {', '.join(get_args(Pooling))}.")
