"""The record of a run: who it is, where it came from, how it ended, and a page to look at it.

This room reads and writes plain json, yaml and text; it imports neither torch nor hydra, so listing runs is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonar_slt.lazy import lazily

if TYPE_CHECKING:
    from sonar_slt.runs.registry import Record, all_runs, find

__all__ = ["Record", "all_runs", "find"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, dict.fromkeys(__all__, f"{__name__}.registry"))
