"""What a shortlist of a language's words saves in decoding, and what it costs in agreement.

The list is made of training sentences, the vectors are those of held-out ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from sonar_slt.bench.timing import Comparison, compare
from sonar_slt.space import SentenceSpace, Shortlist


def bench_shortlist(
    space: SentenceSpace, code: str, known: Sequence[str], held_out: Sequence[str], *, rounds: int
) -> Comparison:
    """Five beams with the whole vocabulary and with the words of `known` alone, on the vectors of `held_out`."""
    shortlist = Shortlist.of_texts(space, {code: known})
    vectors = space.encode(held_out, code)
    said: dict[str, list[str]] = {}

    def whole() -> None:
        said["whole"] = space.decode(vectors, code)

    def listed() -> None:
        said["listed"] = space.decode(vectors, code, shortlist=shortlist)

    timed = compare(f"decode {len(vectors)} vectors: all words against a shortlist", whole, listed, rounds=rounds)
    same = sum(a == b for a, b in zip(said["whole"], said["listed"], strict=True))
    ids = shortlist.ids(space.tokens.language_id(code))
    words = 0 if ids is None else len(ids)
    note = f"{words:,} of {space.model.config.vocab_size:,} words, {same} of {len(vectors)} sentences the same"
    return Comparison(timed.name, timed.plain, timed.ours, timed.ratio, note=note)
