"""Translate held-out clips with a trained run and score what it says.

Examples:
    sonar-slt evaluate
    sonar-slt evaluate 3f2a9c01 languages=[deu_Latn,tur_Latn] num_beams=1
    sonar-slt evaluate last split=dev output=scores.json
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.runs.files import write_json
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, all_runs, find, require_same


def run(config: dict[str, Any]) -> float | None:
    """Evaluate as configured; the mean BLEU over trained languages comes back."""
    from rich.console import Console

    from sonar_slt.runs.table import scores_table

    call = config.pop("call")
    if len(config["inputs"]) > 1:
        raise UserError(f"One run at a time, not {len(config['inputs'])}: `sonar-slt evaluate -m inputs=[A],[B]`.")
    trained = _asked_for(config)
    folder, metrics = evaluate(config, trained, call["overrides"])
    console = Console(highlight=False)
    console.print(scores_table(metrics))
    console.print(f"Retrieval@1 {metrics['retrieval_at_1']:.1f} %. Report: {folder / 'report.html'}")
    if config["output"]:
        target = Path(config["output"])
        target.parent.mkdir(parents=True, exist_ok=True)
        write_json(target, machine_readable(metrics))
    return float(metrics["mean_bleu"].get("trained", next(iter(metrics["mean_bleu"].values()))))


def evaluate(config: Mapping[str, Any], trained: Record, overrides: Sequence[str]) -> tuple[Path, dict[str, Any]]:
    """Evaluate one trained run in a run folder of its own; the folder and the metrics."""
    import yaml
    from rich.console import Console

    from sonar_slt.config.assembly import assemble
    from sonar_slt.runs.report import write_report
    from sonar_slt.task import evaluation
    from sonar_slt.task.checkpoints import load
    from sonar_slt.task.fitting import best_device, quiet, use_threads

    saved = yaml.safe_load((trained.folder / "config.yaml").read_text(encoding="utf-8"))
    checkpoint = trained.checkpoints / f"{config['checkpoint']}.ckpt"
    if not checkpoint.is_file():
        raise UserError(f"{trained.folder.name} has no {checkpoint.name}: it was {trained.status}; `sonar-slt runs`.")
    if not saved.get("space"):
        raise UserError(
            f"{trained.folder.name} trained a text space; its scores are in `sonar-slt runs show {trained.id}`."
        )
    if not saved.get("batches"):
        raise UserError(f"{trained.folder.name} was trained by an older version whose data was configured otherwise.")
    if config.get("view"):
        saved["view"] = config["view"]
    console = Console(stderr=True, highlight=False)
    with quiet():
        use_threads(saved.get("threads"))
        made = assemble(saved, device=best_device())
    require_same(trained, made.facts, "its scores would mean something else")
    made.data.require(config["split"], config["languages"]["targets"] or made.data.targets)
    languages = config["languages"]["targets"] or made.data.scorable(config["split"])
    load(made.task, checkpoint)
    begun = Run.start(
        Path(config["paths"]["runs"]),
        verb="evaluate",
        name=trained.name,
        config={**config, "run": trained.folder.name},
        overrides=list(overrides),
        parent=trained.folder.name,
    )
    with quiet(), begun as current:
        result = evaluation.evaluate(
            made.task.adapter.to(made.data.space.device),
            made.task.student,
            made.data,
            split=config["split"],
            languages=languages,
            num_beams=config["num_beams"],
            seed=config["seed"],
            tell=console.print,
        )
        result.write(current.folder)
        current.update(metrics=result.metrics, device=str(made.data.space.device), **made.facts)
    write_report(current.folder)
    return current.folder, result.metrics


def machine_readable(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The scores of one language as one object, those of several by language code."""
    by_language = {
        entry["language"]: {
            "scores": {name: entry[name] for name in ("bleu", "chrf")},
            **{name: entry[name] for name in ("n", "ids_hash", "language", "references")},
        }
        for entry in metrics["scores"]
    }
    return next(iter(by_language.values())) if len(by_language) == 1 else {"languages": by_language}


def _asked_for(config: Mapping[str, Any]) -> Record:
    """The run that is named; `last`, or nothing, is the newest training that has the checkpoint."""
    root, word = Path(config["paths"]["runs"]), (config["inputs"] or ["last"])[0]
    if word != "last":
        return find(root, word, verb="train")
    for one in all_runs(root):
        if (
            one.verb == "train"
            and one.space_fingerprint
            and (one.checkpoints / f"{config['checkpoint']}.ckpt").is_file()
        ):
            return one
    raise UserError(f"No training in {root} has a checkpoint yet: `sonar-slt train` makes one.")
