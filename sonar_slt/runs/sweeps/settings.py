"""What a run was told: the words of its command as typed values, and which of them differ between runs.

A key that one command does not name has the value of that run's own config, so that runs of different commands can
stand beside each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sonar_slt.runs.folder import CONFIG, WORDS, read_yaml
from sonar_slt.runs.provenance.identity import NOT_COMPUTED
from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.numbers import is_number

NOT_KEYS = frozenset({"seed", "resume", "sweep"})
"""A seed makes replicates; how often a training was gone on with, or what asked for it, changes nothing of it."""
FEW, PARTS = 8, 4
"""A number with more values than the first, as a random search draws them, is cut into so many parts of like size."""
NOTHING = ("null", "[]", "false")
"""Values that leave something out; the others are held against them."""


def given(record: Record) -> dict[str, Any]:
    """Key to value of every word of a run's command; a room that was left out (`~augment`) is null."""
    words = _yaml(record.folder / WORDS)
    return told(map(str, words)) if isinstance(words, list) else {}


def told(words: Iterable[str]) -> dict[str, Any]:
    """Key to value of the words of a command."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        left_out = key.startswith("~")
        found[key.lstrip("+~")] = None if left_out or not equals else typed(value)
    return found


def typed(text: str) -> Any:
    """The value that a word of the command stands for: number, truth value, list, null or text."""
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
        number = float(text)
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else number
    try:
        value = yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        return text
    return value if isinstance(value, bool | str | list | None) else text


def swept_keys(records: Sequence[Record], words: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Each key whose value differs between the runs, with the value of every run; the seed where nothing else does."""
    found: dict[str, list[Any]] = {}
    configs = _Configs(records)
    for key in dict.fromkeys(key for one in words for key in one):
        if key in NOT_KEYS or _not_computed(key):
            continue
        values = [one[key] if key in one else configs.value(place, key) for place, one in enumerate(words)]
        if [] in values:  # a list room that nobody chose is null in the config: the same as an empty one
            values = [
                [] if value is None and key not in one else value for value, one in zip(values, words, strict=True)
            ]
        if len(set(map(written, values))) > 1:
            found[key] = values
    seeds = [record.seed for record in records]
    return found or ({"seed": list(seeds)} if len(set(seeds)) > 1 else {})


def written(value: Any) -> str:
    """A value as one types it: null, true, 0.001, [semantic,mse]."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def in_order(values: Sequence[Any]) -> tuple[str, ...]:
    """The different values as they are written: rising numbers, null behind them; others as they were swept.

    What leaves something out comes first among those others.
    """
    if _numeric(values):
        rising = sorted({value for value in values if value is not None})
        return tuple(dict.fromkeys(map(written, [*rising, *(value for value in values if value is None)])))
    return tuple(sorted(dict.fromkeys(map(written, values)), key=lambda name: name not in NOTHING))


def grouped(values: Sequence[Any]) -> tuple[list[str], tuple[str, ...]]:
    """The group of every run by one key, and the groups in order.

    Many different numbers are cut into parts of like size.
    """
    if not _numeric(values) or len({value for value in values if value is not None}) <= FEW:
        return [written(value) for value in values], in_order(values)
    numbers = sorted({value for value in values if value is not None})
    names = {number: _part(numbers, place) for place, number in enumerate(numbers)}
    groups = ["null" if value is None else names[value] for value in values]
    return groups, tuple(dict.fromkeys([*names.values(), *groups]))


def _numeric(values: Sequence[Any]) -> bool:
    return all(value is None or is_number(value) for value in values)


def _part(numbers: Sequence[float], place: int) -> str:
    part = place * PARTS // len(numbers)
    inside = [number for at, number in enumerate(numbers) if at * PARTS // len(numbers) == part]
    return f"{inside[0]:.3g} to {inside[-1]:.3g}"


class _Configs:
    """The runs' own configs, each read once and only where it is asked for."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records, self._read = records, dict[int, Mapping[str, Any]]()

    def value(self, place: int, key: str) -> Any:
        """What a run computes with where its command does not say; of a job that left no config, what others do."""
        choice = (self._records[place].facts.get("choices") or {}).get(key)
        if choice is not None:
            return choice
        others = (other for other in (place, *range(len(self._records))) if self._of(other))
        return _own(self._of(next(others, place)), key)

    def _of(self, place: int) -> Mapping[str, Any]:
        if place not in self._read:
            value = _yaml(self._records[place].folder / CONFIG)
            self._read[place] = value if isinstance(value, Mapping) else {}
        return self._read[place]


def _own(config: Mapping[str, Any], key: str) -> Any:
    """What a run's own config says of a key that its command did not name."""
    value: Any = config
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return [name for name in value if name != "_target_"] if isinstance(value, Mapping) else value


def _yaml(path: Path) -> Any:
    try:
        return read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None


def _not_computed(key: str) -> bool:
    parts = tuple(key.split("."))
    return any(parts[: len(place)] == place for place in NOT_COMPUTED)
