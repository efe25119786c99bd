"""Vectors to sentences with five beams, against transformers' `generate` on the same model.

Random weights never stop by themselves, so each sentence's end is forced at its own length, in both ways.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from sonar_slt.bench.space.sentences import lengths, random_vectors
from sonar_slt.bench.timing import Machine, Ways, Work
from sonar_slt.space import SentenceSpace
from sonar_slt.space.generation import Generated, Search, generate
from sonar_slt.space.generation.plain import plain_generate
from sonar_slt.space.likelihood import plain_states

BEAMS = 5
CLOSE = 1e-4
"""Scores nearer than this may change places by the rounding of float32."""


def decoding(space: SentenceSpace, machine: Machine, *, count: int) -> Ways:
    """As many vectors as asked for, ends spread evenly from 5 to 60 tokens; every sentence is compared."""
    vectors, ends = random_vectors(space, count), lengths(count).to(space.device)
    languages = torch.full((count,), space.tokens.language_id(space.languages[0]), device=space.device)
    search = Search(num_beams=BEAMS, max_new_tokens=int(ends.max()))
    said: dict[str, list[list[Generated]]] = {}

    def plain() -> None:
        said["plain"] = plain_generate(space.model, vectors, languages, search, ends=ends, scored=False)

    def ours() -> None:
        said["ours"] = generate(space.model, vectors, languages, search, ends=ends)

    return Ways(
        f"decode {count} vectors, {BEAMS} beams",
        plain,
        ours,
        _limit(space, machine, ends),
        lambda: _agreement(space, vectors, said),
    )


def _limit(space: SentenceSpace, machine: Machine, ends: Tensor) -> float:
    """Every step reads the weights once and works on the beams of the sentences that are not over."""
    decoder = space.model.model.decoder
    weights = space.model.lm_head.weight.numel()
    weights += sum(w.numel() for name, w in decoder.layers.named_parameters() if "encoder_attn" not in name)
    rows = [BEAMS * int((ends > step).sum()) for step in range(int(ends.max()))]
    size = weights * space.model.dtype.itemsize
    return sum(machine.limit(Work(2.0 * weights * alive, size)) for alive in rows)


def _agreement(space: SentenceSpace, vectors: Tensor, said: Mapping[str, list[list[Generated]]]) -> str:
    """How many sentences are the same, and how many of the others are as good to within the rounding."""
    pairs = [(plain[0].ids, ours[0].ids) for plain, ours in zip(said["plain"], said["ours"], strict=True)]
    other = [(vector, pair) for vector, pair in zip(vectors, pairs, strict=True) if pair[0] != pair[1]]
    gaps = [abs(_score(space, vector, plain) - _score(space, vector, ours)) for vector, (plain, ours) in other]
    close = sum(gap < CLOSE for gap in gaps)
    note = f"{len(pairs) - len(other)} of {len(pairs)} the same"
    return note + (f", {close} of {len(gaps)} others within {CLOSE:g}; widest {max(gaps):.1e}" if gaps else "")


@torch.inference_mode()
def _score(space: SentenceSpace, vector: Tensor, ids: tuple[int, ...]) -> float:
    """The mean log-probability of a sentence without its forced end, by transformers' own pass."""
    language = space.tokens.language_id(space.languages[0])
    row = torch.tensor([[space.tokens.end, language, *ids[:-1]]], device=space.device)
    states = plain_states(space.model.model.decoder, vector.unsqueeze(0), row)
    chances = space.model.lm_head(states[0, 1:-1]).float().log_softmax(-1)
    return float(chances.gather(1, row[0, 2:].unsqueeze(1)).mean())
