"""What differs between two runs: keys, code, packages, data, scores.

Examples:
    sonar-slt diff 3f2a 99cb
    sonar-slt diff 3f2a last output=difference.json
    sonar-slt diff 3f2a last significance=true languages=[deu_Latn]
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.command.output import write_output
from sonar_slt.errors import UserError
from sonar_slt.files import as_json
from sonar_slt.runs.difference.configs import config_of, difference
from sonar_slt.runs.difference.figures import figures
from sonar_slt.runs.difference.origin import departures, origin_of
from sonar_slt.runs.difference.table import difference_table, machine_readable
from sonar_slt.runs.registry import Record, find

if TYPE_CHECKING:
    from sonar_slt.metrics.metric import Metric
    from sonar_slt.runs.hypotheses.systems import System


def run(config: dict[str, Any], _: Asked) -> None:
    """Print what differs, and write it where a file is named."""
    from rich.console import Console

    if len(config["inputs"]) != 2:
        raise UserError(f"Two runs are compared, not {len(config['inputs'])}: `sonar-slt diff RUN RUN`.")
    root = Path(config["paths"]["runs"])
    first, second = (_found(root, word) for word in config["inputs"])
    parts: dict[str, Any] = {
        "config": difference(*map(config_of, (first, second))),
        "origin": departures(origin_of(first), origin_of(second)),
        "figures": figures(first, second),
    }
    console = Console(highlight=False)
    console.print(difference_table(first, second, **parts))
    written = machine_readable(first, second, **parts)
    if config["significance"]:
        written["significance"] = _significance(config, first, second, console)
    if config["output"]:
        write_output(config["output"], as_json(written))


def _found(root: Path, word: str) -> Record:
    record = find(root, word)
    if record.status == "unreadable":
        raise UserError(f"{record.folder.name} cannot be compared: {record.reason}.")
    return record


def _significance(config: Mapping[str, Any], first: Record, second: Record, console: Any) -> list[dict[str, Any]]:
    """Paired tests, the second run against the first, in every language of both."""
    from sonar_slt.config.build import build
    from sonar_slt.runs.hypotheses.systems import aligned, of_word
    from sonar_slt.runs.scores.table import scores_table

    if not config["metrics"]:
        raise UserError("metrics=[] leaves nothing to compare: `sonar-slt diff --help` lists what there is.")
    root, metrics = Path(config["paths"]["runs"]), tuple(build(config["metrics"]).values())
    about = {"split": config["split"], "languages": config["languages"]["targets"]}
    ours = {one.language: one for one in of_word(root, str(first.folder), **about)}
    theirs = of_word(root, str(second.folder), **about)
    pairs = [(ours[one.language], aligned(one, ours[one.language])) for one in theirs if one.language in ours]
    if not pairs:
        raise UserError(f"{first.folder.name} and {second.folder.name} have hypotheses in no common language.")
    rows = [_tested(one, two, metrics, config) for one, two in pairs]
    console.print(scores_table({"significance": rows}))
    return rows


def _tested(first: System, second: System, metrics: tuple[Metric, ...], config: Mapping[str, Any]) -> dict[str, Any]:
    from sonar_slt.metrics.significance import compared
    from sonar_slt.metrics.text import measurements

    found = [measurements(s.hypotheses, s.references, lang=s.language, metrics=metrics) for s in (second, first)]
    draws = {key: config[key] for key in ("resamples", "trials", "seed")}
    names = {"language": second.language, "system": second.name, "against": first.name}
    return {**names, **draws, "scores": compared(*found, **draws)}
