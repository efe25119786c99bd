"""Fast generation from one vector per sentence: the same tokens as transformers' `generate`, for less work.

`plain.py` is transformers' way behind the same interface; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sonar_slt.space.generation.beams import beam_search
from sonar_slt.space.generation.head import Head
from sonar_slt.space.generation.incremental import IncrementalDecoder
from sonar_slt.space.generation.search import Generated, Search
from sonar_slt.space.generation.shortlist import Shortlist
from sonar_slt.space.generation.single import single_search
from sonar_slt.space.tokens import MAX_TOKENS


@torch.inference_mode()
def generate(
    model: Any,
    vectors: Tensor,
    languages: Tensor,
    search: Search,
    *,
    shortlist: Shortlist | None = None,
    ends: Tensor | None = None,
) -> list[list[Generated]]:
    """The `n_best` outputs of each vector, best first; a beam search may find fewer.

    `vectors` (N, dim), `languages` (N,) ids of language tokens, and `ends` (N,), which forces the end of a sentence
    exactly at that new token, lie on the model's device; the model is in eval mode. With a shortlist, sentences are
    searched in one group per listed language, and in one for all other languages.
    """
    outputs: list[list[Generated]] = [[] for _ in range(len(vectors))]
    generator = None
    if search.seed is not None:
        generator = torch.Generator(vectors.device).manual_seed(search.seed)
    for rows, ids in _groups(languages, shortlist):
        found = _search(
            Head(model, ids),
            model,
            vectors[rows],
            languages[rows],
            search,
            ends=None if ends is None else ends[rows],
            generator=generator,
        )
        for row, output in zip(rows.tolist(), found, strict=True):
            outputs[row] = output
    return outputs


def most_new_tokens(model: Any, search: Search) -> int:
    """How many tokens may follow the prefix: what was asked for, or as many as the decoder has positions for."""
    return min(search.max_new_tokens, min(MAX_TOKENS, int(model.config.max_position_embeddings)) - 1)


def prefixes(model: Any, languages: Tensor) -> Tensor:
    """`</s> [lang]` for each language id: (N, 2)."""
    return torch.stack([torch.full_like(languages, model.config.eos_token_id), languages], dim=1)


def _search(
    head: Head,
    model: Any,
    vectors: Tensor,
    languages: Tensor,
    search: Search,
    *,
    ends: Tensor | None,
    generator: torch.Generator | None,
) -> list[list[Generated]]:
    limit, prefix = most_new_tokens(model, search), head.columns(prefixes(model, languages))
    vectors = vectors.to(model.dtype)
    if search.num_beams > 1:
        return beam_search(
            IncrementalDecoder(model.model.decoder, vectors), head, prefix, search, limit=limit, ends=ends
        )
    draws = search.n_best
    found = single_search(
        IncrementalDecoder(model.model.decoder, vectors.repeat_interleave(draws, dim=0)),
        head,
        prefix.repeat_interleave(draws, dim=0),
        search,
        limit=limit,
        ends=None if ends is None else ends.repeat_interleave(draws),
        generator=generator,
    )
    return [found[start : start + draws] for start in range(0, len(found), draws)]


def _groups(languages: Tensor, shortlist: Shortlist | None) -> list[tuple[Tensor, Tensor | None]]:
    """Which sentences are searched together, and over which ids; None for the whole vocabulary."""
    if not len(languages):
        return []
    groups: list[tuple[Tensor, Tensor | None]] = []
    unlisted = torch.ones_like(languages, dtype=torch.bool)
    if shortlist is not None:
        for language in sorted(set(languages.tolist())):
            if (ids := shortlist.ids(language)) is not None:
                member = languages == language
                unlisted &= ~member
                groups.append((member.nonzero().squeeze(1), ids.to(languages.device)))
    if unlisted.any():
        groups.append((unlisted.nonzero().squeeze(1), None))
    return groups
