"""What a sign training step is measured on: clips of 40 to 250 frames, each with a text of 5 to 40 tokens.

They are written as any corpus is, so that they are stored, drawn and padded as those of any training are.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from sonar_slt.bench.data.recordings import movements, written
from sonar_slt.data.clips import Clips
from sonar_slt.data.corpora.prepared import Prepared
from sonar_slt.data.sampling import All
from sonar_slt.space import SentenceSpace

SIZE = 8
"""Clips in a batch."""
FRAMES, TOKENS = (40, 250), (5, 40)
"""The fewest and the most; lengths are evenly spread between them, and a long clip need not have a long text."""


def recorded(folder: Path, space: SentenceSpace, count: int) -> Prepared:
    """A corpus of so many training clips; the two that stand before them are its dev and its test split."""
    walks, random = movements(FRAMES[1], count=4), Random(0)
    frames, tokens = ([middle(span), middle(span), *spread(span, count)] for span in (FRAMES, TOKENS))
    clips = [walks[number % len(walks)][:length] for number, length in enumerate(frames)]
    random.shuffle(tokens)
    texts = [text(space, length, random) for length in tokens]
    return written(folder, clips, len(clips), dtype="float16", language=space.languages[0], texts=texts)


def served(corpus: Prepared, space: SentenceSpace, cache: Path) -> Clips:
    """Batches of eight such clips, every frame of them, clips of similar length together."""
    made = Clips(
        corpus=corpus, space=space, targets=space.languages[:1], sampling=All(), cache=cache, size=SIZE, workers=0
    )
    made.make_ready()
    return made


def spread(span: tuple[int, int], count: int) -> list[int]:
    """So many whole numbers, evenly from the fewest to the most."""
    numbers: list[int] = np.linspace(*span, count).round().astype(int).tolist()
    return numbers


def middle(span: tuple[int, int]) -> int:
    """The number half way."""
    return sum(span) // 2


def text(space: SentenceSpace, tokens: int, random: Random) -> str:
    """Random letters of so many tokens, those of the language and of the end among them."""
    letters = "".join(random.choices(string.ascii_lowercase, k=4 * tokens))
    starts = [letters[:end] for end in range(1, len(letters) + 1)]
    return starts[_first(space.tokens.lengths(starts), tokens)]


def _first(lengths: Sequence[int], wanted: int) -> int:
    if wanted not in lengths:
        raise RuntimeError(f"No text of {wanted} tokens was found: they have {lengths[0]} to {lengths[-1]}.")
    return lengths.index(wanted)
