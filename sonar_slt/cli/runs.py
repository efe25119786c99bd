"""What was run: all runs in a table, or one of them whole.

Examples:
    sonar-slt runs
    sonar-slt runs show last
    sonar-slt runs show 3f2a
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.runs.registry import all_runs, find


def run(config: dict[str, Any]) -> None:
    """Print the table of all runs, or what is known of one."""
    from rich.console import Console

    from sonar_slt.runs.table import runs_table, show

    root, words = Path(config["paths"]["runs"]), config["inputs"]
    console = Console(highlight=False)
    match words:
        case []:
            records = all_runs(root)
            console.print(runs_table(records) if records else f"No runs in {root} yet: `sonar-slt train` makes one.")
        case ["show", word]:
            console.print(show(find(root, word)))
        case _:
            raise UserError(
                f"`sonar-slt runs {' '.join(words)}` is not understood: `sonar-slt runs` or `… runs show ID`."
            )
