"""The pictures of a clip one after the other, whole ones in the place of broken ones, whatever they come from."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.media.footage import Footage
from sonar_slt.data.unreadable import Unreadable

Picture = NDArray[np.uint8]
"""(height, width, 3), red, green, blue."""

Shot = tuple[int, Callable[[], Picture]]
"""The number of a frame that is whole, and what makes a picture of it."""


class Reel(Iterator[Picture]):
    """The pictures of a clip, one after the other, as (height, width, 3) RGB, turned as a viewer sees them.

    A frame that cannot be decoded is replaced by the one before, or by the first whole one at the start, so that
    there are always `length` pictures; where more than half are lost the clip is `Unreadable`, which may be
    found out late. `faults` are those of the footage and what was found in decoding, complete once the reel has ended.
    A reel belongs to one thread; several reels run side by side, for decoding lets other threads work.
    """

    def __init__(
        self, shots: Generator[Shot, None, None], *, footage: Footage, name: str, frames: int, step: int = 1
    ) -> None:
        """`shots` number the frames from 0 to `frames`, in order; some may lack. Every `step`th becomes a picture."""
        self.footage = footage
        self.length = -(-frames // step)
        self.faults: list[Fault] = [fault for fault in footage.faults if fault.kind != "broken_frame"]
        self._shots, self._frames, self._step, self._name = shots, frames, step, name
        self._lost = 0
        self._pictures = self._shown()

    def __next__(self) -> Picture:
        return next(self._pictures)

    def close(self) -> None:
        """Leave off; the files are closed."""
        self._pictures.close()
        self._shots.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _shown(self) -> Generator[Picture, None, None]:
        due, seen, before = 0, 0, None
        for number, picture in self._shots:
            if number < seen:
                continue
            self._lose(number - seen)
            seen = number + 1
            while due < number:
                yield (before or picture)().copy()
                due += self._step
            if due == number:
                yield picture()
                due += self._step
            before = picture
            if due >= self._frames:  # the last that is asked for
                break
        if due < self._frames:
            self._lose(self._frames - seen)
        while before is not None and due < self._frames:
            yield before().copy()
            due += self._step
        self._shots.close()
        if self._lost:
            told = f"lacks {self._lost} of {self._frames} frames of '{self._name}', which cannot be decoded"
            self.faults.append(Fault(id="", kind="broken_frame", told=told, done="kept"))

    def _lose(self, frames: int) -> None:
        self._lost += frames
        if 2 * self._lost > self._frames:
            self._shots.close()
            told = f"more than half of its {self._frames} frames are broken"
            raise Unreadable(f"'{self._name}' cannot be decoded: {told}.")
