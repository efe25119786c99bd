"""Clips and what they mean, batch by batch: the LightningDataModule that serves every sign corpus.

Every batch is a function of the seed and its number. A run that was stopped goes on with the very next batch, and the
number of workers changes nothing. Several processes have a batch together, each every so many-th clip of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from sonar_slt.data.batches.batch import ClipBatch, Sentences, Share
from sonar_slt.data.batches.clip_sentences import ClipSentences, language_weights
from sonar_slt.data.batches.clip_tracks import ClipTracks
from sonar_slt.data.batches.drawing import Drawing
from sonar_slt.data.batches.selection import digest, selections
from sonar_slt.data.batches.stream import Streamed, loader
from sonar_slt.data.layout import Layout
from sonar_slt.data.manifest import Row
from sonar_slt.data.sampling import Every, Sampling
from sonar_slt.data.served import Served
from sonar_slt.data.sources import PICTURES, POINTS, Features, sources
from sonar_slt.data.track import Track
from sonar_slt.data.view import All, Clip, View
from sonar_slt.errors import UserError
from sonar_slt.space.cache import CachedVectors, VectorCache
from sonar_slt.space.sentence_space import SentenceSpace

FEW = 4
"""Clips with pictures in a sample: they take memory, and their statistics are known."""


class Clips(Streamed[ClipBatch]):
    """Clips of a corpus with sentences in the target languages, and the teacher's vectors of those sentences.

    Of each clip one sentence in one target language is drawn per step, that language as often as `weights` say among
    those that the clip has. The decoder is to say that very sentence, or one in a language of `spoken`, drawn apart.

    `reads` are the tracks that the adapter would like; those that the corpus has are served. `pictures`, `spatial` and
    `motion` name the extracted features where there are several of a track.
    """

    def __init__(
        self,
        *,
        corpus: Served,
        space: SentenceSpace,
        targets: Sequence[str],
        weights: Mapping[str, float] | None = None,
        spoken: Sequence[str] | None = None,
        reads: Sequence[str] = (POINTS,),
        pictures: str | None = None,
        spatial: str | None = None,
        motion: str | None = None,
        anchors: Sequence[str] | None = None,
        unseen: Sequence[str] = (),
        sampling: Sampling | None = None,
        view: View | None = None,
        cache: str | Path,
        size: int = 32,
        frames: int | None = None,
        limit: int | None = None,
        signer: str | None = None,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(workers=workers)
        if limit is not None and limit < 1:
            raise UserError(f"batches.limit={limit}: a training has at least one clip.")
        if not targets:
            raise UserError("No target language: give `languages=[deu_Latn]` or more.")
        self.corpus, self.space = corpus, space
        self.sampling = sampling or Every()
        self.targets, self.anchors = tuple(targets), tuple(anchors or targets)
        self.spoken = tuple(spoken or ())
        weighed = language_weights(self.targets, weights or {})
        self.unseen = tuple(code for code in unseen if code not in self.targets)
        space.require([*self.targets, *self.spoken, *self.anchors, *self.unseen])
        self.size, self.seed = size, seed
        corpus.prepare()
        self.sources = sources(corpus, reads, {"pictures": pictures, "spatial": spatial, "motion": motion})
        self.track_count = len(self.sources)
        self.seen = ClipTracks(corpus=corpus, sources=self.sources, view=view or All())
        self.rows, self.left_out = self.seen.complete(selections(corpus.rows, limit=limit, signer=signer))
        for split, what in (("train", "learnt from"), ("dev", "chosen by")):
            if not len(self.rows[split]):
                others = ", ".join(corpus.rows.splits) or "none"
                raise UserError(f"The corpus has no {split} clip to be {what}; its splits are {others}.")
        self.said = ClipSentences(
            rows=corpus.rows,
            splits=self.rows,
            space=space,
            targets=self.targets,
            spoken=self.spoken,
            anchors=self.anchors,
            unseen=self.unseen,
            weights=weighed,
        )
        self.frames, self.dealt = frames, (0, 1)
        self.drawing = self._drawing()
        self.cache = VectorCache(folder=cache, space=space)

    @property
    def roots(self) -> tuple[int, ...]:
        """The point that each point is seen from; none where no points are read."""
        return self.corpus.layout.roots if POINTS in self.sources else ()

    @property
    def layout(self) -> Layout | None:
        """How the points of a frame are ordered; None where no points are read."""
        return self.corpus.layout if POINTS in self.sources else None

    @cached_property
    def digest(self) -> str:
        """A hash of all rows and of their splits."""
        return digest(self.corpus.rows, self.rows)

    @cached_property
    def vectors(self) -> CachedVectors:
        """The teacher's vector of each sentence that a batch may draw; what the cache lacks is computed first."""
        drawn = list(self.said.numbering)
        return self.cache.vectors([text for _, text in drawn], [code for code, _ in drawn])

    @property
    def train_vectors(self) -> CachedVectors:
        """The teacher's vectors of training sentences: all that a model may know of the space beforehand."""
        return self.vectors.first(self.said.trained)

    def described(self, batch: ClipBatch) -> list[str]:
        """The corpus and one batch in a few lines."""
        sizes = ", ".join(f"{len(rows)} {split}" for split, rows in self.rows.items())
        spoken = ", ".join(self.targets)
        made = {name: source.names for name, source in self.sources.items() if isinstance(source, Features)}
        tracks = [
            f"Batch: {name} {tuple(track.values.shape)} (clips, frames, …), {track.mask.float().mean():.0%} real frames"
            for name, track in batch.tracks.items()
        ]
        return [
            f"Corpus: {sizes} clips; {len(self.said.numbering)} sentences in {spoken}; manifest {self.digest}",
            *(f"Features: {name} {names}" for name, names in made.items()),
            *([f"Left out for lack of features: {len(self.left_out)} clips"] if self.left_out else []),
            *tracks,
            f"Batch: target tokens {tuple(batch.target.tokens.ids.shape)}; vectors {tuple(batch.target.vectors.shape)}",
        ]

    # --- batches ------------------------------------------------------------------------------------------------

    def setup(self, stage: str) -> None:
        """Of several processes each has its share of every batch, which is as much larger."""
        if self.trainer is not None and (dealt := (self.trainer.global_rank, self.trainer.world_size)) != self.dealt:
            self.dealt = dealt
            self.drawing = self._drawing()

    def batch(self, number: int) -> ClipBatch:
        """The training batch of one step, or this process's share of it."""
        rows, random = self.drawing.batch(number), Random(f"{self.seed}-{number}")
        return self.collate(rows, random, training=True, dealt=self.dealt)

    def collate(
        self, rows: NDArray[np.int64], random: Random, *, training: bool = False, dealt: tuple[int, int] = (0, 1)
    ) -> ClipBatch:
        """Rows to a padded batch; `random` draws each clip's language and sentence and, in training, its frames.

        `dealt` (process, of so many) leaves a process its share of the rows, with what is drawn for them in the whole.
        """
        numbers = [int(row) for row in rows]
        frames = [self.sampling(int(self.corpus.rows.frames[row]), random if training else None) for row in numbers]
        target = said = self.said.drawn(numbers, self.targets, random)
        if self.spoken:
            said = self.said.drawn(numbers, self.spoken, random)
        anchor = self.said.drawn(numbers, self.anchors, random)
        longest = self.seen.longest(numbers, frames) if training and dealt != (0, 1) else {}
        share = None if dealt == (0, 1) else Share(*dealt, len(rows), longest)
        own = share.places if share else slice(None)
        ids = tuple(map(self.corpus.rows.id, numbers[own]))
        return ClipBatch(
            ids,
            self.seen.at(numbers[own], ids, frames[own]),
            Sentences(self.said.tokens(said[own]), self.vectors[target[own]]),
            Sentences(self.said.tokens(anchor[own]), self.vectors[anchor[own]]),
            share,
        )

    def samples(self, size: int = 128) -> Mapping[str, Track]:
        """Some training clips of each track, padded with zeros: enough to know their statistics."""
        rows = self.rows["train"].numbers
        size = FEW if PICTURES in self.sources else size
        spread = np.linspace(0, len(rows) - 1, min(size, len(rows))).round().astype(int)
        return self.collate(rows[spread], Random("sample")).to("cpu").tracks

    def shown(self, row: Row) -> Clip:
        """What may be seen of a clip's points, every frame of them: (frames, points, 3)."""
        return self.seen.shown(row)

    def in_order(self, split: str) -> Iterator[ClipBatch]:
        """All clips of a split once, in the manifest's order, always with the same sentences."""
        return map(partial(self._piece, split), self._starts(split))

    def val_dataloader(self) -> DataLoader[ClipBatch]:
        """The dev split in order."""
        self.make_ready()
        return loader(partial(self._piece, "dev"), partial(iter, self._starts("dev")), workers=self.workers)

    def make_ready(self) -> None:
        """Look up vectors and tokens."""
        _ = self.vectors, self.said.ids

    def _starts(self, split: str) -> range:
        """Where the pieces of a split begin; each process has its share of every piece."""
        return range(0, len(self.rows[split]), self.size * self.dealt[1])

    def _piece(self, split: str, start: int) -> ClipBatch:
        """The clips of a split from one on."""
        rows = self.rows[split].numbers[start : start + self.size * self.dealt[1]]
        return self.collate(rows, Random(f"{split}-{start}"), dealt=self.dealt)

    def _numbers(self) -> Iterator[int]:
        """The numbers of the batches from now on, the same in every process: each has its share of all."""
        return count(self._given())

    def _drawing(self) -> Drawing:
        """The order of the training clips, in batches for all processes together."""
        return Drawing(
            pools=self._pools(),
            lengths=self.sampling.longest(self.corpus.rows.frames),
            weights=self.corpus.weights,
            size=self.size * self.dealt[1],
            frames=None if self.frames is None else self.frames * self.dealt[1],
            seed=self.seed,
        )

    def _pools(self) -> list[NDArray[np.int64]]:
        """The training clips of each corpus."""
        train = self.rows["train"].numbers
        pools = [train[(train >= pool.start) & (train < pool.stop)] for pool in self.corpus.pools]
        if self.corpus.weights is not None and not all(map(len, pools)):
            raise UserError("One of the corpora that are mixed has no training clip.")
        return pools

    # --- languages ----------------------------------------------------------------------------------------------

    def scorable(self, split: str) -> list[str]:
        """The target and unseen languages in which a split has sentences to compare with."""
        return self.said.scorable(self.rows[split])

    def require(self, split: str, languages: Sequence[str]) -> None:
        """Refuse a split that is not there, and languages in which it has nothing to compare with."""
        if split not in self.rows:
            raise UserError(f"No split '{split}': the corpus has {', '.join(self.rows)}.")
        self.space.require(languages)
        if not len(self.rows[split]):
            raise UserError(f"The corpus has no clip of the split {split}.")
        known = dict.fromkeys(code for row in self.rows[split] for code in row.languages)
        for code in languages:
            if code not in known:
                raise UserError(f"No sentence of the {split} split is in {code}: the manifest has {', '.join(known)}.")

    def sentences(self) -> list[tuple[str, str]]:
        """Every (language, text) whose vector a training asks for, or an evaluation in its languages."""
        return self.said.asked(self.rows)
