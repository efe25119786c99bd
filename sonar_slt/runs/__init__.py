"""The folder of a run: who it is, where it came from, how it ended, and what there is to see of it.

`record` writes one and `registry` reads it; each package beside them makes something of what was read. All is plain
json, yaml and text; neither torch nor hydra is imported, so listing runs is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonar_slt.lazy import lazily

if TYPE_CHECKING:
    from sonar_slt.runs.registry import Record, all_runs, find

__all__ = ["Record", "all_runs", "find"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, dict.fromkeys(__all__, f"{__name__}.registry"))
