"""The other processes of a training: they are told by the first one what to train, and write and say nothing.

Started by the first one on the same machine as `python -m sonar_slt.cli.following RANK COUNT PORT gpu|cpu`, or by
torchrun or srun with the very words of the first.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sonar_slt.config.permission import permitted
from sonar_slt.processes import Place, place

if TYPE_CHECKING:
    from sonar_slt.config.assembly import Assembly
    from sonar_slt.runs.registry import Record
    from sonar_slt.task.crew import Crew
    from sonar_slt.task.ranks import Ranks


@contextmanager
def joined(settings: dict[str, Any]) -> Iterator[Ranks | None]:
    """The processes that torchrun or srun started together with this one; None where there are no others."""
    found = place()
    if found or settings.get("devices") != 1:
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # torch remarks that all weights are used, mostly
    if found is None:
        yield None
        return
    from sonar_slt.task.crew import on_gpu
    from sonar_slt.task.ranks import join, leave

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
    saved = yaml.safe_load((parent.folder / "config.yaml").read_text(encoding="utf-8"))
    size, before = config["batches"]["size"], former * saved["batches"]["size"]
    if processes * size == before:
        return f"{told}batches stay what they were, and only what dropout draws is different."
    same = f"; batches.size={before // processes} would leave them as they were" if before % processes == 0 else ""
    return f"{told}a step has {processes * size} clips instead of {before}{same}."


def follow(ranks: Ranks) -> None:
    """Train what the first process trains, and help it to judge that, without a word."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        try:
            told = ranks.broadcast(None)
        except RuntimeError:  # the first process is gone, and has said why
            raise SystemExit(1) from None
        if told is not None:
            _train(ranks, told)


def _train(ranks: Ranks, told: dict[str, Any]) -> None:
    from sonar_slt.config.assembly import assemble
    from sonar_slt.config.build import build
    from sonar_slt.config.permission import permit
    from sonar_slt.task.checkpoints import load
    from sonar_slt.task.crew import Crew
    from sonar_slt.task.fitting import fit, following_parts, quiet, steps_not_epochs, use_threads

    config, folder = told["config"], Path(told["folder"])
    permit(told["allow"])
    use_threads(config["threads"])
    with quiet():
        looks = {"monitor": config["monitor"], "eval_every": config["eval_every"]}
        chosen = build(config["callbacks"]).values() if config.get("callbacks") else ()
        settings = steps_not_epochs(config["trainer"], eval_every=config["eval_every"])
        crew = Crew(settings, ranks, lost=print)
        trainer = build(crew.settings, logger=False, **following_parts(folder, chosen=chosen, **looks), **crew.parts())
        made = assemble(config, device=trainer.strategy.root_device)
        made.task.ranks = ranks
        if told["weights"]:
            made.task.load_state_dict(told["weights"], strict=False)
        fit(trainer, made.task, made.data, told["resume"])
        if ranks.broadcast(None):
            load(made.task, folder / "checkpoints" / "best.ckpt")
        if made.space:
            made.task.conclude(folder, split=config["conclude"])


def main() -> None:
    """Be one of several processes that the first one started on this machine."""
    rank, count, port, device = sys.argv[1:]
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    from sonar_slt.runs.record import Terminated
    from sonar_slt.task.ranks import join, leave

    try:
        follow(join(Place(int(rank), int(count), int(rank), 0, "127.0.0.1", int(port)), gpu=device == "gpu"))
    except (KeyboardInterrupt, Terminated):  # all of them have agreed to stop
        return
    leave()


def _end_with(parent: int) -> None:
    """End when the first process is gone: what it was to bring never comes."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
