"""Everything a run writes, handed on to its mirrors; one that fails is told, noted and left out.

No mirror can end a run: what it raises stays here. Only Ctrl-C and SIGTERM pass.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.runs.mirrors.facts import facts_of, gone_on_with
from sonar_slt.runs.mirrors.mirror import Ending, Former, Mirror
from sonar_slt.runs.mirrors.summary import final_scores, said


class Mirrors:
    """The mirrors of one run; `note` writes what is known of them into its record."""

    def __init__(self, note: Callable[[Mapping[str, Any]], None]) -> None:
        self._note = note
        self._open: dict[str, Mirror] = {}
        self._noted: dict[str, dict[str, Any]] = {}
        self._step = 0

    def open(self, mirrors: Mapping[str, Mirror], folder: Path, record: Mapping[str, Any]) -> None:
        """Open each by its name in the room `logger`."""
        for name, mirror in mirrors.items():
            if not isinstance(mirror, Mirror):
                kind = type(mirror).__name__
                raise UserError(f"logger.{name}={kind}: expected a mirror with open, log, samples and finish.")
        for name, mirror in mirrors.items():
            self._open[name] = mirror
            self._noted[name] = {}
            self._try(name, partial(self._begin, name, mirror, folder, record))

    def log(self, split: str, step: int, values: Mapping[str, float]) -> None:
        """Figures of a split at a step."""
        self._step = max(self._step, step)
        self._each(lambda mirror: mirror.log(split, step, values))

    def samples(self, step: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """What was said of some clips at a step."""
        if rows:
            self._each(lambda mirror: mirror.samples("samples", step, rows))

    def finish(self, status: Ending, folder: Path, metrics: Mapping[str, Any]) -> None:
        """Hand over the final scores and some hypotheses, and close."""
        self._each(lambda mirror: self._end(mirror, status, folder, metrics))
        self._open.clear()

    def _begin(self, name: str, mirror: Mirror, folder: Path, record: Mapping[str, Any]) -> None:
        facts = facts_of(folder, record)
        before = gone_on_with(folder, facts.verb, facts.parent)
        notes = [(run.folder, (run.facts.get("mirrors") or {}).get(name)) for run in before]
        former = [Former(place, noted) for place, noted in notes if noted]
        self._noted[name] = dict(mirror.open(facts, former))
        self._note(self._noted)

    def _end(self, mirror: Mirror, status: Ending, folder: Path, metrics: Mapping[str, Any]) -> None:
        if rows := list(said(folder)):
            mirror.samples("hypotheses", self._step, rows)
        _tell(mirror.finish(status, final_scores(metrics)))

    def _each(self, doing: Callable[[Mirror], None]) -> None:
        for name, mirror in list(self._open.items()):
            self._try(name, partial(doing, mirror))

    def _try(self, name: str, doing: Callable[[], None]) -> None:
        try:
            doing()
        except Exception as error:
            self._leave_out(name, error)

    def _leave_out(self, name: str, error: Exception) -> None:
        mirror = self._open.pop(name)
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        _tell(f"logger.{name} is left out from here on, the run goes on without it: {reason}")
        self._noted[name]["failed"] = reason
        with suppress(OSError):
            self._note(self._noted)
        with suppress(Exception):  # as far as it can still be closed
            mirror.finish("failed", {})


def _tell(line: str | None) -> None:
    if line:
        print(line, file=sys.stderr, flush=True)
