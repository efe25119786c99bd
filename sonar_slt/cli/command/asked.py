"""What a verb is told beside its config: the words that were given, and where among other jobs this one belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sonar_slt.runs.registry import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One job of a command."""

    overrides: Sequence[str] = ()
    choices: Mapping[str, Any] = field(default_factory=dict)  # the option of each room
    config_dir: str | None = None  # the user's own folder of options
    rerun_of: str | None = None  # the folder of the run that is done again
    sweep: str | None = None  # the folder of the sweep that it is a job of
    job: int | None = None  # its number there
    stopped: Record | None = None  # the run that was stopped at this very work

    @property
    def facts(self) -> dict[str, Any]:
        """What the record of a run keeps of it."""
        return {name: getattr(self, name) for name in ("choices", "sweep", "job", "config_dir", "rerun_of")}
