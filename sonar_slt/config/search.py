"""The words of a command as a search: which keys are fixed, and between which values the others may be chosen.

Hydra's own grammar says it: `choice(a,b)` or `a,b`, `range(1,5)`, `interval(0,1)`, and `tag(log, …)` around a range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, IntervalSweep, Override, RangeSweep

from sonar_slt.config.floorplan import Floorplan
from sonar_slt.errors import UserError
from sonar_slt.sweeper.space import Choice, Number, Space

NOT_IN_A_JOB = ("hydra", "sweeper", "launcher")
"""Rooms that are about the whole of the jobs."""


@dataclass(frozen=True, slots=True)
class Search:
    """The words that every trial has, what is chosen for each other key, and how that was typed."""

    fixed: tuple[str, ...]
    space: Space = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)


def search_of(words: Sequence[str], params: Mapping[str, str], plan: Floorplan) -> Search:
    """What a command asks for; `params` are those of a named sweep, over which a word about the same key wins."""
    named = [f"{key}={value}" for key, value in params.items()]
    parsed = {word.get_key_element(): word for word in OverridesParser.create().parse_overrides([*named, *words])}
    swept = {key: word for key, word in parsed.items() if word.is_sweep_override()}
    for key, word in swept.items():
        if key.lstrip("+") == "seed":
            raise UserError(
                f"{word.input_line}: the luckiest seed is nothing to search for; give one seed, and repeat the best "
                "trial with others by `sonar-slt rerun RUN -m seed=1,2,3`."
            )
    typed = {key: str(word.input_line).partition("=")[2] for key, word in swept.items()}
    space = {key: _chosen(word, plan) for key, word in swept.items()}
    fixed = [str(word.input_line) for key, word in parsed.items() if key not in swept and _is_of_jobs(word)]
    return Search(tuple(fixed), space, typed)


def _is_of_jobs(word: Override) -> bool:
    return word.key_or_group.replace("/", ".").partition(".")[0] not in NOT_IN_A_JOB


def _chosen(word: Override, plan: Floorplan) -> Choice | Number:
    value = word.value()
    if isinstance(value, IntervalSweep):
        assert value.start is not None and value.end is not None
        whole = isinstance(value.start, int)
        return _number(word, Number(low=value.start, high=value.end, whole=whole, log="log" in value.tags))
    if isinstance(value, RangeSweep):
        return _range(word, value)
    if isinstance(value, Glob):
        options = value.filter([option for option in plan.options(word.key_or_group) if "/" not in option])
    else:
        options = list(word.sweep_string_iterator())
    if "log" in getattr(value, "tags", ()):
        raise UserError(f"{word.input_line}: only a range or an interval has a logarithm.")
    return Choice(tuple(dict.fromkeys(options)))


def _range(word: Override, value: RangeSweep) -> Number:
    """Its end belongs to it only where a step leads there, as everywhere in Hydra: `range(1,5)` is 1 to 4."""
    steps = sorted(value.range())
    if not steps:
        raise UserError(f"{word.input_line} leaves nothing to choose.")
    log, step = "log" in value.tags, abs(value.step)
    if log and step != 1:
        raise UserError(f"{word.input_line}: a range with a logarithm has no steps; write interval.")
    whole = all(isinstance(number, int) for number in (value.start, value.stop, value.step))
    return _number(word, Number(low=steps[0], high=steps[-1], step=None if log else step, whole=whole, log=log))


def _number(word: Override, number: Number) -> Number:
    if number.low > number.high:
        raise UserError(f"{word.input_line}: the lower end comes first.")
    if number.log and number.low <= 0:
        raise UserError(f"{word.input_line}: with a logarithm both ends are above 0.")
    return number
