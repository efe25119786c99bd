"""Words that mean a run, replaced by the run that they meant: `last` is another one tomorrow.

A config is pinned before its identity is taken and before it is written down, so that the same work has the same id
however its runs were named, and can be done again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.runs.folder import checkpoint_of
from sonar_slt.runs.registry import Record, all_runs, find

AUTO = "auto"
"""As `resume`: the training of this very work that was stopped, if there is one; else from the beginning."""


def pinned(verb: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a verb with every word that means a run replaced by the name of its folder."""
    root = Path(config["paths"]["runs"])
    if verb == "train":
        if config.get("resume") == AUTO:  # a training that was stopped computes what it would have computed anyway
            config = {**config, "resume": None}
        named = {key: find(root, config[key], verb="train") for key in ("resume", "init_from") if _is_run(config, key)}
        return {**config, **{key: place(record, root) for key, record in named.items()}}
    if verb == "evaluate":
        return of_evaluation(config, evaluated(config))
    return dict(config)


def evaluated(config: Mapping[str, Any]) -> Record:
    """The training that an evaluation is about; `last`, or nothing, is the newest that has the checkpoint."""
    root, inputs = Path(config["paths"]["runs"]), config["inputs"]
    if len(inputs) > 1:
        raise UserError(f"One run at a time, not {len(inputs)}: `sonar-slt evaluate -m inputs=[A],[B]`.")
    if (word := (inputs or ["last"])[0]) != "last":
        return find(root, word, verb="train")
    for one in all_runs(root):
        if one.verb == "train" and one.space_fingerprint and _has(one, config["checkpoint"]):
            return one
    raise UserError(f"No training in {root} has a checkpoint yet: `sonar-slt train` makes one.")


def of_evaluation(config: Mapping[str, Any], trained: Record) -> dict[str, Any]:
    """The config of an evaluation of this training, as its record keeps it."""
    named = place(trained, Path(config["paths"]["runs"]))
    return {**config, "inputs": [named], "run": named}


def place(record: Record, root: Path) -> str:
    """The word by which a run is found again: the name of its folder, or its path where it lies elsewhere."""
    folder = record.folder.resolve()
    return folder.name if folder.parent == root.resolve() else str(folder)


def _is_run(config: Mapping[str, Any], key: str) -> bool:
    """Whether a key names a run and no file or folder of a reference tool."""
    word = config.get(key)
    if not word or key == "resume":
        return bool(word)
    return bool(config["init_parts"]) and not (word.endswith(".pt") or (Path(word) / "training_state.pt").is_file())


def _has(run: Record, name: str) -> bool:
    return checkpoint_of(run.folder, name).is_file()
