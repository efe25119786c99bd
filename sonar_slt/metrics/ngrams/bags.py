"""N-grams that hypotheses share with references, for a whole corpus at once: every n-gram is one whole number.

The numbers are exact, never hashes, so that the counts are those of a dictionary of tuples; they are only sooner there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
ROOM = 2**62
"""Numbers stay below, so that 64 bits hold them."""


@dataclass(frozen=True, slots=True)
class Bag:
    """The distinct n-grams of every sentence of one text, ascending: `sentence * span + n-gram`, and how often each."""

    keys: Ids
    counts: Ids
    span: int

    def either(self, other: Bag) -> Bag:
        """Each n-gram as often as it stands in the one or in the other, whichever is more."""
        keys = np.concatenate([self.keys, other.keys])
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], np.concatenate([self.counts, other.counts])[order]
        first = _firsts(keys)
        return Bag(keys[first], np.maximum.reduceat(counts, first) if len(first) else counts, self.span)

    def shared(self, other: Bag) -> Bag:
        """What stands in both, as often as in the one that has it less."""
        if not len(other.keys):
            return other
        place = np.searchsorted(other.keys, self.keys).clip(max=len(other.keys) - 1)
        both = other.keys[place] == self.keys
        return Bag(self.keys[both], np.minimum(self.counts[both], other.counts[place[both]]), self.span)

    def sums(self, sentences: int) -> Ids:
        """The counts of each sentence (sentences,)."""
        return np.bincount(self.keys // self.span, weights=self.counts, minlength=sentences).astype(np.int64)


class Texts:
    """Several texts of the same sentences (one of hypotheses, the others of references) over one set of tokens.

    `flat` holds the tokens of all sentences of all texts, one text behind the other, `lengths` (texts, sentences) how
    many each sentence has. Tokens are numbered from 0 to `alphabet` - 1.
    """

    def __init__(self, flat: Ids, lengths: Ids, alphabet: int) -> None:
        self.flat, self.lengths, self.alphabet = flat, lengths, max(1, alphabet)
        self.texts, self.sentences = lengths.shape
        self._places = np.repeat(np.arange(lengths.size), lengths.ravel())  # of each token: its text and sentence
        self._bounds = np.concatenate([[0], lengths.sum(axis=1).cumsum()])

    @classmethod
    def of_words(cls, texts: Sequence[Sequence[Sequence[str]]]) -> Texts:
        """Of tokens: text, sentence, word."""
        numbers: dict[str, int] = {}
        words = chain.from_iterable(chain.from_iterable(texts))
        flat = np.fromiter((numbers.setdefault(word, len(numbers)) for word in words), np.int64)
        return cls(flat, np.array([[len(line) for line in text] for text in texts], np.int64), len(numbers))

    @classmethod
    def of_characters(cls, texts: Sequence[Sequence[str]]) -> Texts:
        """Of strings: text, sentence."""
        joined = "".join(chain.from_iterable(texts))
        points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        there = np.zeros(int(points.max(initial=0)) + 1, bool)
        there[points] = True
        flat = (there.cumsum() - 1)[points]
        return cls(flat, np.array([[len(line) for line in text] for text in texts], np.int64), int(there.sum()))

    def totals(self, order: int) -> Ids:
        """How many n-grams each sentence has: (texts, sentences)."""
        return np.maximum(self.lengths - (order - 1), 0)

    def bags(self, orders: int) -> Iterator[list[Bag]]:
        """Of every order from 1 on: the n-grams of each text."""
        codes, span = self.flat, self.alphabet
        for order in range(1, orders + 1):
            if order > 1:
                if span * self.alphabet * self.sentences > ROOM:
                    distinct, codes = np.unique(codes, return_inverse=True)
                    span = len(distinct)
                codes, span = codes[:-1] * self.alphabet + self.flat[order - 1 :], span * self.alphabet
            yield [self._bag(codes, span, order, text) for text in range(self.texts)]

    def _bag(self, codes: Ids, span: int, order: int, text: int) -> Bag:
        start, stop = self._bounds[text], max(self._bounds[text], self._bounds[text + 1] - (order - 1))
        places = self._places[start : stop + order - 1]
        whole = places[: stop - start] == places[order - 1 :]  # within one sentence
        keys = np.sort((places[: stop - start] - text * self.sentences)[whole] * span + codes[start:stop][whole])
        first = _firsts(keys)
        return Bag(keys[first], np.diff(first, append=len(keys)), span)


def _firsts(keys: Ids) -> Ids:
    """Where each distinct number of an ascending list stands first."""
    return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
