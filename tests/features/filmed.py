"""A corpus whose clips are arrays: every picture is its own number, so that a vector says which pictures it is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sonar_slt.data.faults import Fault
from sonar_slt.data.film import Film
from sonar_slt.data.manifest import Manifest, Row, write
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.features import Backbone, Picture

SIZE = 4


def row(number: int, frames: int) -> Row:
    split = ("train", "dev", "test")[number % 3]
    return Row(
        id=f"clip{number:02d}", corpus="filmed", split=split, signer="", sign_language="", frames=frames, fps=25.0,
        texts={"deu_Latn": (f"Satz {number}.",)}, source=f"{number}", content=f"{number} {frames}",
    )  # fmt: skip


class Shown:
    """Pictures whose every pixel is 16 times the clip's number and the frame's beside it."""

    def __init__(self, number: int, frames: int, step: int, *, broken: int | None = None) -> None:
        self.faults: list[Fault] = []
        self.closed = False
        self._left = self._pictures(number, frames, step, broken)

    def _pictures(self, number: int, frames: int, step: int, broken: int | None) -> Iterator[NDArray[np.uint8]]:
        for frame in range(0, frames, step):
            if broken is not None and frame >= broken:
                raise Unreadable(f"clip {number} breaks off at frame {frame}.")
            yield np.full((SIZE, SIZE, 3), (number % 16, frame % 256, frame // 256), np.uint8)
        if number % 5 == 4:
            self.faults.append(Fault(id="", kind="broken_frame", told="one of its frames was broken", done="kept"))

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return self

    def __next__(self) -> NDArray[np.uint8]:
        return next(self._left)

    def close(self) -> None:
        self.closed = True


class FilmedCorpus:
    """Clips of so many frames; `broken` says which break off, and at which frame."""

    name = "filmed"

    def __init__(self, folder: Path, lengths: Sequence[int], broken: Mapping[int, int] | None = None) -> None:
        self.prepared, self.broken = folder, dict(broken or {})
        self.opened: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "manifest.jsonl", [row(number, frames) for number, frames in enumerate(lengths)])

    @property
    def rows(self) -> Manifest:
        return Manifest(self.prepared / "manifest.jsonl")

    def film(self, row: Row, *, step: int = 1) -> Film:
        self.opened.append(row.id)
        number = int(row.id.removeprefix("clip"))
        return Shown(number, row.frames, step, broken=self.broken.get(number))

    def camera(self) -> Mapping[str, Any]:
        return {}


class Numbers(Backbone):
    """The number of the clip, then those of the frames of the window: what a backbone was shown, told by itself."""

    track: ClassVar = "motion"

    def __init__(self, *, window: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.picture, self.mean, self.std = Picture(size=SIZE, fit="squeeze"), (0.0,) * 3, (1.0,) * 3
        self.window, self.stride, self.width = window, stride, 1 + window
        self.calls: list[tuple[int, int]] = []
        self.weight = nn.Parameter(torch.ones(1))
        self._opened(self)

    def forward(self, pictures: Tensor, windows: Tensor) -> Tensor:
        self.calls.append((len(pictures), len(windows)))
        shown = pictures[:, :, 0, 0].to(torch.float32)
        frames = shown[:, 1] + 256 * shown[:, 2]
        return torch.cat([shown[windows[:, 0], :1], frames[windows]], dim=1)

    def settings(self) -> dict[str, Any]:
        return {}
