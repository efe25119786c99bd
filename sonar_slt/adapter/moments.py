"""What one modality has seen of some clips, and when: several of these are brought to one sequence per clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sonar_slt.adapter.attention import positions_at


@dataclass(frozen=True, slots=True)
class Moments:
    """Rows of some clips in the order of time; those of a clip may be of single frames or of windows of them."""

    rows: Tensor  # (batch, items, width)
    mask: Tensor  # (batch, items) True where a row is real
    times: Tensor  # (batch, items) the middle of what a row is of, from 0 to 1 of the clip
    lengths: Tensor  # (batch,) frames of the clip


class Entry(nn.Module):
    """The rows of a modality brought to a common width, with a mark of which modality they are of.

    `centred` ones are seen as what they are beside the clip's mean, others behind a layer norm.
    """

    def __init__(self, *, width: int, dim: int, centred: bool) -> None:
        super().__init__()
        self.norm = None if centred else nn.LayerNorm(width)
        self.project = nn.Linear(width, dim)
        self.mark = nn.Parameter(0.02 * torch.randn(dim))

    def forward(self, seen: Moments) -> Moments:
        """Rows (batch, items, width) to (batch, items, dim)."""
        rows = seen.rows.to(self.mark.dtype)
        rows = centred(rows, seen.mask) if self.norm is None else self.norm(rows)
        return replace(seen, rows=self.project(rows) + self.mark)


def centred(rows: Tensor, mask: Tensor) -> Tensor:
    """How rows (batch, items, width) differ from the mean of their clip, in units of how much they usually do.

    Signer, clothes and background are much the same in all frames of a clip, and most of what a picture is; what is
    signed is the rest. A row that is alone in its clip stays as it is.
    """
    real = mask.unsqueeze(-1).to(rows.dtype)
    items = real.sum(dim=1, keepdim=True)
    mean = (rows * real).sum(dim=1, keepdim=True) / items
    apart = (rows - mean * (items > 1)) * real
    spread = (apart.square().sum(dim=(1, 2), keepdim=True) / (items * rows.shape[-1])).sqrt()
    return apart / (spread + 1e-3)


def together(seen: Sequence[Moments]) -> tuple[Tensor, Tensor]:
    """Modalities of one width side by side: states (batch, all items, width) with positions, and their mask.

    A position is a number of frames of the modality that has most of them, so that what happens at the same time has
    the same position in all.
    """
    frames = torch.stack([moments.lengths for moments in seen]).amax(dim=0)
    states = [
        moments.rows + positions_at(moments.times * frames.unsqueeze(1), moments.rows.shape[-1]).to(moments.rows)
        for moments in seen
    ]
    return torch.cat(states, dim=1), torch.cat([moments.mask for moments in seen], dim=1)
