"""The first of the processes that train together: it meets the others and tells them what is trained."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sonar_slt.config.permission import permitted
from sonar_slt.processes import place
from sonar_slt.runs.folder import CONFIG

if TYPE_CHECKING:
    from sonar_slt.config.assembly import Assembly
    from sonar_slt.runs.registry import Record
    from sonar_slt.task.parallel.crew import Crew
    from sonar_slt.task.parallel.ranks import Ranks


@contextmanager
def joined(settings: dict[str, Any]) -> Iterator[Ranks | None]:
    """The processes that torchrun or srun started together with this one; None where there are no others."""
    found = place()
    if found or settings.get("devices") != 1:
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # torch remarks that all weights are used, mostly
    if found is None:
        yield None
        return
    from sonar_slt.task.parallel.crew import on_gpu
    from sonar_slt.task.parallel.ranks import join, leave

    os.environ |= found.told()
    ranks = join(found, gpu=on_gpu(settings))
    try:
        yield ranks
    finally:
        leave()


def lead(crew: Crew, made: Assembly, config: Mapping[str, Any], folder: Path, resume: Path | None) -> Ranks:
    """Meet the others and tell them what is trained; what all of them look up is looked up before they come."""
    if crew.many:
        made.data.make_ready()
    ranks = crew.meet()
    if ranks.many:
        weights = {name: weight.cpu() for name, weight in made.task.state_dict().items()} if config["init_from"] else {}
        about = {"config": dict(config), "folder": str(folder), "resume": resume, "allow": permitted()}
        ranks.broadcast({**about, "weights": weights})
    return ranks


def other_batches(config: Mapping[str, Any], parent: Record, processes: int) -> str | None:
    """What is different where another number of processes goes on with a training, in a sentence."""
    former = int(parent.facts.get("processes") or 1)
    if former == processes:
        return None
    told = f"{parent.folder.name} was trained by {former} process{'es' * (former > 1)}, now there are {processes}: "
    saved = yaml.safe_load((parent.folder / CONFIG).read_text(encoding="utf-8"))
    size, before = config["batches"]["size"], former * saved["batches"]["size"]
    if processes * size == before:
        return f"{told}batches stay what they were, and only what dropout draws is different."
    same = f"; batches.size={before // processes} would leave them as they were" if before % processes == 0 else ""
    return f"{told}a step has {processes * size} clips instead of {before}{same}."
