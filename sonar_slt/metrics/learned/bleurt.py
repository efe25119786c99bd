"""BLEURT-20: what a model that learned from people's ratings says of each hypothesis beside its reference.

The checkpoint is that of the public PyTorch port, in a local folder; nothing is fetched. What was scored once is kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sonar_slt.errors import UserError
from sonar_slt.metrics.learned.bleurt_shape import MEANT, read_shape
from sonar_slt.metrics.learned.bleurt_tokens import (
    PairRow,
    Vocabulary,
    framed,
    open_vocabulary,
    require_vocabulary,
)
from sonar_slt.metrics.learned.memory import PairMemory
from sonar_slt.metrics.learned.pairs import LearnedMetric, Pair

if TYPE_CHECKING:
    from sonar_slt.metrics.learned.bleurt_model import OpenedModel

log = logging.getLogger(__name__)

VERSION = 1
"""Of this computation: it counts up when a value may change, and with it the file that scores are kept in."""

WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class Bleurt(LearnedMetric):
    """BLEURT by a local checkpoint, about 0 for nonsense and 1 for the reference; in fp32, on the GPU if there is one.

    `cache` is the folder where the scores of pairs are kept. A pair is cut at `max_tokens`. Of several references the
    best counts. The folder is looked at when the metric is made, its weights are read when something is scored.
    """

    name = "bleurt"

    def __init__(
        self, *, folder: str | None = None, cache: str | None = None, max_tokens: int = 512, batch_tokens: int = 8192
    ) -> None:
        if not folder:
            raise UserError(f"metrics.bleurt.folder=null: {MEANT}")
        self.folder, self.cache = Path(folder).expanduser(), cache
        self.shape = read_shape(self.folder)
        self.title = self.shape.name
        require_vocabulary(self.folder)
        self.weights = self._weights()
        most = self.shape.max_position_embeddings
        if not 8 <= max_tokens <= most:
            raise UserError(f"metrics.bleurt.max_tokens={max_tokens}: expected 8 to {most}, which '{folder}' reads.")
        if batch_tokens < 1:
            raise UserError(f"metrics.bleurt.batch_tokens={batch_tokens}: expected a number of tokens, at least 1.")
        self.max_tokens, self.batch_tokens = max_tokens, batch_tokens

    @property
    def signature(self) -> str:
        """What decides the value."""
        weights = self._opened.fingerprint[:8]
        return f"model:{self.title}|weights:{weights}|tokens:{self.max_tokens}|refs:best|version:{VERSION}"

    def _weights(self) -> Path:
        path = next((self.folder / name for name in WEIGHTS if (self.folder / name).is_file()), None)
        if path is None:
            raise UserError(f"metrics.bleurt.folder={self.folder}: it has no {' or '.join(WEIGHTS)}; {MEANT}")
        return path

    @cached_property
    def _opened(self) -> OpenedModel:
        import torch

        from sonar_slt.metrics.learned.bleurt_model import open_model

        return open_model(self.weights, self.shape, torch.device("cuda" if torch.cuda.is_available() else "cpu"))

    @cached_property
    def _words(self) -> tuple[Vocabulary, str]:
        return open_vocabulary(self.folder)

    @cached_property
    def _memory(self) -> PairMemory | None:
        """The scores of exactly this computation: its weights, its vocabulary, its shape and where it cuts."""
        if self.cache is None:
            return None
        decides = [self._opened.fingerprint, self._words[1], asdict(self.shape), self.max_tokens, VERSION]
        identity = hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]
        return PairMemory(folder=self.cache, identity=identity, key="metrics.bleurt.cache")

    def known(self, pairs: Sequence[Pair]) -> dict[Pair, float]:
        """The scores that are kept."""
        return self._memory.known(pairs) if self._memory else {}

    def said(self, pairs: Sequence[Pair], references: Sequence[Sequence[str]]) -> Iterator[dict[Pair, float]]:
        """Batch after batch, longest first, each kept; what stands beside a pair changes roundings alone."""
        from sonar_slt.space.tokens import by_length

        rows = self._rows(pairs)
        for batch in by_length([row.ids for row in rows], self.batch_tokens):
            scores = self._opened.scores([rows[number] for number in batch])
            if not all(map(math.isfinite, scores)):
                raise UserError(f"'{self.weights}' says no number of some pairs: it is damaged, copy it again.")
            found = {pairs[number]: score for number, score in zip(batch, scores, strict=True)}
            if self._memory:
                self._memory.keep(found)
            yield found

    def _rows(self, pairs: Sequence[Pair]) -> list[PairRow]:
        words, _ = self._words
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        ids = dict(zip(texts, words.ids(texts), strict=True))
        rows = [framed(ids[reference], ids[said], words, self.max_tokens) for reference, said in pairs]
        if cut := sum(row.cut for row in rows):
            log.warning("%s: %d of %d pairs were cut at %d tokens", self.title, cut, len(rows), self.max_tokens)
        return rows
