"""The knobs of decoding and what decoding gives back; both ways of generating take and return these.

A knob that could have no effect beside the others is refused, so nothing that was asked for is silently dropped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

from sonar_slt.errors import UserError, did_you_mean

PREFIX = 2
"""`</s> [lang]`: what every sentence starts from; it counts as text for the repetition knobs and not for lengths."""

NO_SCORE = -1.0e9
"""The score of a beam that is none, as in transformers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Every knob of decoding, with the meaning it has in transformers' `generate`."""

    num_beams: int = 5
    """How many beginnings of a sentence are pursued at once; 1 is greedy, or sampling."""
    max_new_tokens: int = 128
    """The longest output, `</s>` included; never more than the decoder has positions for."""
    min_new_tokens: int = 0
    """`</s>` is forbidden before this many tokens."""
    do_sample: bool = False
    """Draw each token instead of taking the likeliest; needs num_beams=1."""
    temperature: float = 1.0
    """Logits are divided by it before a draw: below 1 is bolder about the likeliest tokens."""
    top_k: int = 0
    """Draw among this many likeliest tokens only; 0 is all."""
    top_p: float = 1.0
    """Draw among the fewest likeliest tokens whose probabilities reach this sum."""
    repetition_penalty: float = 1.0
    """Above 1 makes tokens that were already said less likely: negative scores are multiplied by it, others divided."""
    no_repeat_ngram_size: int = 0
    """No run of this many tokens occurs twice; 0 allows all."""
    length_penalty: float = 1.0
    """A finished beam's score is its log-probability over its length to this power: more favours longer ones."""
    early_stopping: bool = False
    """Stop a sentence as soon as num_beams beams have finished, though a running one might still be better."""
    n_best: int = 1
    """How many outputs per vector: the best beams, or independent draws."""
    seed: int | None = None
    """Of the draws, which then leave torch's own generator alone; None draws from torch's."""

    @classmethod
    def of(cls, **knobs: object) -> Self:
        """A search from knobs by name, without beams where it samples; an unknown one is refused."""
        known = [knob.name for knob in fields(cls)]
        for name in knobs:
            if name not in known:
                hint = did_you_mean(name, known)
                raise UserError(f"Decoding has no knob '{name}'.{hint} It has {', '.join(known)}.")
        if knobs.get("do_sample"):
            knobs = {"num_beams": 1, **knobs}
        return cls(**knobs)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        for knob in fields(self):
            _require_type(knob.name, str(knob.type), getattr(self, knob.name))
        for name, low in _LOWEST.items():
            if getattr(self, name) < low:
                raise UserError(f"{name}={getattr(self, name)}: expected at least {low}.")
        for name in ("temperature", "repetition_penalty", "top_p"):
            if getattr(self, name) <= 0:
                raise UserError(f"{name}={getattr(self, name)}: expected more than 0.")
        if self.top_p > 1:
            raise UserError(f"top_p={self.top_p}: expected at most 1.")
        if self.seed is not None and not 0 <= self.seed < 2**63:
            raise UserError(f"seed={self.seed}: expected a whole number from 0 to 2**63 - 1.")
        if self.min_new_tokens > self.max_new_tokens:
            raise UserError(f"min_new_tokens={self.min_new_tokens} is more than max_new_tokens={self.max_new_tokens}.")
        self._refuse_what_has_no_effect()

    def _refuse_what_has_no_effect(self) -> None:
        if self.do_sample and self.num_beams > 1:
            raise UserError(
                f"do_sample=True with num_beams={self.num_beams}: sampling is offered with num_beams=1 only."
            )
        if not self.do_sample and (given := self._changed("temperature", "top_k", "top_p")):
            raise UserError(f"{given} acts on sampling only: set do_sample=True and num_beams=1, or leave it out.")
        if self.num_beams == 1 and (given := self._changed("length_penalty", "early_stopping")):
            raise UserError(f"{given} acts on beams only: set num_beams above 1, or leave it out.")
        if not self.do_sample and self.n_best > self.num_beams:
            raise UserError(f"n_best={self.n_best} of num_beams={self.num_beams}: expected at most as many as beams.")

    def _changed(self, *names: str) -> str:
        """The first of these knobs that is not at its default, as `name=value`."""
        defaults = {knob.name: knob.default for knob in fields(self)}
        changed = [name for name in names if getattr(self, name) != defaults[name]]
        return f"{changed[0]}={getattr(self, changed[0])}" if changed else ""


@dataclass(frozen=True, slots=True)
class Generated:
    """One output for one vector."""

    ids: tuple[int, ...]
    """What follows the prefix, with `</s>` if it came."""
    score: float
    """Beams: the summed log-probability, after the repetition knobs, over length ** length_penalty. Otherwise the mean
    log-probability per token under the model as it is, before any knob."""


_LOWEST = {"num_beams": 1, "max_new_tokens": 1, "min_new_tokens": 0, "top_k": 0, "no_repeat_ngram_size": 0, "n_best": 1}


def _require_type(name: str, kind: str, value: object) -> None:
    if kind == "bool":
        right = isinstance(value, bool)
    elif kind == "float":
        right = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    else:
        right = (value is None and "None" in kind) or (isinstance(value, int) and not isinstance(value, bool))
    if not right:
        expected = {"bool": "True or False", "float": "a finite number"}.get(kind, "a whole number")
        raise UserError(f"{name}={value!r}: expected {expected}.")
