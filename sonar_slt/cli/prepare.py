"""From a release to a corpus that trains: a manifest, a clip store, a list of faults, and a page to look at.

A job that was killed goes on where it was. With write_as= the toy world is written out instead, as a corpus is
released, to try a reader on.

Examples:
    sonar-slt prepare data=phoenix14t data.root=/data/PHOENIX-2014-T data.poses=/data/poses
    sonar-slt prepare data=how2sign data.root=/data/How2Sign preparation.layout=null
    sonar-slt prepare data=toy write_as=csl_daily traps=all
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.arguments import quoted
from sonar_slt.cli.command.asked import Asked
from sonar_slt.errors import UserError
from sonar_slt.runs.record import Terminated, ended_by_sigterm

if TYPE_CHECKING:
    from rich.console import Console


def run(config: dict[str, Any], _: Asked) -> None:
    """Prepare the corpus, or write the toy world out."""
    from rich.console import Console

    from sonar_slt.config.assembly import corpus_of
    from sonar_slt.data.corpus import Corpus
    from sonar_slt.data.preparation.job import prepare
    from sonar_slt.data.preparation.table import show
    from sonar_slt.data.prepared_folder import has_points
    from sonar_slt.data.served import parts_of

    console = Console(highlight=False, markup=False, soft_wrap=True)
    _checked(config)
    if config["write_as"]:
        _write(config, console)
        return
    corpus = corpus_of(config)
    for part in parts_of(corpus):
        if not isinstance(part, Corpus):
            raise UserError("There is nothing to prepare of this data: `sonar-slt prepare --help` lists the corpora.")
        try:
            with ended_by_sigterm():
                outcome = prepare(part, workers=config["workers"], renew=config["renew"])
        except (KeyboardInterrupt, Terminated):
            console.print("Stopped. The same command goes on from here.")
            raise
        show(console, outcome)
        if not has_points(outcome.folder):
            console.print("No points: nothing can be trained on it until data.poses=FOLDER gives a pose file per clip.")


def _checked(config: Mapping[str, Any]) -> None:
    if config["workers"] is not None and config["workers"] < 0:
        raise UserError(f"workers={config['workers']}: a number of processes, 0 for none, null for one a core.")
    if not config["write_as"] and (lone := [key for key in ("traps", "output") if config[key]]):
        raise UserError(f"{lone[0]}= goes with write_as=: `sonar-slt prepare data=toy write_as=phoenix14t`.")


def _write(config: Mapping[str, Any], console: Console) -> None:
    """The toy world as a release, and the command that reads it."""
    from sonar_slt.config.assembly import corpus_of
    from sonar_slt.data.corpora.toy.corpus import ToyCorpus
    from sonar_slt.data.corpora.toy.written import OPTIONS, RATES, write_release

    layout, data = config["write_as"], dict(config["data"])
    if data.get("fps", 0) is None:
        data["fps"] = RATES.get(layout)
    world = corpus_of({**config, "data": data})
    if not isinstance(world, ToyCorpus):
        raise UserError(f"write_as={layout} writes the toy world out: choose data=toy.")
    root = Path(config["output"] or Path(config["paths"]["outputs"]) / "releases" / f"toy-{layout}")
    planted = write_release(layout, world, root, traps=_traps(layout, config["traps"]))
    console.print(f"Written: the toy world as {layout} in {root}")
    for one in planted:
        console.print(f"Planted: {one.trap}, {one.kind or 'no fault'}, {one.id}")
    options = [f"data={layout}", f"data.root={_value(root)}"]
    options += [f"data.{key}={value}" for key, value in OPTIONS[layout].items()]
    console.print(f"Read it: sonar-slt prepare {shlex.join(options)}")


def _value(path: Path) -> str:
    """A path as Hydra takes it; one with a slash and nothing special is neither a number nor anything else."""
    return str(path) if re.fullmatch(r"[\w./-]*/[\w./-]*", str(path), re.ASCII) else quoted(str(path))


def _traps(layout: str, asked: Sequence[str] | str) -> Sequence[str]:
    """The names of the traps; `all` stands for every one of the layout."""
    from sonar_slt.data.corpora.toy.written import TRAPS

    names = [asked] if isinstance(asked, str) else list(asked)
    return list(TRAPS.get(layout, ())) if names == ["all"] else names
