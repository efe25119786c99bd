"""What a run was told: the words of its command as typed values, and which of them differ between runs.

A key that one command does not name has the value of that run's own config, so that runs of different commands can
stand beside each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from sonar_slt.runs.figures import is_number
from sonar_slt.runs.provenance import NOT_COMPUTED
from sonar_slt.runs.registry import Record

NOT_KEYS = frozenset({"seed", "resume"})
"""A seed makes replicates; how often a training was gone on with changes nothing that it computes."""
FEW, PARTS = 8, 4
"""A number with more values than the first, as a random search draws them, is cut into so many parts of like size."""


NOTHING = ("null", "[]", "false")
"""Values that leave something out; the others are held against them."""


def given(record: Record) -> dict[str, Any]:
    """Key to value of every word of a run's command; a room that was left out (`~augment`) is null."""
    try:
        words = yaml.safe_load((record.folder / "overrides.yaml").read_text(encoding="utf-8")) or []
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    found: dict[str, Any] = {}
    for word in words if isinstance(words, list) else []:
        key, equals, value = str(word).partition("=")
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
    configs: dict[int, Mapping[str, Any]] = {}
    for key in dict.fromkeys(key for one in words for key in one):
        if key in NOT_KEYS or _not_computed(key):
            continue
        values = [
            one[key] if key in one else _own(record, key, configs.setdefault(place, _config(record)))
            for place, (record, one) in enumerate(zip(records, words, strict=True))
        ]
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


def grouped(values: Sequence[Any]) -> tuple[list[str], tuple[str, ...]]:
    """The group of every run by one key, and the groups in order.

    Numbers rise, with null behind them; other values come as they were swept, behind the one that leaves out. Many
    different numbers are cut into parts of like size.
    """
    if not all(value is None or is_number(value) for value in values):
        groups = [written(value) for value in values]
        return groups, tuple(sorted(dict.fromkeys(groups), key=lambda name: name not in NOTHING))
    numbers = sorted({value for value in values if value is not None})
    many = len(numbers) > FEW
    names = {number: _part(numbers, place) if many else written(number) for place, number in enumerate(numbers)}
    groups = ["null" if value is None else names[value] for value in values]
    return groups, tuple(dict.fromkeys([*names.values(), *groups]))


def _part(numbers: Sequence[float], place: int) -> str:
    part = place * PARTS // len(numbers)
    inside = [number for at, number in enumerate(numbers) if at * PARTS // len(numbers) == part]
    return f"{inside[0]:.3g} to {inside[-1]:.3g}"


def _own(record: Record, key: str, config: Mapping[str, Any]) -> Any:
    """What a run's own config says of a key that its command did not name."""
    choice = (record.facts.get("choices") or {}).get(key)
    if choice is not None:
        return choice
    value: Any = config
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return [name for name in value if name != "_target_"] if isinstance(value, Mapping) else value


def _config(record: Record) -> Mapping[str, Any]:
    try:
        value = yaml.safe_load((record.folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return value if isinstance(value, Mapping) else {}


def _not_computed(key: str) -> bool:
    parts = tuple(key.split("."))
    return any(parts[: len(place)] == place for place in NOT_COMPUTED)
