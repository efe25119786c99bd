"""Which runs are meant: by status, verb, name, age, sweep, and by what their configs say.

Cheap questions come first, so that a config is read only of a run that fits in every other way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from sonar_slt.errors import UserError, did_you_mean
from sonar_slt.runs.folder import CONFIG, read_yaml
from sonar_slt.runs.registry import Record
from sonar_slt.runs.sweeps.jobs import jobs_of
from sonar_slt.runs.sweeps.naming import sweep_named

LOOKED_AT = 20
"""Of so many runs all keys are read, to name the nearest one to a key that none has."""
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw])")
CONDITION = re.compile(r"([\w./@-]+)(!?=)(.*)", re.DOTALL)

Test = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """A line of `config.yaml`, or the option of a room, that a run has to have, or not to have."""

    key: str
    value: str
    differs: bool = False

    @classmethod
    def read(cls, text: str) -> Condition:
        """`objective.ce.weight=0`, `data=toy`, `adapter!=spamo`, `name=sign_*`."""
        match = CONDITION.fullmatch(text.strip())
        if match is None:
            raise UserError(f"where=[{text}]: expected key=value or key!=value, such as objective.ce.weight=0.")
        return cls(match[1], match[3].strip(), match[2] == "!=")

    def __call__(self, record: Record) -> bool:
        """Whether a run has it."""
        values = self.values(record)
        return bool(values) and any(map(self._fits, values)) is not self.differs

    def values(self, record: Record) -> list[Any]:
        """What a run has at the key: the option of a room, or a line of its config; nothing where it has no such."""
        choice = (record.facts.get("choices") or {}).get(self.key)
        return _values(record, self.key) if choice is None else [choice]

    def _fits(self, value: Any) -> bool:
        if isinstance(value, list):  # one of several, or all of them as [a,b]
            return f"[{','.join(map(str, value))}]" == self.value.replace(" ", "") or any(map(self._fits, value))
        if isinstance(value, str):
            return fnmatchcase(value, self.value)
        if isinstance(value, bool) or value is None:
            return self.value == {True: "true", False: "false", None: "null"}[value]
        try:
            return bool(float(self.value) == value)
        except ValueError:
            return False


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is asked of runs; what is left empty asks nothing."""

    status: Sequence[str] = ()
    verb: Sequence[str] = ()
    name: Sequence[str] = ()
    since: datetime | None = None
    swept: str | None = None
    where: Sequence[Condition] = field(default_factory=tuple)

    def among(self, runs: Sequence[Record], root: Path) -> Iterator[Record]:
        """Those of `runs` that fit, in the same order; found one by one, so that a few cost little."""
        swept = self._swept(runs, root)
        for run in runs:
            if (swept is None or run.folder in swept) and all(test(run) for test in self._tests()):
                yield run

    def lacking(self, runs: Sequence[Record]) -> str | None:
        """Which question alone leaves no run, with the nearest that would: what to say where none fits."""
        asked = [("verb", self.verb, {run.verb for run in runs}), ("name", self.name, {run.name for run in runs})]
        for key, patterns, known in asked:
            for pattern in patterns:
                if not any(fnmatchcase(one, pattern) for one in known):
                    return f"{key}={pattern}: none of the runs has it.{did_you_mean(pattern, known)}"
        for condition in self.where:
            if not any(condition.values(run) for run in runs):
                keys = {key for run in runs[:LOOKED_AT] for key in _keys(run)}
                return f"where=[{condition.key}=…]: none of the runs has such a key.{did_you_mean(condition.key, keys)}"
        return None

    def _tests(self) -> Iterator[Test]:
        if self.status:
            yield lambda run: run.status in self.status
        if self.verb:
            yield lambda run: any(fnmatchcase(run.verb, one) for one in self.verb)
        if self.name:
            yield lambda run: any(fnmatchcase(run.name, one) for one in self.name)
        if (since := self.since) is not None:
            yield lambda run: run.started is not None and run.started >= since
        yield from self.where

    def _swept(self, runs: Sequence[Record], root: Path) -> set[Path] | None:
        if self.swept is None:
            return None
        _, sweeps = sweep_named(runs, root, self.swept)
        done_before = {root / job.run for sweep in sweeps for job in jobs_of(sweep.folder) if job.run}
        return done_before | {run.folder for sweep in sweeps for run in sweep.runs}


def moment(text: str, now: datetime | None = None) -> datetime:
    """`2d` (two days ago; also m, h, w), or a date with or without a time, as a moment of this place's clock."""
    now = now or datetime.now().astimezone()
    if match := AGE.fullmatch(text.strip()):
        return now - timedelta(**{UNITS[match[2]]: float(match[1])})
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except ValueError:
        raise UserError(
            f"since={text}: expected an age such as 30m, 12h, 2d, 1w, or a date such as {now:%Y-%m-%d}."
        ) from None


def _values(record: Record, key: str) -> list[Any]:
    """What a run's config says at a dotted key, in a list; of a room the names in it. Nothing where it is not.

    Only the lines below the key are parsed: a whole config takes a hundred times as long.
    """
    lines, indent = _config(record), ""
    for part in key.split("."):
        found = re.search(rf"^{indent}['\"]?{re.escape(part)}['\"]?:(?=\s)", lines, re.MULTILINE)
        if found is None:
            return []
        after = lines[found.end() :]
        end = re.search(rf"\n {{0,{len(indent)}}}[^\s-]", after)
        lines, indent = after[: end.start() if end else None], indent + "  "
    try:
        value = read_yaml(lines)
    except yaml.YAMLError:
        return []
    return [list(value)] if isinstance(value, Mapping) else [value]


def _config(record: Record) -> str:
    try:
        return (record.folder / CONFIG).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _keys(record: Record) -> set[str]:
    """Every dotted key of a run's config, and the rooms that it chose in."""
    try:
        config = read_yaml(_config(record))
    except yaml.YAMLError:
        config = None
    return set(record.facts.get("choices") or {}) | set(_dotted(config))


def _dotted(node: Any, above: str = "") -> Iterator[str]:
    for key, value in node.items() if isinstance(node, Mapping) else ():
        yield f"{above}{key}"
        yield from _dotted(value, f"{above}{key}.")
