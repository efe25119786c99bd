"""The toy world's own space: trained on the spot when it is absent, trained again when its recipe changes.

A space in `outputs/spaces/` carries the hash of the recipe it was made by; another hash means another space.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonar_slt.cli.command.arguments import spelt
from sonar_slt.config.compose import examine
from sonar_slt.errors import UserError
from sonar_slt.files import replace_folder, write_json
from sonar_slt.runs.registry import interrupted, same_work
from sonar_slt.source_hash import code_hash, source_hash

RECIPE = "recipe.json"
INGREDIENTS = ("task", "data", "batches", "objective", "schedule", "trainer")
APART = {"trainer": ("accelerator", "devices", "num_nodes", "strategy", "log_every_n_steps")}
SOURCES = (
    "data/corpora/toy/meaning.py",
    "data/corpora/toy/sentences",
    "data/corpora/toy/text.py",
    "data/bitext.py",
    "objective",
    "data/batches/stream.py",
    "space/fresh.py",
    "space/likelihood.py",
    "space/packing.py",
    "space/pooling.py",
    "space/tokens.py",
    "space/vocabulary.py",
    "task/optimiser.py",
    "task/schedule.py",
    "task/text_space.py",
)
"""The code that decides what a space becomes, beside its config."""


def ensure_space(config: Mapping[str, Any], config_dir: str | None = None) -> bool:
    """Train the configured space by its recipe unless it lies there; whether it was trained now.

    A recipe is an experiment, ours or one of the user's `config_dir`.
    """
    if not config.get("recipe"):
        return False
    from filelock import FileLock
    from rich.console import Console

    folder = Path(config["space"]["source"])
    composed = _composed(config, config_dir)
    wanted = recipe_hash(composed)
    if _made_by(folder) == wanted:
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        made = _made_by(folder)
        if made == wanted:  # another process was faster
            return False
        why = "its recipe has changed" if made else "it is not there yet"
        Console(stderr=True, highlight=False).print(f"Training the text space '{folder}' first: {why}.")
        _train(composed, _words(composed, config["recipe"]), config_dir, folder, wanted)
    return True


def is_current(config: Mapping[str, Any], config_dir: str | None = None) -> bool:
    """Whether the configured space lies there and was made by today's recipe."""
    return not config.get("recipe") or _made_by(Path(config["space"]["source"])) == recipe_hash(
        _composed(config, config_dir)
    )


def recipe_hash(composed: Mapping[str, Any]) -> str:
    """A hash of everything that decides what a space becomes: its config, and the sources that carry it out."""
    kept = {
        name: {key: value for key, value in composed[name].items() if key not in APART.get(name, ())}
        for name in INGREDIENTS
    }
    text = json.dumps([kept, composed["seed"], source_hash(*SOURCES)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _composed(config: Mapping[str, Any], config_dir: str | None) -> dict[str, Any]:
    """The recipe as a training of its own, with the paths and the device of the command that needs it."""
    found = examine("train", [f"experiment={config['recipe']}"], config_dir)
    if found.problems:
        raise UserError(" ".join(found.problems))
    devices = {key: config["trainer"][key] for key in ("accelerator", "devices") if key in config.get("trainer", {})}
    return {**found.config, "paths": config["paths"], "trainer": {**found.config["trainer"], **devices}}


def _made_by(folder: Path) -> str | None:
    """The hash of the recipe that a space was made by, None where there is no whole space."""
    try:
        return str(json.loads((folder / RECIPE).read_text(encoding="utf-8"))["hash"])
    except (OSError, ValueError, KeyError):
        return None


def _words(composed: Mapping[str, Any], name: str) -> list[str]:
    """What one would type to train the same by hand."""
    kept = {f"paths.{key}": value for key, value in composed["paths"].items()}
    kept |= {f"trainer.{key}": composed["trainer"][key] for key in ("accelerator", "devices")}
    return [f"experiment={name}", *(f"{key}={spelt(value)}" for key, value in kept.items())]


def _train(composed: Mapping[str, Any], words: list[str], config_dir: str | None, folder: Path, wanted: str) -> None:
    from sonar_slt.cli.training.training import train

    earlier = same_work(Path(composed["paths"]["runs"]), "train", composed, code=code_hash())
    run, metrics = train(composed, words, parent=interrupted(earlier), facts={"config_dir": config_dir})
    draft = folder.with_name(f".{folder.name}.{wanted}")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(run / "space", draft)
    recipe = {"hash": wanted, "run": run.name, "scores": metrics["space"], "recipe": dict(composed)}
    write_json(draft / RECIPE, recipe)
    replace_folder(draft, folder)
