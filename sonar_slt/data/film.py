"""The pictures of a clip as somebody who looks at it gets them: one after the other, whatever they are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.manifest import Row
from sonar_slt.data.release import Media, Span
from sonar_slt.data.unreadable import Unreadable


class Film(Protocol):
    """Pictures (height, width, 3) of bytes, red, green, blue, one after the other."""

    @property
    def faults(self) -> Sequence[Fault]:
        """What was wrong with them; complete once they have ended."""

    def __iter__(self) -> Iterator[NDArray[np.uint8]]: ...

    def __next__(self) -> NDArray[np.uint8]: ...

    def close(self) -> None:
        """Let the files go."""


class Drawn:
    """A film of pictures that are made and not read."""

    def __init__(self, pictures: Iterator[NDArray[np.uint8]]) -> None:
        self.pictures = pictures
        self.faults: Sequence[Fault] = ()

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return self

    def __next__(self) -> NDArray[np.uint8]:
        return next(self.pictures)

    def close(self) -> None:
        """Nothing is open."""


def media_of(row: Row, root: Path | None) -> Media:
    """Where the pictures of a row of a manifest lie."""
    if row.source is None:
        raise Unreadable("it has no pictures")
    path = Path(row.source) if root is None else root / row.source
    return Media("frames" if path.is_dir() else "video", path, None if row.span is None else Span(*row.span))


def filmed(row: Row, root: Path | None, *, pattern: str = "*", step: int = 1) -> Film:
    """Every `step`-th picture of a row, from where its corpus lies."""
    from sonar_slt.data.media import decoded

    return decoded(media_of(row, root), pattern=pattern, fps=row.fps, step=step)
