"""A plain implementation of the reference tools' training step, for ours to be measured against.

It holds two whole copies of the model, encodes the teacher's vectors at every step, brings every clip to one length by
repeating its last frame, decodes in two padded passes through transformers' forward, and keeps the scores of the whole
vocabulary. Left out is what would cost it more and no other way can be compared in: the pooling of the teacher's
vectors by decoder layers, and the inverse of the bridge after every step. Dropout is left out of both ways.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from sonar_slt.bench.space.encoding import plainly_encoded
from sonar_slt.bench.space.likelihood import plain_loss
from sonar_slt.bench.training.loop import learnt
from sonar_slt.data.track import Track
from sonar_slt.space import LoraStudent, SentenceSpace
from sonar_slt.space.tokens import TokenBatch

WEIGHTS = {"mse": 7000.0, "cosine": 2.7, "ce": 0.1, "ae": 0.2}
"""The losses and their weights, in both ways."""


class PlainAdapter(nn.Module):
    """Points to vectors with torch's own layers: a narrow transformer, a wide one, the mean of all frames."""

    def __init__(
        self,
        *,
        points: int,
        space_dim: int,
        frame_dim: int = 512,
        frame_layers: int = 4,
        frame_heads: int = 8,
        dim: int = 1024,
        layers: int = 4,
        heads: int = 8,
    ) -> None:
        super().__init__()
        width = 3 * points
        self.frames = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, frame_dim),
            nn.GELU(),
            nn.Linear(frame_dim, frame_dim),
            _transformer(frame_dim, layers=frame_layers, heads=frame_heads),
            nn.Linear(frame_dim, dim),
            _transformer(dim, layers=layers, heads=heads),
        )
        self.ending = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim), nn.Linear(dim, space_dim, bias=False))

    def forward(self, points: Tensor) -> Tensor:
        """`points` (batch, time, points, 3), none of them padding, to (batch, space_dim)."""
        vectors: Tensor = self.ending(self.frames(points.flatten(2)).mean(dim=1))
        return vectors


class PlainTraining:
    """One step after the other over the same parts."""

    def __init__(self, *, teacher: SentenceSpace, student: LoraStudent, adapter: PlainAdapter) -> None:
        self.teacher, self.student, self.adapter = teacher, student, adapter
        self.learning = [w for part in (adapter, student) for w in part.parameters() if w.requires_grad]
        self.optimiser = torch.optim.AdamW(self.learning, lr=1e-3, fused=True)

    def step(self, points: Tensor, tokens: TokenBatch) -> None:
        """`points` (batch, time, points, 3) of one length, and what is said in them."""
        terms = self.terms(self.adapter(points), tokens)
        learnt(
            torch.stack([WEIGHTS[name] * value for name, value in terms.items()]).sum(), self.learning, self.optimiser
        )

    def terms(self, z: Tensor, tokens: TokenBatch) -> Mapping[str, Tensor]:
        """The losses of vectors (batch, dim), unweighted."""
        with torch.no_grad():
            s = plainly_encoded(self.teacher, tokens).to(z.dtype)
        return {
            "mse": functional.mse_loss(z, s),
            "cosine": 1 - functional.cosine_similarity(z, s).mean(),
            "ce": plain_loss(self.student.space, z, tokens),
            "ae": plain_loss(self.student.space, s, tokens),
        }


def repeated(track: Track, length: int) -> Tensor:
    """Clips (batch, length, points, 3) whose last frame stands still until they are all as long."""
    last = track.mask.sum(dim=1, keepdim=True) - 1  # (batch, 1)
    frames = torch.minimum(torch.arange(length, device=last.device), last)  # (batch, length)
    return track.values[torch.arange(len(frames), device=last.device).unsqueeze(1), frames]


def _transformer(dim: int, *, layers: int, heads: int) -> nn.Module:
    layer = nn.TransformerEncoderLayer(
        dim, heads, 4 * dim, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(dim), enable_nested_tensor=False)
