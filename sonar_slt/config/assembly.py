"""From a config to the parts that train or evaluate together: a space, data that serves it, a task that learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonar_slt.config.build import PARTIAL, build, resolve
from sonar_slt.config.signature import signature
from sonar_slt.errors import UserError

if TYPE_CHECKING:
    import torch

    from sonar_slt.space import SentenceSpace

MEASURED = ("adapter", "student")
"""What the task makes itself, to the measure of the space and the clips."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """What was built; `space` is None where the task trains one."""

    space: SentenceSpace | None
    data: Any
    task: Any

    @property
    def facts(self) -> dict[str, Any]:
        """What a run's record should say of them."""
        from sonar_slt.data.census import census
        from sonar_slt.data.clips import Clips

        known = {"space_fingerprint": getattr(self.space, "fingerprint", None)}
        known["manifest_hash"] = getattr(self.data, "digest", None)
        known["corpus"] = census(self.data) if isinstance(self.data, Clips) else None
        return {name: value for name, value in known.items() if value is not None}


def corpus_of(config: Mapping[str, Any]) -> Any:
    """The corpus; one that is prepared is told how."""
    node = config["data"]
    taken = signature(node["_target_"])
    if taken is None or "preparation" not in taken.parameters:
        return build(node)
    if not config.get("preparation"):
        raise UserError(f"preparation=null: {node['_target_']} has to be told how clips are prepared.")
    return build(node, preparation=build(config["preparation"], normalise=build(config["normalise"])))


def reads(config: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The tracks that the adapter would like; None where there is no adapter."""
    adapter = config.get("adapter")
    return None if not adapter else tuple(resolve(adapter["_target_"]).reading(adapter))


def batches_of(config: Mapping[str, Any], space: SentenceSpace | None) -> Any:
    """The data module: batches of the corpus, as the task's student and the space read them."""
    parts = {"corpus": corpus_of(config), "space": space, "reads": reads(config)}
    parts |= {room: build(config[room]) for room in ("sampling", "view") if config.get(room)}
    return build(config["batches"], **{name: part for name, part in parts.items() if part is not None})


def assemble(config: Mapping[str, Any], *, device: torch.device | str = "cpu") -> Assembly:
    """Build space, data and task, in this order: each later one is made to the measure of the earlier ones."""
    import pytorch_lightning as pl

    from sonar_slt.augment import Augmentations
    from sonar_slt.objective import Objective

    if not 0 <= config["seed"] < 2**32:
        raise UserError(f"seed={config['seed']}: a seed is a whole number from 0 to {2**32 - 1}.")
    pl.seed_everything(config["seed"], verbose=False)
    space = build(config["space"], device=device) if config.get("space") else None
    data = batches_of(config, space)
    waiting = {room: {**config[room], PARTIAL: True} for room in MEASURED if config.get(room)}
    rooms = {room: build(node) for room, node in waiting.items()}
    if config.get("schedule"):
        rooms["schedule"] = build(config["schedule"])
    if config.get("augment"):
        rooms["augment"] = Augmentations(build(config["augment"]))
    task = build(config["task"], data=data, objective=Objective(build(config["objective"])), **rooms)
    return Assembly(space, data, task)
