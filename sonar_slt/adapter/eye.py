"""An eye: a backbone in the loop, so that pictures are looked at anew in every step and the backbone may learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from torch.utils.checkpoint import checkpoint

from sonar_slt.adapter.learning import Learning
from sonar_slt.adapter.moments import Moments
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from sonar_slt.features.backbones.backbone import Backbone
from sonar_slt.features.windows import windows


class Eye(nn.Module):
    """Pictures to a row for every frame, or for every window of frames.

    About `frames` pictures go through the backbone at a time. Where it learns from more, each portion is computed
    again for its gradient, so that long clips take the memory of one portion and a third more time.
    """

    def __init__(self, *, backbone: Backbone, learning: Learning, frames: int = 1024) -> None:
        super().__init__()
        if frames < 1:
            raise UserError(f"eye.frames={frames}: at least 1 picture goes through the backbone at a time.")
        learning(backbone)
        self.backbone, self.frames = backbone, frames

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return self.backbone.width

    def forward(self, pictures: Track) -> Moments:
        """`pictures` (batch, time, 3, side, side) of bytes; what is no real frame is never looked at."""
        lengths = pictures.mask.sum(dim=1)
        numbers = [windows(frames, self.backbone.window, self.backbone.stride) for frames in lengths.tolist()]
        rows = self._rows(pictures.values[pictures.mask], numbers)
        device, counts = rows.device, [len(each) for each in numbers]
        real = torch.arange(max(counts), device=device) < torch.tensor(counts, device=device).unsqueeze(1)
        middles = [torch.from_numpy((each[:, 0] + each[:, -1] + 1) / 2).float() for each in numbers]
        times = pad_sequence(middles, batch_first=True).to(device) / lengths.unsqueeze(1)
        return Moments(pad_sequence(list(torch.split(rows, counts)), batch_first=True), real, times, lengths)

    def _rows(self, pictures: Tensor, numbers: Sequence[NDArray[np.int64]]) -> Tensor:
        """`pictures` (frames, 3, side, side) of clip after clip, `numbers` of each (items, window): (items, width)."""
        starts = np.cumsum([0, *(each[-1, -1] + 1 for each in numbers)])
        joined = np.concatenate([each + start for each, start in zip(numbers, starts, strict=False)])
        size = max(1, self.frames // self.backbone.stride)
        portions = [joined[start : start + size] for start in range(0, len(joined), size)]
        return torch.cat([self._seen(pictures, portion, whole=len(portions) == 1) for portion in portions])

    def _seen(self, pictures: Tensor, numbers: NDArray[np.int64], *, whole: bool) -> Tensor:
        """One portion of the items, with the pictures that they are of."""
        first, last = int(numbers.min()), int(numbers.max())
        needed = fitted(pictures[first : last + 1], self.backbone.picture.size)
        items = torch.from_numpy(numbers - first).to(pictures.device)
        learns = torch.is_grad_enabled() and any(weight.requires_grad for weight in self.backbone.parameters())
        if whole or not learns:
            rows: Tensor = self.backbone(needed, items)
        else:
            rows = checkpoint(self.backbone, needed, items, use_reentrant=False)
        return rows


def fitted(pictures: Tensor, size: int) -> Tensor:
    """Pictures (frames, 3, height, width) of bytes as squares of `size`."""
    if pictures.shape[-2:] == (size, size):
        return pictures
    resized = functional.interpolate(pictures.float(), size=(size, size), mode="bilinear", antialias=True)
    return resized.round_().clamp_(0, 255).byte()
