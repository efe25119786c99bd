"""The toy corpus: clips of the toy world, performed instead of recorded, prepared like any other corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.corpora.toy.meaning import Meaning, Split, draw_split
from sonar_slt.data.corpora.toy.rendering import RENDERING, drawn, look
from sonar_slt.data.corpora.toy.sentences import LANGUAGES, render
from sonar_slt.data.corpora.toy.signing import SIGN_LANGUAGES, Signer, perform, signers
from sonar_slt.data.corpora.toy.signing.camera import HEIGHT, WIDTH
from sonar_slt.data.corpus import Corpus
from sonar_slt.data.film import Drawn, Film
from sonar_slt.data.layouts import OPENPOSE_137
from sonar_slt.data.manifest import Row
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Entry, Reading
from sonar_slt.errors import UserError
from sonar_slt.source_hash import source_hash

SOURCES = (
    *(f"data/corpora/toy/{source}" for source in ("corpus.py", "meaning.py", "sentences", "signing")),
    *("data/layouts", "data/normalise.py", "data/preparation/clip.py"),
)
"""What decides how a clip looks and what it says; a change there makes another corpus."""

CAMERA = 64
"""Pixels of a picture's side."""


class ToyCorpus(Corpus):
    """`train`, `dev` and `test` clips of distinct meanings; held-out meanings never occur in training."""

    name = "toy"
    sign_language = ""  # of nobody

    def __init__(
        self,
        *,
        folder: str | Path,
        preparation: Preparation,
        train: int = 3000,
        dev: int = 200,
        test: int = 500,
        signer_count: int = 9,
        fps: float | None = None,
        seed: int = 0,
        languages: Sequence[str] = LANGUAGES,
        signing: str = "a",
    ) -> None:
        super().__init__(folder=folder, preparation=preparation)
        self.sizes: dict[Split, int] = {"train": train, "dev": dev, "test": test}
        for name, size in self.sizes.items():
            if size < 1:
                raise UserError(f"data.{name}={size}: every split of the toy corpus needs at least one clip.")
        if signer_count < 1 or (fps is not None and not 1 <= fps <= 1000):
            raise UserError(f"data.signer_count={signer_count} data.fps={fps}: one signer at least, 1 to 1000 frames.")
        self.signer_count, self.seed, self.languages = signer_count, seed, tuple(languages)
        if signing not in SIGN_LANGUAGES:
            raise UserError(
                f"data.signing={signing}: the toy world has two sign languages, {' and '.join(SIGN_LANGUAGES)}."
            )
        self.fps, self.signing = fps, signing

    def label_files(self) -> Sequence[Path]:
        """None: everything is generated."""
        return ()

    def settings(self) -> Mapping[str, Any]:
        """The world that is asked for, and the code that makes it."""
        return {
            "sizes": self.sizes,
            "signers": self.signer_count,
            "fps": self.fps,
            "signing": self.signing,
            "seed": self.seed,
            "languages": list(self.languages),
            "sources": source_hash(*SOURCES),
        }

    def read(self) -> Reading:
        """The clips, each meaning in every language in all its renderings."""
        return Reading(entries=[self._entry(number, *self._meanings[number]) for number in range(len(self._meanings))])

    def record(self, entry: Entry, *, size: tuple[int, int] | None = None) -> Recording:
        """A performance of the clip's meaning, in pixels."""
        number = self._numbers[entry.id]
        _, meaning = self._meanings[number]
        performance = perform(
            meaning,
            signer=self._signer(number)[1],
            seed=self._seed(number),
            fps=self.fps,
            language=SIGN_LANGUAGES[self.signing],
        )
        return Recording(points=performance.points, layout=OPENPOSE_137, fps=performance.fps, size=(WIDTH, HEIGHT))

    def film(self, row: Row, *, step: int = 1) -> Film:
        """The clip as a square camera saw it; pictures are drawn as they are asked for."""
        return Drawn(self.pictures(row.id, size=CAMERA, step=step))

    def camera(self) -> Mapping[str, Any]:
        """How large pictures are, and the code that draws them."""
        return {"size": CAMERA, "rendering": RENDERING}

    def pictures(self, id: str, *, size: int, step: int = 1) -> Iterator[NDArray[np.uint8]]:
        """Every `step`-th frame of a clip as a square picture (size, size, 3), drawn from its points."""
        number = self._numbers[id]
        recording = self.record(self._entry(number, *self._meanings[number]))
        seen = look(signer=number % len(self._everyone), seed=self._seed(number))
        return (drawn(points, seen, size=(size, size)) for points in recording.points[::step])

    @cached_property
    def _meanings(self) -> list[tuple[Split, Meaning]]:
        return [
            (split, meaning) for split, size in self.sizes.items() for meaning in draw_split(split, size, self.seed)
        ]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {_id(number, *found): number for number, found in enumerate(self._meanings)}

    @cached_property
    def _everyone(self) -> Sequence[Signer]:
        return signers(self.signer_count, self.seed)

    def _signer(self, number: int) -> tuple[str, Signer]:
        who = number % len(self._everyone)
        return f"signer{who + 1:02d}", self._everyone[who]

    def _seed(self, number: int) -> int:
        """Of a clip's performance, and of its look."""
        return self.seed * 1_000_003 + number

    def _entry(self, number: int, split: Split, meaning: Meaning) -> Entry:
        return Entry(
            id=_id(number, split, meaning),
            split=split,
            signer=self._signer(number)[0],
            texts={code: tuple(render(meaning, code)) for code in self.languages},
            where=f"clip {number} of the toy world",
            tags=("held_out",) if meaning.held_out else (),
        )


def _id(number: int, split: Split, meaning: Meaning) -> str:
    return f"{split}-{number:05d}-{meaning.key}"
