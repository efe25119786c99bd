"""Translate held-out clips with a trained run and score what it says.

Examples:
    sonar-slt evaluate
    sonar-slt evaluate run=3f2a9c01 languages=[deu_Latn,tur_Latn] num_beams=1
    sonar-slt evaluate last split=dev output=scores.json
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.command.entries import note_run
from sonar_slt.cli.command.output import write_output
from sonar_slt.errors import UserError
from sonar_slt.files import as_json, read_lines
from sonar_slt.runs.folder import CONFIG, REPORT, checkpoint_of, log_of
from sonar_slt.runs.pinned import evaluated, of_evaluation
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, require_same
from sonar_slt.runs.scores.entries import machine_readable
from sonar_slt.source_hash import code_hash

if TYPE_CHECKING:
    from sonar_slt.config.assembly import Assembly
    from sonar_slt.data.clips import Clips
    from sonar_slt.task.judging.translated import Judging


def run(config: dict[str, Any], asked: Asked) -> float | None:
    """Evaluate as configured; the mean BLEU over trained languages comes back, where BLEU is asked for."""
    trained = evaluated(config)
    folder, metrics = evaluate(config, trained, asked.overrides, facts=asked.facts)
    show_scores(folder, metrics)
    if config["output"]:
        write_output(config["output"], as_json(machine_readable(metrics)))
    means: dict[str, float] = metrics["mean_bleu"]
    return means.get("trained", next(iter(means.values()), None))


def evaluate(
    config: Mapping[str, Any], trained: Record, overrides: Sequence[str], *, facts: Mapping[str, Any] = {}
) -> tuple[Path, dict[str, Any]]:
    """Evaluate one trained run in a run folder of its own; the folder and the metrics."""
    from rich.console import Console

    from sonar_slt.config.build import build
    from sonar_slt.runs.report import write_report
    from sonar_slt.task.fitting import quiet
    from sonar_slt.task.judging import evaluation

    checkpoint = checkpoint_of(trained.folder, config["checkpoint"])
    made = _assembled(config, trained, checkpoint)
    languages = config["languages"]["targets"] or made.data.scorable(config["split"])
    how = judging(config, made.data)
    begun = Run.start(
        Path(config["paths"]["runs"]),
        verb="evaluate",
        name=trained.name,
        config=of_evaluation(config, trained),
        overrides=list(overrides),
        parent=trained.folder.name,
        facts={**facts, "code": code_hash()},
    )
    with quiet(), begun as current:
        note_run(facts, current.folder)
        current.mirror(build(config.get("logger")))
        result = evaluation.evaluate(
            made.task.adapter.to(made.data.space.device),
            made.task.student,
            made.data,
            split=config["split"],
            languages=languages,
            how=how,
            dev=list(read_lines(trained.folder / log_of("dev"))),
            tell=Console(stderr=True, highlight=False).print,
        )
        result.write(current.folder)
        current.update(metrics=result.metrics, device=str(made.data.space.device), **made.facts)
    write_report(current.folder)
    return current.folder, result.metrics


def _assembled(config: Mapping[str, Any], trained: Record, checkpoint: Path) -> Assembly:
    """The parts of a trained run with the weights of a checkpoint, on clips that can be scored as asked."""
    from sonar_slt.config.assembly import assemble
    from sonar_slt.task.checkpoint import load
    from sonar_slt.task.fitting import best_device, quiet, use_threads

    saved = _saved(trained, checkpoint)
    if config.get("view"):
        saved["view"] = config["view"]
    with quiet():
        use_threads(saved.get("threads"))
        made = assemble(saved, device=best_device())
    require_same(trained, made.facts, "its scores would mean something else")
    made.data.require(config["split"], config["languages"]["targets"] or made.data.targets)
    load(made.task, checkpoint)
    return made


def _saved(trained: Record, checkpoint: Path) -> dict[str, Any]:
    """The config of a run that can be evaluated."""
    import yaml

    if not checkpoint.is_file():
        raise UserError(f"{trained.folder.name} has no {checkpoint.name}: it was {trained.status}; `sonar-slt runs`.")
    saved: dict[str, Any] = yaml.safe_load((trained.folder / CONFIG).read_text(encoding="utf-8"))
    if not saved.get("space"):
        raise UserError(
            f"{trained.folder.name} trained a text space; its scores are in `sonar-slt runs show {trained.id}`."
        )
    if not saved.get("batches"):
        raise UserError(f"{trained.folder.name} was trained by an older version whose data was configured otherwise.")
    return saved


def show_scores(folder: Path, metrics: Mapping[str, Any]) -> None:
    """The table of a run's scores, and where its page lies."""
    from rich.console import Console

    from sonar_slt.runs.scores.table import scores_table

    console = Console(highlight=False)
    console.print(scores_table(metrics))
    console.print(retrieved(metrics))
    console.print(f"Report: {folder / REPORT}", soft_wrap=True)


def retrieved(metrics: Mapping[str, Any]) -> str:
    """Where clips find their own sentences, in a line."""
    found = metrics["retrieval"]
    near = ", ".join(f"@{k} {found[f'at_{k}']:.1f} %" for k in (1, 5, 10))
    return f"Retrieval among {found['n']} sentences ({found['language']}): {near}, median rank {found['median_rank']:g}"


def judging(config: Mapping[str, Any], data: Clips) -> Judging:
    """What is asked of the translations; the protocols of older papers are those of the clips' corpora."""
    from sonar_slt.config.build import build
    from sonar_slt.config.compose import examine, floorplan
    from sonar_slt.task.judging.translated import Judging

    known = floorplan().options("protocol")
    corpora = {row.corpus for row in data.rows[config["split"]]}
    found = [examine("score", [f"protocol={name}"]).config["protocol"] for name in known if name in corpora]
    return Judging(
        metrics=tuple(build(config["metrics"]).values()),
        protocols=tuple(build(protocol) for protocol in found),
        num_beams=config["num_beams"],
        resamples=config["resamples"],
        seed=config["seed"],
        shown=config["shown"],
        progress=True,
    )
