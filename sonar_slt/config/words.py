"""The ``key=value`` words of a command, parsed by Hydra's own grammar; a sweep is seen as its alternatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, IntervalSweep, Override, Sweep
from hydra.errors import HydraException

from sonar_slt.config.floorplan import Floorplan
from sonar_slt.config.problem import Problem

MOST = 16  # alternatives of one sweep that are looked at; a longer one is a range of like numbers


@dataclass(frozen=True)
class Word:
    """One override: what it does, to which key, and as which plain overrides its alternatives would be written."""

    text: str
    key: str
    package: str | None
    sign: str  # "", "+", "++" or "~"
    alternatives: tuple[str, ...]
    group: bool
    sweeps: bool

    @property
    def room(self) -> str:
        """The first part of the key."""
        return self.key.replace("/", ".").partition(".")[0]

    @property
    def hydra(self) -> bool:
        """Whether the word is about Hydra itself."""
        return self.room == "hydra"


def read_word(text: str, plan: Floorplan) -> Word | Problem:
    """Parse one override, or say why it cannot be read."""
    try:
        parsed: Override = OverridesParser.create().parse_override(text)
    except HydraException as error:
        reason = str(error).splitlines()[0].partition("See https")[0].strip().rstrip(".")
        return Problem("", f"Cannot read {text}: {reason}. Expected key=value, with quotes around unusual characters.")
    key = parsed.key_or_group
    alternatives = _alternatives(parsed, plan)
    sign = parsed.get_key_element().removesuffix(key if parsed.package is None else f"{key}@{parsed.package}")
    if not alternatives:
        return Problem(key, f"{text} leaves nothing to sweep over.")
    group = not key.startswith("hydra") and plan.is_group(key)
    return Word(text, key, parsed.package, sign, alternatives, group, parsed.is_sweep_override())


def _alternatives(parsed: Override, plan: Floorplan) -> tuple[str, ...]:
    if not parsed.is_sweep_override():
        return (parsed.input_line or "",)
    value = parsed.value()
    if isinstance(value, Glob):
        values = value.filter([option for option in plan.options(parsed.key_or_group) if "/" not in option])
    elif isinstance(value, IntervalSweep):
        values = [str(value.start), str(value.end)]
    elif isinstance(value, Sweep) and parsed.is_discrete_sweep():
        values = list(islice(parsed.sweep_string_iterator(), MOST))
    else:
        values = []
    return tuple(f"{parsed.get_key_element()}={value}" for value in values)


def options_in(single: str) -> list[str]:
    """The options that a group override such as ``objective=[mse,ce]`` chooses."""
    value = OverridesParser.create().parse_override(single).value()
    values = value if isinstance(value, list) else [value]
    return [str(option) for option in values if option is not None]


def is_interval(word: Word) -> bool:
    """Whether a word leaves open which of endless values is meant."""
    if "interval" not in word.text:  # the parser takes its time
        return False
    parsed: Override = OverridesParser.create().parse_override(word.text)
    return parsed.is_interval_sweep()


def value_of(single: str) -> object:
    """The value of an override that is no sweep."""
    return OverridesParser.create().parse_override(single).value()


def allowed(texts: Sequence[str]) -> list[str]:
    """The packages that ``allow=`` names among the words of a command."""
    parsed = [_parsed(text) for text in texts if text.lstrip("+").startswith("allow=")]
    found = [word.value() for word in parsed if word is not None and not word.is_sweep_override()]
    return [str(name) for value in found for name in (value if isinstance(value, list) else [value])]


def _parsed(text: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException:
        return None  # the examination says what is wrong with it
