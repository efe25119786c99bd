"""Clips and what they mean, batch by batch: the LightningDataModule that serves every sign corpus.

Every batch is a function of the seed and its number. A run that was stopped goes on with the very next batch, and the
number of workers changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Protocol

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from sonar_slt.data.layout import Layout
from sonar_slt.data.manifest import Row, digest
from sonar_slt.data.store import ClipStore
from sonar_slt.data.stream import loader
from sonar_slt.data.view import Clip, View
from sonar_slt.errors import UserError
from sonar_slt.space import inputs
from sonar_slt.space.cache import CachedVectors, VectorCache
from sonar_slt.space.sentence_space import SentenceSpace
from sonar_slt.space.tokens import FlatRows, TokenBatch, pad_rows

TOGETHER = 8
"""How many batches are drawn at once to be sorted by length, so that little is padding."""

MEASURED = 2**16
"""How many vectors at most a mean is taken of: its standard error is then 0.4 % of their spread."""

BLOCK = 4096
"""How many of them are in memory at once."""


class Corpus(Protocol):
    """A manifest and a clip store."""

    layout: Layout
    rows: Sequence[Row]
    clips: ClipStore

    def prepare(self) -> None:
        """Bring both to disk unless they are there."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """Sentences as the decoder reads them and as the teacher sees them."""

    tokens: TokenBatch
    vectors: Tensor  # (batch, dim) the teacher's vector of each sentence

    def to(self, device: Any) -> Sentences:
        """The same on another device."""
        return Sentences(self.tokens.to(device), self.vectors.to(device))


@dataclass(frozen=True, slots=True)
class ClipBatch:
    """Padded clips, what each should say, and a sentence in whose vector the decoder is anchored."""

    ids: tuple[str, ...]
    clip: Tensor  # (batch, time, points, 3)
    mask: Tensor  # (batch, time) True at real frames
    target: Sentences
    anchor: Sentences

    def to(self, device: Any) -> ClipBatch:
        """The same on another device."""
        return ClipBatch(
            self.ids, self.clip.to(device), self.mask.to(device), self.target.to(device), self.anchor.to(device)
        )


class Clips(pl.LightningDataModule):
    """Clips of one corpus with sentences in the target languages, and the teacher's vectors of those sentences."""

    def __init__(
        self,
        *,
        corpus: Corpus,
        space: SentenceSpace,
        targets: Sequence[str],
        anchors: Sequence[str] | None = None,
        unseen: Sequence[str] = (),
        view: View,
        every: int = 1,
        cache: str | Path,
        batch_size: int = 32,
        limit: int | None = None,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if min(batch_size, every, 1 if limit is None else limit) < 1:
            raise UserError(f"data.batch_size={batch_size} data.every={every} data.limit={limit}: each is at least 1.")
        self.corpus, self.space, self.view = corpus, space, view
        self.targets, self.anchors = tuple(targets), tuple(anchors or targets)
        self.unseen = tuple(code for code in unseen if code not in self.targets)
        if not self.targets:
            raise UserError("No target language: give `languages=[deu_Latn]` or more.")
        space.require([*self.targets, *self.anchors, *self.unseen])
        self.batch_size, self.every, self.workers, self.seed = batch_size, every, workers, seed
        corpus.prepare()
        if corpus.clips.layout != corpus.layout.name:
            raise UserError(f"The clip store holds {corpus.clips.layout} points; {corpus.layout.name} was expected.")
        self.rows = {split: [row for row in corpus.rows if row.split == split] for split in ("train", "dev", "test")}
        self.rows["train"] = self.rows["train"][:limit]
        self._check_texts()
        self.cache = VectorCache(folder=cache, space=space)
        self.texts = self._drawable()
        self._group: tuple[int, list[list[Row]]] | None = None

    @property
    def points(self) -> int:
        """How many points a frame has."""
        return self.corpus.layout.points

    @property
    def digest(self) -> str:
        """A hash of all rows."""
        return digest([row for rows in self.rows.values() for row in rows])

    @cached_property
    def vectors(self) -> CachedVectors:
        """The teacher's vector of each of `texts`, on disk; those that the cache lacks are computed first."""
        return self.cache.vectors([text for _, text in self.texts], [code for code, _ in self.texts])

    @property
    def train_vectors(self) -> CachedVectors:
        """The teacher's vectors of training sentences: all that a model may know of the space beforehand."""
        return self.vectors.first(self._trained)

    def described(self, batch: ClipBatch) -> list[str]:
        """The corpus and one batch in a few lines."""
        sizes = ", ".join(f"{len(rows)} {split}" for split, rows in self.rows.items())
        return [
            f"Corpus: {sizes} clips; {len(self.texts)} sentences in {', '.join(self.targets)}; manifest {self.digest}",
            f"Batch: clip {tuple(batch.clip.shape)} (clips, frames, points, x y confidence), "
            f"{batch.mask.float().mean():.0%} real frames; target tokens {tuple(batch.target.tokens.ids.shape)}; "
            f"vectors {tuple(batch.target.vectors.shape)}",
        ]

    # --- batches ------------------------------------------------------------------------------------------------

    def batch(self, number: int) -> ClipBatch:
        """The training batch of one step."""
        per_epoch = max(1, len(self.rows["train"]) // self.batch_size)
        epoch, position = divmod(number, per_epoch)
        if self._group is None or self._group[0] != epoch:
            self._group = (epoch, self._epoch(epoch, per_epoch))
        random = Random(f"{self.seed}-{number}")
        return self.collate(self._group[1][position], random, phase=random.randrange(self.every))

    def collate(self, rows: Sequence[Row], random: Random, *, phase: int = 0) -> ClipBatch:
        """Rows to a padded batch of every so many-th frame; `random` draws each clip's language and sentence."""
        shown = [self.shown(row, phase=phase, every=self.every) for row in rows]
        clip = np.zeros((len(rows), max(len(points) for points in shown), self.points, 3), dtype=np.float32)
        mask = torch.zeros(clip.shape[:2], dtype=torch.bool)
        for i, points in enumerate(shown):
            clip[i, : len(points)] = points
            mask[i, : len(points)] = True
        target, anchor = self._drawn(rows, self.targets, random), self._drawn(rows, self.anchors, random)
        return ClipBatch(tuple(row.id for row in rows), torch.from_numpy(clip), mask, target, anchor)

    def sample(self, size: int = 128) -> Tensor:
        """Some training clips (clips, time, points, 3), padded with missing points: enough to know their statistics."""
        rows = self.rows["train"][:: max(1, len(self.rows["train"]) // size)][:size]
        return self.collate(rows, Random("sample")).clip

    def shown(self, row: Row, *, phase: int = 0, every: int = 1) -> Clip:
        """What the model may see of a clip, or of every so many-th frame of it: (frames, points, 3)."""
        seed = int(hashlib.blake2b(row.id.encode(), digest_size=8).hexdigest(), 16)
        stored = self.corpus.clips[row.id]
        points = stored[min(phase, len(stored) - 1) :: every].astype(np.float32)  # a clip of one frame keeps it
        return self.view(points, self.corpus.layout, np.random.default_rng(seed))

    def in_order(self, split: str) -> Iterator[ClipBatch]:
        """All clips of a split once, in the manifest's order, always with the same sentences."""
        rows = self.rows[split]
        for start in range(0, len(rows), self.batch_size):
            yield self.collate(rows[start : start + self.batch_size], Random(f"{split}-{start}"))

    def train_dataloader(self) -> DataLoader[ClipBatch]:
        """Training batches from the current step on, without end."""
        self._make_ready()
        first = self.trainer.global_step if self.trainer else 0
        return loader(lambda: map(self.batch, count(first)), workers=self.workers)

    def val_dataloader(self) -> DataLoader[ClipBatch]:
        """The dev split in order."""
        self._make_ready()
        return loader(lambda: self.in_order("dev"))

    def _make_ready(self) -> None:
        """Look up vectors and tokens here: each worker would do it again."""
        _ = self.vectors, self._ids

    def _epoch(self, epoch: int, per_epoch: int) -> list[list[Row]]:
        random = Random(f"{self.seed}-epoch-{epoch}")
        rows = random.sample(self.rows["train"], len(self.rows["train"]))
        batches: list[list[Row]] = []
        for start in range(0, len(rows), TOGETHER * self.batch_size):
            near = sorted(rows[start : start + TOGETHER * self.batch_size], key=lambda row: row.frames)
            batches += [near[i : i + self.batch_size] for i in range(0, len(near), self.batch_size)]
        random.shuffle(batches)
        return batches[:per_epoch]

    def scorable(self, split: str) -> list[str]:
        """The target and unseen languages in which a split has sentences to compare with."""
        known = {code for row in self.rows[split] for code, texts in row.texts.items() if texts}
        return [code for code in (*self.targets, *self.unseen) if code in known]

    def require(self, split: str, languages: Sequence[str]) -> None:
        """Refuse a split that is not there, and languages in which it has nothing to compare with."""
        if split not in self.rows:
            raise UserError(f"No split '{split}': the corpus has {', '.join(self.rows)}.")
        self.space.require(languages)
        known = dict.fromkeys(code for row in self.rows[split] for code in row.texts)
        for code in languages:
            if code not in known:
                raise UserError(f"No sentence of the {split} split is in {code}: the manifest has {', '.join(known)}.")

    # --- sentences ----------------------------------------------------------------------------------------------

    def _check_texts(self) -> None:
        required = dict.fromkeys((*self.targets, *self.anchors))
        codes = required | dict.fromkeys(self.unseen)
        for row in (row for rows in self.rows.values() for row in rows):
            for code in codes:
                if row.texts.get(code):
                    try:
                        inputs.sentences(row.texts[code])
                    except UserError as error:
                        raise UserError(f"Clip {row.id} in {code}: {error}") from error
                elif code in required:
                    known = ", ".join(row.texts)
                    raise UserError(f"Clip {row.id} has no sentence in {code}; the manifest has {known}.")
        if not self.rows["train"]:
            raise UserError("The corpus has no training clip.")

    def sentences(self) -> list[tuple[str, str]]:
        """Every (language, text) whose vector a training asks for, or an evaluation in its target and unseen languages.

        An evaluation in any other language of the manifest computes its own, or needs that language in `unseen`.
        """
        judged = (
            (code, row.texts[code][0])
            for rows in self.rows.values()
            for row in rows
            for code in (*self.targets, *self.unseen)
            if row.texts.get(code)
        )
        return list(dict.fromkeys([*self.texts, *judged]))

    def _drawable(self) -> dict[tuple[str, str], int]:
        """A number for every sentence that a batch may draw; those of training come first."""
        codes = dict.fromkeys((*self.targets, *self.anchors))
        seen: dict[tuple[str, str], None] = {}
        for split in ("train", "dev", "test"):
            seen |= dict.fromkeys(
                (code, text) for row in self.rows[split] for code in codes for text in row.texts[code]
            )
            if split == "train":
                self._trained = len(seen)
        return {sentence: i for i, sentence in enumerate(seen)}

    @cached_property
    def _ids(self) -> FlatRows:
        """What the decoder reads of each of `texts`; who only wants their vectors does not wait for it."""
        return self.space.tokens.flat_rows([text for _, text in self.texts], [code for code, _ in self.texts])

    def _drawn(self, rows: Sequence[Row], languages: Sequence[str], random: Random) -> Sentences:
        codes = [random.choice(languages) for _ in rows]
        chosen = [self.texts[code, random.choice(row.texts[code])] for row, code in zip(rows, codes, strict=True)]
        return Sentences(pad_rows([self._ids[i] for i in chosen], self.space.tokens.pad), self.vectors[chosen])


def mean_and_spread(vectors: Tensor | CachedVectors) -> Mapping[str, Tensor]:
    """Where teacher vectors lie on average, and how far from it, per dimension: where an adapter starts.

    Of many vectors some are drawn, always the same, and read in their order, block by block.
    """
    drawn = np.arange(len(vectors))
    if len(drawn) > MEASURED:  # every so many-th would often be of one language: a clip's sentences follow each other
        drawn = np.sort(np.random.default_rng(0).choice(drawn, MEASURED, replace=False))
    number, mean, squares = 0, torch.zeros(()), torch.zeros(())
    for start in range(0, len(drawn), BLOCK):
        block = vectors[torch.from_numpy(drawn[start : start + BLOCK])].double()
        number += len(block)
        before, mean = mean, mean + (block - mean).sum(dim=0) / number
        squares = squares + ((block - before) * (block - mean)).sum(dim=0)
    return {"vector_mean": mean.float(), "vector_std": (squares / max(1, number - 1)).sqrt().float().clamp_min(1e-8)}
