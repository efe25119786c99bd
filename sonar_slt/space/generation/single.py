"""Greedy decoding and sampling: one running output per row, which leaves when it has ended.

The next token is chosen from raw logits, as in transformers; the score is the model's own log-probability.
"""

from __future__ import annotations

from statistics import fmean

import torch
from torch import Tensor

from sonar_slt.space.generation.constraints import FORBIDDEN, constrain
from sonar_slt.space.generation.head import Head, best, few_rows
from sonar_slt.space.generation.incremental import IncrementalDecoder, gaps_filled
from sonar_slt.space.generation.search import PREFIX, Generated, Search


def single_search(
    decoder: IncrementalDecoder,
    head: Head,
    prefix: Tensor,
    search: Search,
    *,
    limit: int,
    ends: Tensor | None,
    generator: torch.Generator | None,
) -> list[Generated]:
    """One output per row; `prefix` (rows, 2) in columns of the head."""
    outputs: list[Generated | None] = [None] * len(prefix)
    names, said = list(range(len(prefix))), prefix
    weighed = torch.empty(len(prefix), 0, device=prefix.device)  # log-probability of each new token
    states = decoder.begin(head.ids(prefix))
    for number in range(1, limit + 1):
        columns, log_probs = _next(head.logits(states.squeeze(1)), said, ends, search, head.end, generator)
        said = torch.cat([said, columns.unsqueeze(1)], dim=1)
        weighed = torch.cat([weighed, log_probs.unsqueeze(1)], dim=1)
        gone = [number == limit or column == head.end for column in columns.tolist()]
        if any(gone):
            for row in (row for row, left in enumerate(gone) if left):
                ids = tuple(head.ids(said[row, PREFIX:]).tolist())
                outputs[names[row]] = Generated(ids, fmean(weighed[row].tolist()))
            kept = gaps_filled([row for row, left in enumerate(gone) if not left])
            if not kept:
                break
            index = torch.tensor(kept, device=said.device)
            names, said, weighed = [names[row] for row in kept], said[index], weighed[index]
            ends = None if ends is None else ends[index]
            decoder.keep(kept)
        states = decoder.step(head.ids(said[:, -1:]))
    return [output for output in outputs if output is not None]


def _next(
    logits: Tensor, said: Tensor, ends: Tensor | None, search: Search, end: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """The next token of each row and its log-probability before any knob: (rows,) each."""
    chosen, log_probs = [], []
    for part, scores in few_rows(logits):
        model_scores = scores.log_softmax(dim=1)
        constrain(scores, said[part], None if ends is None else ends[part], search=search, end=end)
        columns = draw(scores, search, generator) if search.do_sample else scores.argmax(dim=1)
        chosen.append(columns)
        log_probs.append(model_scores.gather(1, columns.unsqueeze(1)).squeeze(1))
    return torch.cat(chosen), torch.cat(log_probs)


def draw(scores: Tensor, search: Search, generator: torch.Generator | None) -> Tensor:
    """One column per row of scores (rows, columns), drawn after temperature, `top_k` and `top_p`."""
    columns: Tensor | None = None
    scores = scores / search.temperature
    if search.top_k:
        scores, columns = best(scores, min(search.top_k, scores.shape[1]))
    if search.top_p < 1.0:
        scores, order = scores.sort(dim=1, descending=True)
        columns = order if columns is None else columns.gather(1, order)
        probabilities = scores.softmax(dim=1)
        before = probabilities.cumsum(dim=1) - probabilities  # of likelier tokens; 0 for the likeliest, which stays
        scores = scores.masked_fill(before >= search.top_p, FORBIDDEN)
    drawn = torch.multinomial(scores.softmax(dim=1), 1, generator=generator)
    return (drawn if columns is None else columns.gather(1, drawn)).squeeze(1)
