"""What differs between two configs, key by key; what decides a result stands apart from what does not.

Two commands read it: `diff` about two runs, `rerun` about a run and what would be computed today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from sonar_slt.errors import UserError
from sonar_slt.files import plain
from sonar_slt.runs.folder import CONFIG, WORDS, read_yaml
from sonar_slt.runs.provenance.identity import computed
from sonar_slt.runs.registry import Record

Side = Literal["first", "second"]


@dataclass(frozen=True, slots=True)
class Change:
    """One key and its two values; `only` names the side that has the key alone."""

    key: str
    first: Any
    second: Any
    only: Side | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """The keys that decide what is computed, and those that say where and how it is carried out."""

    computed: tuple[Change, ...]
    apart: tuple[Change, ...]

    def __bool__(self) -> bool:
        """Whether something else is computed."""
        return bool(self.computed)


def difference(first: Mapping[str, Any], second: Mapping[str, Any]) -> Difference:
    """What differs between two configs; a path that differs by the folders of `paths` alone decides nothing."""
    deciding = {change.key for change in changes(computed(first), computed(second))}
    every = list(changes(plain(first), plain(second)))
    return Difference(
        tuple(change for change in every if change.key in deciding),
        tuple(change for change in every if change.key not in deciding),
    )


def changes(first: Mapping[str, Any], second: Mapping[str, Any], above: str = "") -> Iterator[Change]:
    """The leaves that differ, in the order of the configs. A list is one value; an empty room has no leaves."""
    for key in dict.fromkeys([*first, *second]):
        where = f"{above}{key}"
        one, two = first.get(key), second.get(key)
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            yield from changes(one, two, f"{where}.")
        elif isinstance(one, Mapping) and one and two is None:
            yield from (Change(leaf, value, None, "first") for leaf, value in leaves(one, f"{where}."))
        elif isinstance(two, Mapping) and two and one is None:
            yield from (Change(leaf, None, value, "second") for leaf, value in leaves(two, f"{where}."))
        elif key not in first or key not in second:
            yield Change(where, one, two, "second" if key not in first else "first")
        elif not equal(one, two):
            yield Change(where, one, two)


def leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every dotted key of a tree with its value."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def config_of(record: Record) -> dict[str, Any]:
    """The config that a run was started with, as its folder keeps it."""
    config: dict[str, Any] = _yaml(record, CONFIG, dict)
    return config


def words_of(record: Record) -> list[str]:
    """The words of the command that a run was started by."""
    return [str(word) for word in _yaml(record, WORDS, list)]


def _yaml(record: Record, name: str, kind: type) -> Any:
    path = record.folder / name
    try:
        found = read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        told = getattr(error, "strerror", None) or "it is no yaml"
        raise UserError(f"{path} cannot be read ({told}): a run is known by this file.") from error
    if not isinstance(found, kind):
        raise UserError(f"{path} was damaged: a {'list' if kind is list else 'tree of keys'} was expected in it.")
    return found


def equal(one: Any, two: Any) -> bool:
    """Whether two values are the same: 1 and 1.0 are the same number, 1 and true are not the same."""
    return one == two and isinstance(one, bool) == isinstance(two, bool)
