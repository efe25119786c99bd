"""What an adapter is, and what it is made to the measure of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor, nn

from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

if TYPE_CHECKING:
    from sonar_slt.space import SentenceSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is known before anything is learnt: some training clips, the skeleton, and where sentences lie in the space.

    `samples` are the tracks that the corpus has, by name, padded with zeros. `roots[i]` is the point that point `i` is
    seen from; empty where there are no points. `vector_mean` and `vector_std` (dim,) are of training sentences.
    """

    samples: Mapping[str, Track]
    vector_mean: Tensor
    vector_std: Tensor
    roots: Sequence[int] = field(default_factory=tuple)
    space: SentenceSpace | None = None

    def sample(self, track: str, adapter: str) -> Track:
        """The sample of a track that an adapter cannot do without."""
        if track not in self.samples:
            raise UserError(
                f"adapter={adapter} reads {track}, and the corpus has only {', '.join(self.samples)}: "
                "`sonar-slt check` says what a corpus has, `sonar-slt extract` makes features of its pictures."
            )
        return self.samples[track]


class Adapter(nn.Module, ABC):
    """Tracks of some clips to one vector each; `reads` are the tracks that it would like."""

    reads: ClassVar[tuple[str, ...]]

    @classmethod
    def reading(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Those of `reads` that an adapter with these settings looks at: all, unless settings leave parts out."""
        return cls.reads

    @abstractmethod
    def forward(self, tracks: Mapping[str, Track]) -> Tensor:
        """The tracks that the corpus has of `reads`, padded, to vectors (batch, dim of the space)."""


class Head(nn.Module):
    """From a pooled state to the space, from the average sentence on: it says how far from that a clip lies."""

    def __init__(self, *, dim: int, measure: Measure) -> None:
        super().__init__()
        self.project = nn.Linear(dim, len(measure.vector_mean))
        self.register_buffer("vector_mean", measure.vector_mean.clone())
        self.register_buffer("vector_std", measure.vector_std.clone())
        self.vector_mean: Tensor
        self.vector_std: Tensor

    def forward(self, states: Tensor) -> Tensor:
        """`states` (batch, queries, dim): each says where the clip lies, and their mean is believed."""
        vector: Tensor = self.vector_mean + self.vector_std * self.project(states).mean(dim=1)
        return vector
