"""What was run: the runs in a table, those that fit alone, or one of them whole.

Examples:
    sonar-slt runs
    sonar-slt runs status=[failed,killed] since=2d
    sonar-slt runs verb=train where=[objective.ce.weight=0,data=toy] sort=bleu limit=10
    sonar-slt runs sweep=last output=sweep.csv limit=null
    sonar-slt runs show last
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.errors import UserError
from sonar_slt.runs.registry import Record, all_runs, find

FILTERS = ("status", "verb", "name", "since", "swept", "where")
WIDE = 160
"""Columns of a listing that goes into a file or a pipe."""


def run(config: dict[str, Any], _: Asked) -> None:
    """Print the table of the runs that are asked for, or what is known of one."""
    from rich.console import Console

    root, words = Path(config["paths"]["runs"]), config["inputs"]
    onto_terminal = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(highlight=False, width=None if onto_terminal else WIDE)
    match words:
        case []:
            _list(config, root, console)
        case ["show"] | ["show", _]:
            _refuse_beside_show(config)
            from sonar_slt.runs.listing.portrait import portrait

            console.print(portrait(find(root, words[1] if words[1:] else "last"), all_runs(root)))
        case _:
            hint = f" To see one run: `sonar-slt runs show {words[0]}`." if len(words) == 1 else ""
            raise UserError(
                f"`sonar-slt runs {' '.join(words)}` is not understood: `sonar-slt runs` lists runs, with keys such as "
                f"status=failed those that fit.{hint}"
            )


def _list(config: dict[str, Any], root: Path, console: Any) -> None:
    from sonar_slt.runs.listing.export import require_known, write_listing
    from sonar_slt.runs.listing.order import in_order
    from sonar_slt.runs.listing.table import runs_table

    limit, output = config["limit"], Path(config["output"]) if config["output"] else None
    if output:
        require_known(output)
    everything = all_runs(root)
    if not everything:
        console.print(f"No runs in {root} yet: `sonar-slt train` makes one.")
        return
    found = _fitting(config, everything, root)
    if not found:
        console.print(f"None of the {len(everything):,} runs in {root} fits.")
        return
    fitting = in_order(found, config["sort"], reverse=config["reverse"])
    chosen = fitting[:limit]
    console.print(runs_table(chosen, figure=config["sort"], width=console.width))
    if len(chosen) < len(fitting):
        console.print(f"{len(chosen)} of {len(fitting):,} runs; limit=null takes all.")
    if output:
        write_listing(chosen, output)
        console.print(f"Written: {output}", soft_wrap=True)


def _fitting(config: dict[str, Any], everything: list[Record], root: Path) -> list[Record]:
    from sonar_slt.runs.listing.selection import Condition, Selection, moment

    selection = Selection(
        status=config["status"],
        verb=config["verb"],
        name=config["name"],
        since=moment(config["since"]) if config["since"] else None,
        swept=config["swept"],
        where=[Condition.read(text) for text in config["where"]],
    )
    found = list(selection.among(everything, root))
    if not found and (lacking := selection.lacking(everything)):
        raise UserError(lacking)
    return found


def _refuse_beside_show(config: dict[str, Any]) -> None:
    for key in (*FILTERS, "output"):
        if config[key]:
            typed = "sweep" if key == "swept" else key
            raise UserError(f"{typed}= is for the list of runs; `sonar-slt runs show` takes one run and nothing else.")
