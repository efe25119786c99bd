"""Teacher vectors, computed once: a frozen space gives the same vector for the same sentence, up to its last bits.

A vector is found by what decides it: the space, the language and the text. Any number of processes may read and fill
one cache together; one that is killed loses the chunk that it was computing, `CHUNK_TOKENS` tokens at most, and
nothing else. The last bits of a vector are those of the batch in which it was first computed: they depend on the
list that asked for it first.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.files import permitted
from sonar_slt.progress import counted
from sonar_slt.space.cache.segments import (
    CachedVectors,
    Segment,
    clear_drafts,
    open_segment,
    segment_names,
    write_segment,
)
from sonar_slt.space.cache.wanted import Numbers, Wanted, cut
from sonar_slt.space.inputs import sentences
from sonar_slt.space.sentence_space import SentenceSpace

log = logging.getLogger(__name__)

CHUNK_TOKENS = 8192
"""How many tokens are encoded between two writes, unless one sentence has more.

At SONAR's size, half a billion weights in the encoder's layers and two operations for each and every token, that is
8 * 10^12 operations: 80 seconds where 10^11 of them take a second.
"""

FASTER = 8
"""How many times as many on anything but a CPU."""

CLAIMS = 256
"""How many lock files there may be: two chunks that share one are filled one after the other."""

PAUSE = 0.1
"""Seconds between two looks at what another process is computing."""

SHOWN = 100
"""So many sentences are worth a progress bar."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The vectors of a list of sentences, and what it took to have them."""

    vectors: CachedVectors  # one row for each sentence of the list, in its order
    distinct: int
    there: int  # how many of the distinct ones lay in the cache before
    computed: int  # how many were computed now, by this process
    seconds: float


class VectorCache:
    """The vectors of one space on disk, in a folder of its own below `folder`."""

    def __init__(self, *, folder: str | Path, space: SentenceSpace) -> None:
        self.folder, self.space = (Path(folder) / space.vector_id).absolute(), space
        self._segments: dict[str, Segment] = {}
        self._damaged: set[str] = set()

    def encode(self, texts: Sequence[str], languages: str | Sequence[str]) -> Tensor:
        """Vectors (N, dim), float32 on the CPU, of as many sentences as fit into memory."""
        return self.vectors(texts, languages)[:]

    def vectors(self, texts: Sequence[str], languages: str | Sequence[str]) -> CachedVectors:
        """The same vectors left on disk: what is indexed is read."""
        return self.fill(texts, languages).vectors

    def fill(self, texts: Sequence[str], languages: str | Sequence[str]) -> Filled:
        """Compute what is missing; the vectors of all, and how many were where. No sentences have no vectors."""
        began = time.monotonic()
        if isinstance(texts, str) or len(texts):
            sentences(texts)  # every text is looked at before the first is encoded
        wanted = Wanted(texts, self.space.codes(languages, len(texts)))
        with self._permitted():
            self._look(wanted)
        there, computed = wanted.found, 0
        if there < len(wanted):
            if not self.space.has_encoder:
                raise UserError(
                    f"{len(wanted) - there:,} of {len(wanted):,} sentences have no vector in '{self.folder}', and the "
                    "space was opened without its encoder: `sonar-slt embed` with the same words computes them."
                )
            computed = self._compute(wanted)
        places = wanted.places[wanted.inverse]
        vectors = CachedVectors(folder=self.folder, names=list(self._segments), places=places, dim=self.space.dim)
        return Filled(vectors, len(wanted), there, computed, time.monotonic() - began)

    # --- what is there ------------------------------------------------------------------------------------------

    def _look(self, wanted: Wanted) -> None:
        """Take note of segments that appeared since the last look, and of the sentences that they hold."""
        for name in sorted(segment_names(self.folder) - self._segments.keys()):
            self._note(name)
        wanted.learn(list(self._segments.values()))

    def _note(self, name: str) -> None:
        try:
            self._segments[name] = open_segment(self.folder, name, self.space.dim)
        except ValueError as error:
            self._report(name, error)

    def _report(self, name: str, error: ValueError) -> None:
        if name not in self._damaged:
            self._damaged.add(name)
            log.warning(
                "Segment %s of the vector cache %s is damaged: %s. It is left out; its sentences are computed again "
                "when they are asked for, and its two files may be deleted.",
                *(name, self.folder, error),
            )

    # --- what is missing ----------------------------------------------------------------------------------------

    def _compute(self, wanted: Wanted) -> int:
        """Fill chunk by chunk, each claimed by a lock; how many sentences were computed here.

        The chunks depend on nothing but the list, so a job that goes on with the same list, and alone, computes the
        very batches it would have computed. Other lists have other batches, and vectors with other last bits.
        """
        computed, refused = 0, 0
        self._make_folders()
        waiting = deque(self._chunks(wanted))
        with counted("Encoding", len(wanted), shown=len(wanted) - wanted.found >= SHOWN) as done:
            shown = 0
            while waiting:
                done(wanted.found - shown)
                shown = wanted.found
                chunk = waiting.popleft()
                if not len(wanted.missing(chunk)):
                    continue
                with self._claimed(wanted, chunk) as mine:
                    if mine:
                        computed += self._fill_chunk(wanted, chunk)
                        refused = 0
                        continue
                waiting.append(chunk)
                refused += 1
                if refused >= len(waiting):  # others are at all that is left
                    time.sleep(PAUSE)
                    self._look(wanted)
                    refused = 0
            done(wanted.found - shown)
        if wanted.found < len(wanted):
            raise OSError(f"What was written to '{self.folder}' cannot be read back.")
        return computed

    def _fill_chunk(self, wanted: Wanted, chunk: Numbers) -> int:
        """Encode what a chunk lacks and keep it as a segment; how many sentences that were."""
        self._look(wanted)  # its last holder may have filled it
        missing = wanted.missing(chunk)
        if not len(missing):
            return 0
        vectors = self._encoded(wanted, missing)
        with self._permitted(), FileLock(self.folder / "locks" / "commit.lock"):
            self._look(wanted)
            kept = np.isin(missing, wanted.missing(missing))  # lists that overlap: another chunk may hold the rest
            if kept.any():
                # Its own segment is read back; what others wrote since is seen when it matters.
                self._note(write_segment(self.folder, wanted.keys[missing[kept]], vectors[kept]))
                wanted.learn(list(self._segments.values()))
        return int(kept.sum())

    def _encoded(self, wanted: Wanted, missing: Numbers) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self.space.encode(*wanted.sentences(missing)).float().cpu().numpy()
        return vectors

    def _chunks(self, wanted: Wanted) -> list[Numbers]:
        """All sentences, those that are there too, longest first, in chunks of so many tokens."""
        with counted("Measuring", len(wanted), shown=len(wanted) >= 100 * SHOWN) as done:
            for start in range(0, len(wanted), 4096):
                some = np.arange(start, min(start + 4096, len(wanted)))
                wanted.lengths[some] = self.space.tokens.lengths(wanted.sentences(some)[0])
                done(len(some))
        tokens = CHUNK_TOKENS * (1 if self.space.device.type == "cpu" else FASTER)
        return cut(np.argsort(-wanted.lengths, kind="stable"), wanted.lengths, tokens)

    # --- among others -------------------------------------------------------------------------------------------

    @contextmanager
    def _claimed(self, wanted: Wanted, chunk: Numbers) -> Iterator[bool]:
        """Whether this process may fill a chunk; a lock ends with the process that has it, its file means nothing."""
        number = int.from_bytes(hashlib.blake2b(wanted.keys[chunk].tobytes(), digest_size=4).digest()) % CLAIMS
        lock = FileLock(self.folder / "locks" / f"{number:03d}.lock")
        try:
            with self._permitted():
                lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _make_folders(self) -> None:
        with self._permitted():
            (self.folder / "locks").mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / "locks" / "commit.lock"):  # if it cannot be had, that is said before any work
                clear_drafts(self.folder)

    def _permitted(self) -> AbstractContextManager[None]:
        return permitted(
            lambda why: (
                f"No vector cache can be kept in '{self.folder}': {why}; make it writable, or "
                "choose another with paths.cache=FOLDER."
            )
        )
