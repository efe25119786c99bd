"""What is wrong with a command, in one line each, with the nearest name that would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sonar_slt.errors import did_you_mean, nearest


@dataclass(frozen=True)
class Problem:
    """One fault: the dotted key it lies at ("" for none), the sentence, and whether a value is only missing."""

    key: str
    text: str
    missing: bool = False


def unknown_key(key: str, known: Iterable[str], remark: str = "") -> Problem:
    """The sentence about a key that nothing reads; names under the same parent are looked at first."""
    names = set(known)
    parent, dot, last = key.rpartition(".")
    siblings = sorted(name.rpartition(".")[2] for name in names if name.rpartition(".")[0] == parent)
    if near := nearest(last, siblings):
        return Problem(key, f"Unknown key {key}{remark}. Did you mean {parent}{dot}{near[0]}?")
    if parent in names:
        told = f"It has {', '.join(siblings[:12])}." if siblings else f"{parent} has no keys of its own."
        return Problem(key, f"Unknown key {key}{remark}. {told}")
    hint = f" Did you mean {mended}?" if (mended := _mended(key, names)) else did_you_mean(key, names)
    return Problem(key, f"Unknown key {key}{remark}.{hint}")


def _mended(key: str, names: set[str]) -> str | None:
    """The key with each part that is not there replaced by the nearest one beside it; None where one has none."""
    above = ""
    for part in key.split("."):
        siblings = {name.rpartition(".")[2] for name in names if name.rpartition(".")[0] == above}
        near = [part] if part in siblings or not siblings else nearest(part, siblings)
        if not near:
            return None
        above = f"{above}.{near[0]}" if above else near[0]
    return above


def missing_value(key: str, wanted: str = "") -> Problem:
    """The sentence about a key whose value only the user can give."""
    return Problem(key, f"Missing value: give {key}=…{f' ({wanted})' if wanted else ''}.", missing=True)
