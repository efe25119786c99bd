"""The toy corpus: clips of the toy world, generated once, stored like any other corpus, named by what made them."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from filelock import FileLock
from rich.progress import track

from sonar_slt.data import manifest, store
from sonar_slt.data.corpora.toy.meaning import Meaning, Split, draw_split
from sonar_slt.data.corpora.toy.sentences import LANGUAGES, render
from sonar_slt.data.corpora.toy.signing import perform, signers
from sonar_slt.data.layout import OPENPOSE_137, Layout
from sonar_slt.data.normalise import by_signer
from sonar_slt.errors import UserError
from sonar_slt.runs.provenance import source_hash

log = logging.getLogger(__name__)

SOURCES = ("data/layout.py", "data/normalise.py", "data/corpora/toy")
"""What decides how a clip looks and what it says; a change there makes another corpus."""


class ToyCorpus:
    """`train`, `dev` and `test` clips of distinct meanings; held-out meanings never occur in training."""

    def __init__(
        self,
        *,
        folder: str | Path,
        train: int = 3000,
        dev: int = 200,
        test: int = 500,
        signer_count: int = 9,
        seed: int = 0,
        languages: Sequence[str] = LANGUAGES,
    ) -> None:
        self.sizes: dict[Split, int] = {"train": train, "dev": dev, "test": test}
        for name, size in self.sizes.items():
            if size < 1:
                raise UserError(f"data.corpus.{name}={size}: every split of the toy corpus needs at least one clip.")
        self.signer_count, self.seed, self.languages = signer_count, seed, tuple(languages)
        self.folder = Path(folder) / f"toy-{self.fingerprint}"

    @property
    def layout(self) -> Layout:
        """How the points of a frame are ordered."""
        return OPENPOSE_137

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the generator and of everything it was asked for."""
        asked = [source_hash(*SOURCES), self.sizes, self.signer_count, self.seed, self.languages]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]

    def prepare(self) -> None:
        """Generate the clips unless they lie there already; the folder appears whole or not at all."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.folder}.lock"):
            if (self.folder / "manifest.jsonl").is_file():
                return
            log.info("Generating the toy corpus: %d clips in %s", sum(self.sizes.values()), self.folder)
            rows: list[manifest.Row] = []
            store.write(
                self.folder / "clips",
                self._clips(rows),
                layout=self.layout.name,
                normalised="signer",
                points=self.layout.points,
            )
            manifest.write(self.folder / "manifest.jsonl", rows)

    @cached_property
    def rows(self) -> list[manifest.Row]:
        """The manifest."""
        return manifest.read(self.folder / "manifest.jsonl")

    @cached_property
    def clips(self) -> store.ClipStore:
        """The clip store."""
        return store.ClipStore(self.folder / "clips")

    def _clips(self, rows: list[manifest.Row]) -> Iterator[tuple[str, store.Points]]:
        everyone = signers(self.signer_count, self.seed)
        meanings: list[tuple[Split, Meaning]] = [
            (split, meaning) for split, size in self.sizes.items() for meaning in draw_split(split, size, self.seed)
        ]
        for number, (split, meaning) in enumerate(track(meanings, description="Signing")):
            who = number % len(everyone)
            performance = perform(meaning, signer=everyone[who], seed=self.seed * 1_000_003 + number)
            clip = f"{split}-{number:05d}-{meaning.key}"
            rows.append(
                manifest.Row(
                    id=clip,
                    split=split,
                    signer=f"signer{who + 1:02d}",
                    frames=len(performance.points),
                    fps=performance.fps,
                    texts={code: render(meaning, code) for code in self.languages},
                    held_out=meaning.held_out,
                )
            )
            yield clip, by_signer(performance.points, self.layout).astype(np.float16)
