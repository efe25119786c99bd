"""The length and repetition knobs: which next tokens are made less likely or forbidden, given what was said.

Each touches only the few scores concerned; their order and arithmetic are those of transformers' logits processors,
but that `</s>` stays where they would forbid every token.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonar_slt.space.generation.search import PREFIX, Search

FORBIDDEN = float("-inf")


def constrain(scores: Tensor, history: Tensor, ends: Tensor | None, *, search: Search, end: int) -> None:
    """Change the scores (rows, vocabulary) of the next token in place.

    `history` (rows, length) is what each row said, prefix included; `ends` (rows,) says at which new token `</s>` is
    forced; `end` is its column.
    """
    number = history.shape[1] - PREFIX + 1  # of the new token that these scores choose
    if search.repetition_penalty != 1.0:
        penalise_repetition(scores, history, search.repetition_penalty)
    last_resort = scores[:, end].clone()
    if search.no_repeat_ngram_size:
        forbid_repeated_ngrams(scores, history, search.no_repeat_ngram_size)
    if number <= search.min_new_tokens:
        scores[:, end] = FORBIDDEN
    if scores.shape[1] <= history.shape[1] + 1:  # else fewer are forbidden than there are
        keep_an_end(scores, last_resort, end=end)
    if ends is not None:
        force_ends(scores, ends, number=number, end=end)


def penalise_repetition(scores: Tensor, history: Tensor, penalty: float) -> None:
    """Push every token of the history away from being chosen again."""
    said = scores.gather(1, history)
    scores.scatter_(1, history, torch.where(said < 0, said * penalty, said / penalty))


def forbid_repeated_ngrams(scores: Tensor, history: Tensor, size: int) -> None:
    """Forbid each token that would complete a run of `size` tokens that the row already holds."""
    length = history.shape[1]
    if length < size:
        return
    windows = history.unfold(1, size, 1)  # (rows, runs, size)
    repeated = (windows[..., :-1] == history[:, None, length + 1 - size :]).all(dim=-1)
    ceiling = torch.where(repeated, FORBIDDEN, float("inf")).to(scores.dtype)
    scores.scatter_reduce_(1, windows[..., -1], ceiling, reduce="amin")  # a token of several runs: the lowest holds


def keep_an_end(scores: Tensor, last_resort: Tensor, *, end: int) -> None:
    """Give `</s>` its score (rows,) back where nothing else may be said: a short list of words can be used up."""
    nothing = (scores == FORBIDDEN).all(dim=1)
    scores[:, end] = torch.where(nothing, last_resort, scores[:, end])


def force_ends(scores: Tensor, ends: Tensor, *, number: int, end: int) -> None:
    """Nothing but `</s>` at a row's last token, at no cost in score, and no `</s>` before; over every other knob."""
    due = ends == number
    scores[due] = FORBIDDEN
    scores[:, end] = scores[:, end].masked_fill(ends > number, FORBIDDEN).masked_fill(due, 0.0)
