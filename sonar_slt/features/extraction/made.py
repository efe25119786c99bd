"""What became of one clip in an extraction, and what an extraction is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.film import Film
from sonar_slt.data.manifest import Manifest, Row


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """The values of a clip (rows, ...), None where there are none to keep; `frames` is how many pictures were seen."""

    row: Row
    values: NDArray[Any] | None
    frames: int
    faults: Sequence[Fault] = ()


class Filmed(Protocol):
    """A corpus whose pictures can be looked at; it goes to other processes."""

    name: str

    @property
    def prepared(self) -> Path:
        """The folder of its prepared form."""

    @property
    def rows(self) -> Manifest:
        """Its manifest."""

    def film(self, row: Row, *, step: int = 1) -> Film:
        """The pictures of a clip."""

    def camera(self) -> Mapping[str, Any]:
        """What decides its pictures beside the files that the manifest names."""


class Feature(Protocol):
    """One kind of feature: a track, what its rows are, and how clips are made to them."""

    @property
    def track(self) -> str:
        """The name of the track."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a row."""

    @property
    def dtype(self) -> str:
        """The type of its numbers."""

    def described(self) -> dict[str, Any]:
        """Everything that decides a value, in plain values."""

    def made(self, corpus: Filmed, chunks: Sequence[Sequence[Row]], *, workers: int) -> Iterator[Made]:
        """The clips of all chunks, in order."""


def left_out(row: Row, kind: str, told: str) -> Fault:
    """The fault of a clip that is in the manifest and has no features."""
    return Fault(id=row.id, kind=kind, told=told, split=row.split, done="left out")
