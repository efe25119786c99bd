"""Clips and what they mean, batch by batch: the LightningDataModule that serves every sign corpus.

Every batch is a function of the seed and its number. A run that was stopped goes on with the very next batch, and the
number of workers changes nothing. Several processes have a batch together, each every so many-th clip of it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from sonar_slt.data.batch import ClipBatch, Sentences, Share
from sonar_slt.data.drawing import Drawing
from sonar_slt.data.layout import Layout
from sonar_slt.data.manifest import Manifest, Row
from sonar_slt.data.numbering import Numbering, checked
from sonar_slt.data.sampling import Every, Sampling
from sonar_slt.data.selection import Selection, digest, splits
from sonar_slt.data.slots import blank
from sonar_slt.data.sources import PICTURES, POINTS, Features, sources
from sonar_slt.data.store import ClipStore
from sonar_slt.data.stream import Streamed, loader
from sonar_slt.data.track import Track
from sonar_slt.data.view import All, Clip, View
from sonar_slt.errors import UserError
from sonar_slt.space.cache import CachedVectors, VectorCache
from sonar_slt.space.sentence_space import SentenceSpace
from sonar_slt.space.tokens import FlatRows, TokenBatch, pad_rows

FEW = 4
"""Clips with pictures in a sample: they take memory, and their statistics are known."""


class Corpus(Protocol):
    """A manifest and a clip store whose clips stand in the manifest's order."""

    @property
    def layout(self) -> Layout:
        """How the points of a frame are ordered."""

    @property
    def rows(self) -> Manifest:
        """The manifest."""

    @property
    def clips(self) -> ClipStore:
        """The points."""

    @property
    def homes(self) -> Mapping[str, Path]:
        """The prepared folder of each corpus that this one is made of, by what stands before its clips' ids."""

    @property
    def media(self) -> Mapping[str, str]:
        """A digest of the clips of each."""

    @property
    def pools(self) -> Sequence[range]:
        """The row numbers of each corpus that this one is made of."""

    @property
    def weights(self) -> Sequence[float] | None:
        """How often each of them is drawn from."""

    def prepare(self) -> None:
        """Bring all of it to disk unless it is there."""


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
        corpus: Corpus,
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
        self.sampling, self.view = sampling or Every(), view or All()
        self.targets, self.anchors = tuple(targets), tuple(anchors or targets)
        self.spoken = tuple(spoken or ())
        self.weights = _language_weights(self.targets, weights or {})
        self.unseen = tuple(code for code in unseen if code not in self.targets)
        space.require([*self.targets, *self.spoken, *self.anchors, *self.unseen])
        self.size, self.seed = size, seed
        corpus.prepare()
        self.sources = sources(corpus, reads, {"pictures": pictures, "spatial": spatial, "motion": motion})
        self.track_count = len(self.sources)
        self.rows, self.left_out = self._with_tracks(splits(corpus.rows, limit=limit, signer=signer))
        for split, what in (("train", "learnt from"), ("dev", "chosen by")):
            if not len(self.rows[split]):
                others = ", ".join(corpus.rows.splits) or "none"
                raise UserError(f"The corpus has no {split} clip to be {what}; its splits are {others}.")
        self.numbering = self._numbered()
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
        drawn = list(self.numbering)
        return self.cache.vectors([text for _, text in drawn], [code for code, _ in drawn])

    @property
    def train_vectors(self) -> CachedVectors:
        """The teacher's vectors of training sentences: all that a model may know of the space beforehand."""
        return self.vectors.first(self._trained)

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
            f"Corpus: {sizes} clips; {len(self.numbering)} sentences in {spoken}; manifest {self.digest}",
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
        target = said = self._drawn(numbers, self.targets, random)
        if self.spoken:
            said = self._drawn(numbers, self.spoken, random)
        anchor = self._drawn(numbers, self.anchors, random)
        longest = self._longest(numbers, frames) if training and dealt != (0, 1) else {}
        share = None if dealt == (0, 1) else Share(*dealt, len(rows), longest)
        own = share.places if share else slice(None)
        ids = tuple(map(self.corpus.rows.id, numbers[own]))
        named = list(zip(numbers[own], ids, frames[own], strict=True))
        return ClipBatch(
            ids,
            {name: _padded([self._seen(name, *clip) for clip in named]) for name in self.sources},
            Sentences(self._tokens(said[own]), self.vectors[target[own]]),
            Sentences(self._tokens(anchor[own]), self.vectors[anchor[own]]),
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
        return self._viewed(POINTS, np.asarray(self.corpus.clips[row.id]), row.id).astype(np.float32)

    def in_order(self, split: str) -> Iterator[ClipBatch]:
        """All clips of a split once, in the manifest's order, always with the same sentences."""
        return map(partial(self._piece, split), self._starts(split))

    def val_dataloader(self) -> DataLoader[ClipBatch]:
        """The dev split in order."""
        self.make_ready()
        return loader(partial(self._piece, "dev"), partial(iter, self._starts("dev")), workers=self.workers)

    def make_ready(self) -> None:
        """Look up vectors and tokens."""
        _ = self.vectors, self._ids

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

    def _longest(self, rows: Sequence[int], frames: Sequence[NDArray[np.int64]]) -> dict[str, int]:
        """The frames of the longest of some clips in each track."""
        named = [(row, self.corpus.rows.id(row), drawn) for row, drawn in zip(rows, frames, strict=True)]
        return {
            name: max(
                len(_at(drawn, int(self.corpus.rows.frames[row]), len(source.of(row, id)))) for row, id, drawn in named
            )
            for name, source in self.sources.items()
        }

    def _seen(self, track: str, row: int, name: str, frames: NDArray[np.int64]) -> NDArray[Any]:
        """The rows of a track at some frames of a clip."""
        stored = self.sources[track].of(row, name)
        return self._viewed(track, stored[_sliced(_at(frames, int(self.corpus.rows.frames[row]), len(stored)))], name)

    def _viewed(self, track: str, clip: NDArray[Any], name: str) -> NDArray[Any]:
        if isinstance(self.view, All):
            return clip
        seed = int(hashlib.blake2b(name.encode(), digest_size=8).hexdigest(), 16)
        layout = self.corpus.layout if track == POINTS else None
        return self.view(clip, layout, np.random.default_rng(seed))

    def _with_tracks(self, rows: Mapping[str, Selection]) -> tuple[dict[str, Selection], list[str]]:
        """The clips that every track has, and the ids of the others: extraction told what is wrong with them."""
        made = [one for one in self.sources.values() if isinstance(one, Features) and len(one) < len(self.corpus.rows)]
        if not made:
            return dict(rows), []
        lacking = {row.id for split in rows.values() for row in split if not all(row.id in one for one in made)}
        kept = {
            split: Selection(
                chosen.rows,
                np.array([n for n, row in zip(chosen.numbers, chosen, strict=True) if row.id not in lacking], np.int64),
            )
            for split, chosen in rows.items()
        }
        if lacking:
            some = ", ".join(sorted(lacking)[:5]) + (", …" if len(lacking) > 5 else "")
            print(f"{len(lacking)} clips have no features and are left out ({some}).", file=sys.stderr)
        return kept, sorted(lacking)

    def _pools(self) -> list[NDArray[np.int64]]:
        """The training clips of each corpus."""
        train = self.rows["train"].numbers
        pools = [train[(train >= pool.start) & (train < pool.stop)] for pool in self.corpus.pools]
        if self.corpus.weights is not None and not all(map(len, pools)):
            raise UserError("One of the corpora that are mixed has no training clip.")
        return pools

    # --- sentences ----------------------------------------------------------------------------------------------

    def _numbered(self) -> Numbering:
        """Every sentence that a batch may draw, those of training first; a clip or language without one is refused."""
        codes = list(dict.fromkeys((*self.targets, *self.spoken, *self.anchors)))
        train = self.rows["train"].numbers
        order = np.concatenate([rows.numbers for rows in self.rows.values()])
        numbering = Numbering(self.corpus.rows, order.tolist(), codes)
        self._trained = 1 + max(int(numbering.of(row, code).max(initial=-1)) for row in train for code in codes)
        for row in order:
            if not numbering.languages(row, self.targets):
                clip = self.corpus.rows[int(row)]
                raise UserError(
                    f"Clip {clip.id} has no sentence in {' or '.join(self.targets)}; the manifest has "
                    f"{', '.join(clip.languages) or 'none of it'}."
                )
        if silent := [code for code in self.targets if not numbering.has(code, train)]:
            known = ", ".join(dict.fromkeys(code for clip in self.rows["train"] for code in clip.languages))
            raise UserError(
                f"No training clip has a sentence in {silent[0]}, only in {known or 'none'}: choose languages=[…]."
            )
        for clip in (clip for rows in self.rows.values() for clip in rows):
            for code in self.unseen:
                checked(clip, code)
        return numbering

    def scorable(self, split: str) -> list[str]:
        """The target and unseen languages in which a split has sentences to compare with."""
        known = {code for row in self.rows[split] for code in row.languages}
        return [code for code in (*self.targets, *self.unseen) if code in known]

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
        """Every (language, text) whose vector a training asks for, or an evaluation in its target and unseen languages.

        An evaluation in any other language of the manifest computes its own, or needs that language in `unseen`.
        """
        judged = (
            (code, row.references(code)[0])
            for rows in self.rows.values()
            for row in rows
            for code in (*self.targets, *self.unseen)
            if row.references(code)
        )
        return list(dict.fromkeys([*self.numbering, *judged]))

    @cached_property
    def _ids(self) -> FlatRows:
        """What the decoder reads of each sentence; who only wants their vectors does not wait for it."""
        drawn = list(self.numbering)
        return self.space.tokens.flat_rows([text for _, text in drawn], [code for code, _ in drawn])

    def _drawn(self, rows: Sequence[int], languages: Sequence[str], random: Random) -> list[int]:
        """A sentence of each clip in one of the languages, or in a target language where it has none of them."""
        chosen = []
        for row in rows:
            known = self.numbering.languages(row, languages) or self.numbering.languages(row, self.targets)
            (code,) = random.choices(known, [self.weights.get(one, 1.0) for one in known])
            chosen.append(int(random.choice(self.numbering.of(row, code))))
        return chosen

    def _tokens(self, numbers: Sequence[int]) -> TokenBatch:
        """What the decoder reads of some sentences."""
        return pad_rows([self._ids[i] for i in numbers], self.space.tokens.pad)


def _language_weights(targets: Sequence[str], weights: Mapping[str, float]) -> dict[str, float]:
    """How often each target language is drawn beside the others; 1 where nothing is said."""
    if foreign := [code for code in weights if code not in targets]:
        raise UserError(f"languages.weights names {foreign[0]}, no target language: they are {', '.join(targets)}.")
    if wrong := [code for code, weight in weights.items() if not 0 < weight < float("inf")]:
        raise UserError(f"languages.weights.{wrong[0]}={weights[wrong[0]]}: expected a number above 0.")
    return {code: float(weights.get(code, 1.0)) for code in targets}


def _padded(clips: Sequence[NDArray[Any]]) -> Track:
    """Clips (time, ...) side by side, zeros behind the shorter ones."""
    values = blank((len(clips), max(map(len, clips)), *clips[0].shape[1:]), clips[0].dtype)
    mask = torch.zeros(values.shape[:2], dtype=torch.bool)
    for place, (clip, filled) in enumerate(zip(clips, values.numpy(), strict=True)):
        filled[: len(clip)] = clip
        filled[len(clip) :] = 0
        mask[place, : len(clip)] = True
    return Track(values, mask)


def _at(frames: NDArray[np.int64], of: int, rows: int) -> NDArray[np.int64]:
    """The rows of a track of `rows` that lie at some frames of a clip of `of`: each once, in order."""
    return frames if rows == of else np.unique((2 * frames + 1) * rows // (2 * of))


def _sliced(frames: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """Evenly spaced frames as a slice, which copies nothing."""
    step = int(frames[1] - frames[0]) if len(frames) > 1 else 1
    if step < 1 or (np.diff(frames) != step).any():
        return frames
    return slice(int(frames[0]), int(frames[-1]) + 1, step)
