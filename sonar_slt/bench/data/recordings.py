"""The clips that data is measured on: points that move as a signer's do, with labels, written as any corpus is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.corpora.prepared import Prepared
from sonar_slt.data.manifest import Row, write
from sonar_slt.data.store import StoreWriter

POINTS, FRAMES = 543, 120
LAYOUT = "mediapipe_543"
SOURCES = 16
"""Distinct movements; more would only take longer to draw."""


def movements(frames: int = FRAMES, points: int = POINTS, *, count: int = SOURCES) -> list[NDArray[np.float32]]:
    """Clips (frames, points, 3) in shoulder widths: slow walks of every point, and its confidence."""
    random = np.random.default_rng(0)
    made = []
    for _ in range(count):
        steps = random.normal(scale=0.02, size=(frames, points, 3)).astype(np.float32)
        steps[0] = random.normal(size=(points, 3))
        clip = np.cumsum(steps, axis=0, dtype=np.float32)
        clip[..., 2] = 0.5 + 0.5 * np.tanh(clip[..., 2])
        made.append(clip)
    return made


def written(
    folder: Path,
    clips: Sequence[NDArray[np.float32]],
    count: int,
    *,
    dtype: Any,
    language: str,
    layout: str = LAYOUT,
    texts: Sequence[str] | None = None,
) -> Prepared:
    """A prepared corpus of so many clips in a new folder; each has a sentence of its own, one of `texts` if given."""
    described = {"layout": layout, "normalised": "signer"}
    with StoreWriter(folder / "clips", shape=clips[0].shape[1:], dtype=dtype, described=described) as store:
        for number in range(count):
            store.append(f"clip{number:06d}", clips[number % len(clips)], {})
        store.finish()
    said = texts or [f"Am {number}. Tag gibt es im Norden Regen." for number in range(count)]
    write(folder / "manifest.jsonl", _rows(clips, said[:count], language))
    return Prepared(root=folder)


def _rows(clips: Sequence[NDArray[np.float32]], texts: Sequence[str], language: str) -> Iterator[Row]:
    for number, text in enumerate(texts):
        yield Row(
            id=f"clip{number:06d}",
            corpus="bench",
            split=("train", "dev", "test")[0 if number > 1 else number + 1],
            signer=f"signer{number % 9}",
            sign_language="",
            frames=len(clips[number % len(clips)]),
            fps=25.0,
            texts={language: (text,)},
            content="",
        )
