"""Train a student of a sentence space, or the space itself.

Examples:
    sonar-slt train
    sonar-slt train objective.cosine.weight=0 trainer.max_steps=500
    sonar-slt train -m seed=1,2,3 student=lora,frozen
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.evaluate import show_scores
from sonar_slt.cli.training.following import follow
from sonar_slt.cli.training.recipe import ensure_space
from sonar_slt.cli.training.together import joined
from sonar_slt.cli.training.tracks import prepare_tracks
from sonar_slt.cli.training.training import train
from sonar_slt.errors import UserError
from sonar_slt.runs.difference.configs import config_of, difference
from sonar_slt.runs.folder import checkpoint_of
from sonar_slt.runs.pinned import AUTO, pinned
from sonar_slt.runs.provenance.identity import identity
from sonar_slt.runs.provenance.slurm import restarts
from sonar_slt.runs.registry import Record, find, interrupted, same_work

SHOWN = 6
"""So many changed settings are told of one by one."""

if TYPE_CHECKING:
    from sonar_slt.task.parallel.ranks import Ranks


def run(config: dict[str, Any], asked: Asked) -> float | None:
    """Train as configured, alone or with the processes that were started beside this one."""
    with joined(config["trainer"]) as ranks:
        if ranks and ranks.rank:
            follow(ranks)
            return None
        return _first(config, asked, ranks)


def _first(config: dict[str, Any], asked: Asked, ranks: Ranks | None) -> float | None:
    """Train as configured; what a sweeper may optimise comes back."""
    going_on = config["resume"] == AUTO or restarts() > 0
    config = pinned("train", config)
    work = identity("train", config)
    _require_sense(config, asked.choices)
    parent = asked.stopped or _resumed(config)
    if config.get("preparation"):
        config = prepare_tracks(config)
    ensure_space(config, asked.config_dir)
    if going_on:
        parent = stopped(config) or parent
    if parent and (told := _changed(parent, config)):
        print(told, file=sys.stderr, flush=True)
    facts = {**asked.facts, "asked": work}
    folder, metrics = train(config, asked.overrides, parent=parent, facts=facts, ranks=ranks)
    if metrics.get("scores"):
        show_scores(folder, metrics)
    bleu = metrics.get("mean_bleu", {}).get("trained")
    return float(bleu) if bleu is not None else None


def _require_sense(config: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
    """Refuse words that contradict each other, before anything is made."""
    block = choices.get("visual_block")
    if block in ("pretrained", "frozen") and not (config["init_from"] or config["resume"]):
        raise UserError(f"visual_block={block} is of another training: name it by init_from=RUN (`sonar-slt runs`).")
    if config["task"].get("judged") == 0 and config["monitor"].startswith(("dev/bleu", "dev/chrf")):
        raise UserError(f"task.judged=0 leaves no {config['monitor']} to choose by: add monitor=dev/loss.")


def stopped(config: Mapping[str, Any]) -> Record | None:
    """The training of this very work that was stopped last, unless one has finished since."""
    done = same_work(Path(config["paths"]["runs"]), "train", config)
    return interrupted(takewhile(lambda run: run.status != "finished", done))


def _changed(parent: Record, config: Mapping[str, Any]) -> str | None:
    """What is asked for otherwise than it was, in a sentence: `resume=` takes up weights and place, no words."""
    found = difference(config_of(parent), {**config, "resume": None}).computed
    told = [f"{change.key} {change.first} → {change.second}" for change in found if change.key != "resume"]
    if not told:
        return None
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return (
        f"Going on with {parent.folder.name} under other settings than its own: {', '.join(told[:SHOWN])}{more}. "
        "Give its words again to keep them; resume=auto finds the run of the same words."
    )


def _resumed(config: Mapping[str, Any]) -> Record | None:
    """The training to go on with, if one is named."""
    if not config["resume"]:
        return None
    parent = find(Path(config["paths"]["runs"]), config["resume"], verb="train")
    if not checkpoint_of(parent.folder).is_file():
        raise UserError(f"{parent.folder.name} left no checkpoint to go on from: `sonar-slt runs` lists the runs.")
    return parent
