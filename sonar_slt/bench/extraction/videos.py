"""The videos that extraction is measured on: generated, encoded as corpora are, with a manifest beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.film import Film, filmed
from sonar_slt.data.manifest import Manifest, Row, write
from sonar_slt.errors import UserError

SIDE, FPS = 256, 25


class Recorded:
    """Videos of so many frames each in a folder, as a corpus whose pictures can be looked at."""

    name = "bench"

    def __init__(self, folder: Path, lengths: Sequence[int]) -> None:
        self.prepared = folder
        folder.mkdir(parents=True, exist_ok=True)
        for number, frames in enumerate(lengths):
            encode(folder / f"{number}.mp4", pictures(frames, seed=number))
        write(folder / "manifest.jsonl", [_row(number, frames) for number, frames in enumerate(lengths)])

    @classmethod
    def there(cls, folder: Path) -> Recorded:
        """Videos that were written before."""
        corpus = cls.__new__(cls)
        corpus.prepared = folder
        return corpus

    @property
    def rows(self) -> Manifest:
        """One row per video."""
        return Manifest(self.prepared / "manifest.jsonl")

    def film(self, row: Row, *, step: int = 1) -> Film:
        """The pictures of a video."""
        return filmed(row, self.prepared, step=step)

    def camera(self) -> Mapping[str, Any]:
        """The files alone decide."""
        return {}

    def files(self) -> list[Path]:
        """The videos in the manifest's order."""
        return [self.prepared / str(row.source) for row in self.rows]


def pictures(frames: int, *, seed: int) -> Iterator[NDArray[np.uint8]]:
    """A figure of blocks that moves over a background that does not, one picture after the other."""
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 200, (16, 16, 3))
    ground = coarse.repeat(SIDE // 16, axis=0).repeat(SIDE // 16, axis=1).astype(np.uint8)
    block = random.integers(0, 255, (64, 64, 3)).astype(np.uint8)
    for frame in range(frames):
        x, y = (int(96 + 90 * np.sin(frame / period)) for period in (7.0, 11.0))
        picture = ground.copy()
        picture[y : y + 64, x : x + 64] = block
        yield picture


def encode(path: Path, shown: Iterator[NDArray[np.uint8]]) -> None:
    """An H.264 video of pictures."""
    try:
        import av
    except ImportError as error:
        raise UserError("Videos need PyAV, which is not installed: pip install 'sonar-slt[video]'.") from error
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS), options={"preset": "veryfast", "crf": "23"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for picture in shown:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _row(number: int, frames: int) -> Row:
    return Row(
        id=f"video{number:03d}",
        corpus="bench",
        split="train",
        signer="",
        sign_language="",
        frames=frames,
        fps=float(FPS),
        texts={},
        source=f"{number}.mp4",
        content=f"{number} {frames}",
    )
