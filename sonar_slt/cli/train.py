"""Train a student of a sentence space, or the space itself.

Examples:
    sonar-slt train
    sonar-slt train objective.cosine.weight=0 trainer.max_steps=500
    sonar-slt train -m seed=1,2,3 student=lora,frozen
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sonar_slt.cli.recipe import ensure_space
from sonar_slt.runs.provenance import code_hash
from sonar_slt.runs.registry import Record, find


def run(config: dict[str, Any]) -> float | None:
    """Train as configured; what a sweeper may optimise comes back."""
    call = config.pop("call")
    ensure_space(config, call["config_dir"])
    parent = find(Path(config["paths"]["runs"]), config["resume"], verb="train") if config["resume"] else None
    _, metrics = train(config, call["overrides"], parent=parent)
    bleu = metrics.get("mean_bleu", {}).get("trained")
    return float(bleu) if bleu is not None else None


def train(
    config: Mapping[str, Any], overrides: Sequence[str], *, parent: Record | None = None
) -> tuple[Path, dict[str, Any]]:
    """One training in a run folder of its own, going on from `parent` if there is one; the folder and its metrics."""
    from rich.console import Console

    from sonar_slt.config.assembly import assemble
    from sonar_slt.config.build import build
    from sonar_slt.runs.record import Run
    from sonar_slt.runs.report import write_report
    from sonar_slt.task.fitting import fit, quiet, run_parts, steps_not_epochs

    console = Console(stderr=True, highlight=False)
    begun = Run.start(
        Path(config["paths"]["runs"]),
        verb="train",
        name=config["name"],
        config=config,
        overrides=list(overrides),
        parent=parent.folder.name if parent else None,
    )
    with quiet(), begun as current:
        console.print(f"Run {current.id} in {current.folder}")
        parts = run_parts(current, config["name"])
        mirrors = (
            [build(config["logger"], save_dir=current.folder, id=current.folder.name)] if config.get("logger") else []
        )
        trainer = build(steps_not_epochs(config["trainer"]), logger=[parts.pop("journal"), *mirrors], **parts)
        made = assemble(config, device=trainer.strategy.root_device)
        current.update(device=str(trainer.strategy.root_device), code=code_hash(), **made.facts)
        fit(trainer, made.task, made.data, parent.checkpoints / "last.ckpt" if parent else None)
        metrics = made.task.conclude(current.folder, split=config["conclude"], tell=console.print)
        current.update(metrics=metrics)
        for mirror in mirrors:
            mirror.experiment.finish()
    write_report(current.folder)
    return current.folder, metrics
