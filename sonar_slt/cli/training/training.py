"""One training in a run folder of its own, from nothing, from the weights of another, or from where one was stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.entries import note_run
from sonar_slt.cli.training.together import lead, other_batches
from sonar_slt.errors import UserError
from sonar_slt.runs.folder import checkpoint_of, checkpoints_of
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, find, require_same
from sonar_slt.source_hash import code_hash

if TYPE_CHECKING:
    from sonar_slt.config.assembly import Assembly
    from sonar_slt.task.parallel.ranks import Ranks

Tell = Callable[[str], None]


def train(
    config: Mapping[str, Any],
    overrides: Sequence[str],
    *,
    parent: Record | None = None,
    facts: Mapping[str, Any] = {},
    ranks: Ranks | None = None,
) -> tuple[Path, dict[str, Any]]:
    """One training, going on from `parent` if there is one; its folder and its metrics.

    `ranks` are the processes that torchrun or srun started; those that `trainer.devices` asks for are started here.
    """
    from rich.console import Console

    from sonar_slt.runs.report import write_report
    from sonar_slt.task.fitting import quiet, use_threads

    tell = Console(stderr=True, highlight=False).print
    use_threads(config["threads"])
    begun = Run.start(
        Path(config["paths"]["runs"]),
        verb="train",
        name=config["name"],
        config=config,
        overrides=list(overrides),
        parent=parent.folder.name if parent else facts.get("rerun_of"),
        facts={**facts, "rerun_of": None} if parent else facts,
    )
    with quiet(), begun as current:
        note_run(facts, current.folder)
        tell(f"Run {current.id} in {current.folder}")
        metrics = _trained(config, current, parent, ranks, tell)
        current.update(metrics=metrics)
    write_report(current.folder)
    return current.folder, metrics


def _trained(
    config: Mapping[str, Any], current: Run, parent: Record | None, ranks: Ranks | None, tell: Tell
) -> dict[str, Any]:
    """Assemble, fit and judge; what the record keeps of it is written on the way."""
    from sonar_slt.config.assembly import assemble
    from sonar_slt.config.build import build
    from sonar_slt.task.checkpoint import load
    from sonar_slt.task.fitting import fit, run_parts, steps_not_epochs
    from sonar_slt.task.parallel.crew import Crew

    parts = run_parts(current, config["name"], **watching(config))
    journal = parts.pop("journal")
    current.mirror(build(config.get("logger")))
    settings = steps_not_epochs(config["trainer"], eval_every=config["eval_every"])
    with Crew(settings, ranks, lost=partial(current.close, "failed")) as crew:
        trainer = build(crew.settings, logger=[journal], **parts, **crew.parts())
        journal.follow(trainer)
        made = assemble(config, device=trainer.strategy.root_device)
        if config["conclude"] and made.space:
            made.data.require(config["conclude"], made.data.targets)
        current.update(device=str(trainer.strategy.root_device), code=code_hash(), **made.facts)
        last = _begin(config, made, current, parent, tell)
        current.update(processes=crew.count)
        if parent and (changed := other_batches(config, parent, crew.count)):
            tell(changed)
        made.task.ranks = lead(crew, made, config, current.folder, last)
        fit(trainer, made.task, made.data, last)
        best = checkpoint_of(current.folder, "best")
        judged = bool(config["conclude"] and made.space and best.is_file())
        if made.task.ranks.broadcast(judged):
            load(made.task, best)
        metrics: dict[str, Any] = made.task.conclude(current.folder, split=config["conclude"], tell=tell)
    return metrics


def watching(config: Mapping[str, Any]) -> dict[str, Any]:
    """What happens on the way: the callbacks that were chosen, and the looks at the dev split."""
    from sonar_slt.config.build import build

    chosen = build(config["callbacks"]).values() if config.get("callbacks") else ()
    return {"monitor": config["monitor"], "eval_every": config["eval_every"], "chosen": chosen}


def _begin(config: Mapping[str, Any], made: Assembly, current: Run, parent: Record | None, tell: Tell) -> Path | None:
    """The checkpoint of `parent` that is gone on from; without one, the weights that `init_from` means are taken."""
    from sonar_slt.task.checkpoint import take_over

    if parent:
        require_same(parent, made.facts, "it cannot be gone on with")
        for name in ("best", "last"):  # there may be no better one to come, and no further step
            take_over(checkpoint_of(parent.folder, name), checkpoints_of(current.folder))
        return checkpoint_of(parent.folder)
    if config["init_from"]:
        facts = take_weights(config, made)
        current.update(**facts)
        for told in facts.get("init_told", ()):
            tell(told)
    return None


def take_weights(config: Mapping[str, Any], made: Assembly) -> dict[str, Any]:
    """Take over the weights that `init_from` means; what the record should say of it."""
    from sonar_slt.task.start import start_from

    word, parts = config["init_from"], config["init_parts"]
    if not made.space:
        raise UserError("init_from= is for students of a space; a space is trained from nothing or gone on with.")
    if not parts:
        return {"init_from": None}
    if word.endswith(".pt") or (Path(word) / "training_state.pt").is_file():
        from sonar_slt.task.reference.start import start_from_reference

        return {"init_from": word, "init_told": start_from_reference(made.task, Path(word), parts)}
    former = find(Path(config["paths"]["runs"]), word, verb="train")
    require_same(former, {"space_fingerprint": made.facts["space_fingerprint"]}, "its weights mean nothing here")
    there = [checkpoint_of(former.folder, name) for name in ("best", "last")]
    source = next((path for path in there if path.is_file()), None)
    if source is None:
        raise UserError(f"{former.folder.name} left no checkpoint to begin with: `sonar-slt runs` lists the runs.")
    start_from(made.task, source, parts, said=former.folder.name)
    return {"init_from": former.folder.name}
