"""What one modality has seen of some clips, and when: several of these are brought to one sequence per clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    """The rows of a modality brought to a common width, with a mark of which modality they are of."""

    def __init__(self, *, width: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, dim)
        self.mark = nn.Parameter(0.02 * torch.randn(dim))

    def forward(self, rows: Tensor) -> Tensor:
        """`rows` (batch, items, width) to (batch, items, dim)."""
        states: Tensor = self.project(self.norm(rows.to(self.norm.weight.dtype))) + self.mark
        return states


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
