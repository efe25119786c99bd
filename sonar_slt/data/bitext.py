"""Sentence pairs for training a text space, drawn endlessly: translations, or in one language two ways to say the same.

Every batch is a function of the seed and its number, so a run that was stopped goes on with the very next batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from sonar_slt.data.batches.stream import Streamed
from sonar_slt.data.held_out import HeldOut
from sonar_slt.errors import UserError
from sonar_slt.space.fresh import train_tokenizer
from sonar_slt.space.tokens import SentenceTokens, TokenBatch

TOGETHER = 16
"""How many batches are drawn at once to be sorted by length."""


class SentenceSource(Protocol):
    """A corpus that can say the same thing in several languages."""

    languages: Sequence[str]

    def pair(self, random: Random, languages: Sequence[str]) -> tuple[str, str]:
        """One training meaning, said in two languages; in two ways where they are the same."""

    def sample(self, random: Random, language: str) -> str:
        """One training sentence."""

    def held_out(self, size: int) -> HeldOut:
        """Sentences that training never draws."""


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Sentences and their translations, row by row."""

    source: TokenBatch
    target: TokenBatch

    def __len__(self) -> int:
        return len(self.source)

    def to(self, device: Any) -> PairBatch:
        """The same batch on another device."""
        return PairBatch(self.source.to(device), self.target.to(device))


class Bitext(Streamed[PairBatch]):
    """Random language pairs of random meanings, tokenised as they are drawn; one language makes pairs with itself."""

    def __init__(
        self, *, corpus: SentenceSource, size: int = 16, seed: int = 0, vocabulary: int = 1500, workers: int = 0
    ) -> None:
        super().__init__(workers=workers)
        if size < 1:
            raise UserError(f"batches.size={size}: a batch holds at least one pair.")
        self.corpus, self.size, self.seed = corpus, size, seed
        random = Random(f"vocabulary-{seed}")
        words = (corpus.sample(random, code) for code in corpus.languages for _ in range(4000))
        self.tokenizer = train_tokenizer(words, corpus.languages, size=vocabulary)
        self.tokens = SentenceTokens(self.tokenizer)
        self._group: tuple[int, list[PairBatch]] | None = None

    def described(self, batch: PairBatch) -> list[str]:
        """The corpus and one batch in a few lines."""
        return [
            f"Languages: {', '.join(self.corpus.languages)}; {len(self.tokenizer)} tokens",
            f"Batch: source {tuple(batch.source.ids.shape)}, target {tuple(batch.target.ids.shape)} (pairs, tokens), "
            f"{batch.target.mask.float().mean():.0%} real tokens",
        ]

    def batch(self, number: int) -> PairBatch:
        """The batch of one step. A few batches are drawn together and sorted by length, so that little is padding."""
        group = number // TOGETHER
        if self._group is None or self._group[0] != group:
            self._group = (group, self._batches(Random(f"{self.seed}-{group}")))
        return self._group[1][number % TOGETHER]

    def _batches(self, random: Random) -> list[PairBatch]:
        pairs, spoken = [], self.corpus.languages
        for _ in range(TOGETHER * self.size):
            languages = random.sample(spoken, 2) if len(spoken) > 1 else [*spoken, *spoken]
            pairs.append((*languages, *self.corpus.pair(random, languages)))
        pairs.sort(key=lambda pair: len(pair[2]) + len(pair[3]))
        batches = []
        for start in range(0, len(pairs), self.size):
            sources, targets, texts, replies = zip(*pairs[start : start + self.size], strict=True)
            batches.append(PairBatch(self.tokens.batch(texts, sources), self.tokens.batch(replies, targets)))
        random.shuffle(batches)
        return batches
