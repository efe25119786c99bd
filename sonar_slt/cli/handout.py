"""What `sonar-slt report` hands out beside the page of a run: its hypotheses as one zip, sheets for people who judge.

And what it says of the ratings that come back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

Job = Callable[[Mapping[str, Any], "Console"], None]


def handed_out(config: Mapping[str, Any]) -> bool:
    """Do what `bundle`, `assess.clips`, `ratings` or `dashboard` asks for; False where none of them is given."""
    from rich.console import Console

    jobs: dict[str, Job] = {
        "bundle": _bundle,
        "assess.clips": _sheets,
        "ratings": _verdict,
        "dashboard": _dashboard,
    }
    asked = {
        "bundle": config["bundle"],
        "assess.clips": config["assess"]["clips"] is not None,
        "ratings": config["ratings"],
        "dashboard": config["dashboard"],
    }
    named = [name for name, value in asked.items() if value]
    if len(named) > 1:
        raise UserError(f"{' and '.join(named)} are different jobs: give one command for each.")
    if not named:
        return False
    jobs[named[0]](config, Console(highlight=False, soft_wrap=True))
    return True


def _dashboard(config: Mapping[str, Any], console: Console) -> None:
    from sonar_slt.runs.mirrors.workspace import show_dashboard
    from sonar_slt.runs.registry import find
    from sonar_slt.runs.sweeps.sweep import Sweep

    root, inputs = Path(config["paths"]["runs"]), config["inputs"]
    if config["swept"] is None and len(inputs) < 2:
        record = find(root, (inputs or ["last"])[0])
        name, runs = record.name, [record]
    else:
        sweep = Sweep.read(root, config["swept"] or inputs)
        name, ran = sweep.name, [run for run in sweep.runs if run.record.folder.is_dir()]  # a job may have left none
        both = [each for run in ran for each in (run.record, run.judged)]
        runs = list({run.folder: run for run in both}.values())
    console.print(show_dashboard(config["dashboard"], runs, name=name), markup=False)


def _bundle(config: Mapping[str, Any], console: Console) -> None:
    from sonar_slt.runs.hypotheses.bundle import write_bundle
    from sonar_slt.runs.registry import find

    target = Path(config["bundle"]).expanduser()
    if target.suffix != ".zip":
        raise UserError(f"bundle={target}: expected a name that ends in .zip.")
    if len(config["inputs"]) > 1:
        raise UserError(f"bundle={target}: one run at a time, not {len(config['inputs'])}.")
    record = find(Path(config["paths"]["runs"]), (config["inputs"] or ["last"])[0])
    console.print(str(write_bundle(record.folder, target)), markup=False)


def _sheets(config: Mapping[str, Any], console: Console) -> None:
    from sonar_slt.runs.assessment.sheet import write_sheets
    from sonar_slt.runs.registry import find

    if config["output"] is None:
        raise UserError("output= is missing: it names the folder for the sheets and their key.")
    folder = Path(config["output"]).expanduser()
    if folder.exists() and not folder.is_dir():
        raise UserError(f"output={folder} is a file; expected a folder for the sheets.")
    assess, root = config["assess"], Path(config["paths"]["runs"])
    *sheets, key = write_sheets(
        [find(root, word) for word in config["inputs"] or ["last"]],
        folder,
        languages=config["languages"]["targets"],
        clips=assess["clips"],
        judges=assess["judges"],
        together=assess["together"],
        controls=assess["controls"],
        video=Path(assess["video"]).expanduser() if assess["video"] else None,
        seed=config["seed"],
    )
    for path in sheets:
        console.print(f"Sheet  {path}", markup=False)
    console.print(f"Key    {key} (not for the judges)", markup=False)
    console.print(f"Then   sonar-slt report ratings=[…] key={key}", markup=False)


def _verdict(config: Mapping[str, Any], console: Console) -> None:
    from sonar_slt.cli.command.output import write_output
    from sonar_slt.files import as_json
    from sonar_slt.runs.assessment.key import read_key
    from sonar_slt.runs.assessment.ratings import read_ratings
    from sonar_slt.runs.assessment.table import verdict_table
    from sonar_slt.runs.assessment.verdict import verdict

    if config["key"] is None:
        raise UserError("key= is missing: it names the key.json that was written beside the sheets.")
    key = read_key(Path(config["key"]).expanduser())
    returned = read_ratings([Path(name).expanduser() for name in config["ratings"]], key)
    found = verdict(key, returned, seed=config["seed"])
    console.print(verdict_table(found))
    if config["output"]:
        write_output(config["output"], as_json(found))
