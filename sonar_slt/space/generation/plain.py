"""Generation through transformers' own `generate`, behind the interface of `generate.py`.

It is the yardstick of the fast way: the same knobs and the same prefix, and the loop is transformers' alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList
from transformers.modeling_outputs import BaseModelOutput

from sonar_slt.space.generation.constraints import force_ends
from sonar_slt.space.generation.generate import most_new_tokens, prefixes
from sonar_slt.space.generation.search import NO_SCORE, PREFIX, Generated, Search


@torch.inference_mode()
def plain_generate(
    model: Any,
    vectors: Tensor,
    languages: Tensor,
    search: Search,
    *,
    ends: Tensor | None = None,
    scored: bool = True,
) -> list[list[Generated]]:
    """The `n_best` outputs of each vector, best first, as `generate` gives them.

    `scored=False` leaves the scores NaN: for beams transformers would have to keep those of every step over the whole
    vocabulary, and otherwise each output is read once more.
    """
    if not len(vectors):
        return []
    vectors, end = vectors.to(model.dtype), int(model.config.eos_token_id)
    processors = LogitsProcessorList()
    if ends is not None:
        copies = search.n_best if search.do_sample else search.num_beams
        processors.append(_ForcedEnds(ends.repeat_interleave(copies), end=end))
    with _only_these_knobs(model, search, scored=scored), _draws_of_its_own(search, vectors.device):
        found = model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=vectors.unsqueeze(1)),
            decoder_input_ids=prefixes(model, languages),
            logits_processor=processors,
        )
    outputs = [_until_end(row, end) for row in found.sequences[:, PREFIX:].tolist()]
    if not scored:
        scores = [float("nan")] * len(outputs)
    elif search.num_beams > 1:
        scores = found.sequences_scores.tolist()
    else:
        owners = torch.arange(len(vectors)).repeat_interleave(search.n_best).tolist()
        scores = [
            _mean_log_probability(model, vectors[i], languages[i], ids) for i, ids in zip(owners, outputs, strict=True)
        ]
    pairs = [Generated(output, score) for output, score in zip(outputs, scores, strict=True)]
    return [
        [
            output
            for beam, output in enumerate(pairs[start : start + search.n_best])
            if beam == 0 or not output.score <= NO_SCORE / 10  # fewer beams than asked for may have finished
        ]
        for start in range(0, len(pairs), search.n_best)
    ]


class _ForcedEnds(LogitsProcessor):
    """Ends each row exactly at its own new token."""

    def __init__(self, ends: Tensor, *, end: int) -> None:
        self._ends, self._end = ends, end

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        force_ends(scores, self._ends, number=input_ids.shape[1] - PREFIX + 1, end=self._end)
        return scores


@contextmanager
def _only_these_knobs(model: Any, search: Search, *, scored: bool) -> Iterator[None]:
    """The search in place of the checkpoint's own defaults, which would fill in whatever is not set."""
    limit = most_new_tokens(model, search)
    knobs: dict[str, Any] = {"max_new_tokens": limit, "do_sample": search.do_sample, "num_beams": search.num_beams}
    if search.min_new_tokens:
        knobs["min_new_tokens"] = min(search.min_new_tokens, limit)
    if search.do_sample:
        knobs |= {"temperature": float(search.temperature), "top_k": search.top_k, "top_p": float(search.top_p)}
    if search.num_beams > 1:
        knobs |= {"length_penalty": float(search.length_penalty), "early_stopping": search.early_stopping}
    config: Any = GenerationConfig
    kept = model.generation_config
    model.generation_config = config(
        num_return_sequences=search.n_best,
        repetition_penalty=float(search.repetition_penalty),
        no_repeat_ngram_size=search.no_repeat_ngram_size,
        decoder_start_token_id=model.config.eos_token_id,  # which the prefix begins with: nothing is put before it
        eos_token_id=model.config.eos_token_id,
        pad_token_id=model.config.pad_token_id,
        return_dict_in_generate=True,
        output_scores=scored and search.num_beams > 1,
        **knobs,
    )
    try:
        yield
    finally:
        model.generation_config = kept


@contextmanager
def _draws_of_its_own(search: Search, device: torch.device) -> Iterator[None]:
    """Draws from the seed, if there is one, that leave torch's generators as they were."""
    if search.seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(search.seed)
        yield


def _until_end(row: list[int], end: int) -> tuple[int, ...]:
    """A row without its padding: up to `</s>`, or all of it."""
    return tuple(row[: row.index(end) + 1] if end in row else row)


def _mean_log_probability(model: Any, vector: Tensor, language: Tensor, ids: tuple[int, ...]) -> float:
    """Per token of one output, under the model as it is."""
    said = torch.tensor(ids, device=vector.device)
    inputs = torch.cat([prefixes(model, language.view(1)), said[:-1].unsqueeze(0)], dim=1)
    memory = BaseModelOutput(last_hidden_state=vector.view(1, 1, -1))
    logits = model(encoder_outputs=memory, decoder_input_ids=inputs, use_cache=False).logits[0, PREFIX - 1 :]
    return fmean(logits.float().log_softmax(dim=1).gather(1, said.unsqueeze(1)).squeeze(1).tolist())
