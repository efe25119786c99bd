"""The other processes of a training: they are told by the first one what to train, and write and say nothing.

Started by the first one on the same machine as `python -m sonar_slt.cli.training.following RANK COUNT PORT gpu|cpu`,
or by torchrun or srun with the very words of the first.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.processes import Place

if TYPE_CHECKING:
    from sonar_slt.task.parallel.ranks import Ranks


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
    from sonar_slt.cli.training.training import watching
    from sonar_slt.config.assembly import assemble
    from sonar_slt.config.build import build
    from sonar_slt.config.permission import permit
    from sonar_slt.runs.folder import checkpoint_of
    from sonar_slt.task.checkpoint import load
    from sonar_slt.task.fitting import fit, following_parts, quiet, steps_not_epochs, use_threads
    from sonar_slt.task.parallel.crew import Crew

    config, folder = told["config"], Path(told["folder"])
    permit(told["allow"])
    use_threads(config["threads"])
    with quiet():
        settings = steps_not_epochs(config["trainer"], eval_every=config["eval_every"])
        crew = Crew(settings, ranks, lost=print)
        trainer = build(crew.settings, logger=False, **following_parts(folder, **watching(config)), **crew.parts())
        made = assemble(config, device=trainer.strategy.root_device)
        made.task.ranks = ranks
        if told["weights"]:
            made.task.load_state_dict(told["weights"], strict=False)
        fit(trainer, made.task, made.data, told["resume"])
        if ranks.broadcast(None):
            load(made.task, checkpoint_of(folder, "best"))
        if made.space:
            made.task.conclude(folder, split=config["conclude"])


def main() -> None:
    """Be one of several processes that the first one started on this machine."""
    rank, count, port, device = sys.argv[1:]
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    from sonar_slt.runs.record import Terminated
    from sonar_slt.task.parallel.ranks import join, leave

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
