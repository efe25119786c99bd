"""The clip store: clips of any length, one after another in a memory-mapped array, read at random without copying.

Points are normalised before they are stored, so half precision is fine enough (2e-3 shoulder widths at arm's length)
and a training reads from disk what it feeds to the model.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonar_slt.errors import UserError
from sonar_slt.runs.files import replace_folder

Points = NDArray[np.float16]


class ClipStore:
    """Read-only clips by id; each is an array (frames, points, 3) of x, y and confidence."""

    def __init__(self, folder: Path) -> None:
        index = folder / "index.json"
        if not index.is_file():
            raise UserError(f"No clip store at '{folder}'.")
        described = json.loads(index.read_text(encoding="utf-8"))
        self.layout: str = described["layout"]
        self._spans: dict[str, tuple[int, int]] = {id_: (start, end) for id_, start, end in described["spans"]}
        self._frames: Points = np.load(folder / "frames.npy", mmap_mode="r", allow_pickle=False)

    def __len__(self) -> int:
        return len(self._spans)

    def __contains__(self, clip: str) -> bool:
        return clip in self._spans

    def __getitem__(self, clip: str) -> Points:
        start, end = self._spans[clip]
        return self._frames[start:end]


def write(folder: Path, clips: Iterable[tuple[str, Points]], *, layout: str, normalised: str, points: int) -> None:
    """Write a store of `clips`; it appears whole under its name, or not at all."""
    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        spans, total = [], 0
        with (partial / "frames.raw").open("wb") as stream:
            for clip, frames in clips:
                stream.write(np.ascontiguousarray(frames, dtype=np.float16).tobytes())
                spans.append((clip, total, total + len(frames)))
                total += len(frames)
        _with_header(partial / "frames.raw", partial / "frames.npy", (total, points, 3))
        described = {"layout": layout, "normalised": normalised, "spans": spans}
        (partial / "index.json").write_text(json.dumps(described), encoding="utf-8")
        replace_folder(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _with_header(raw: Path, final: Path, shape: tuple[int, ...]) -> None:
    frames = np.memmap(raw, dtype=np.float16, mode="r", shape=shape) if shape[0] else np.empty(shape, np.float16)
    np.save(final, frames, allow_pickle=False)
    raw.unlink()
