"""The toy world end to end: text space, corpus, sign student, scores in trained and unseen languages, report.

Examples:
    sonar-slt demo
    sonar-slt demo seed=2
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.arguments import quoted
from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.evaluate import evaluate, retrieved
from sonar_slt.cli.training.recipe import ensure_space
from sonar_slt.cli.training.training import train
from sonar_slt.config.compose import examine
from sonar_slt.files import read_lines, write_json
from sonar_slt.runs.folder import REPORT, hypotheses_of
from sonar_slt.runs.pinned import of_evaluation
from sonar_slt.runs.registry import Record, interrupted, read, same_work
from sonar_slt.source_hash import code_hash

if TYPE_CHECKING:
    from rich.console import Console

SAMPLES = 5


def run(config: dict[str, Any], _: Asked) -> None:
    """Do what is not done yet, and show all of it."""
    from rich.console import Console

    began, console = time.monotonic(), Console(highlight=False)
    words = _words(config)
    training = _composed("train", [*words, "adapter=keypoint"])
    console.rule("1 of 3  A sentence space from text", align="left")
    console.print("Six languages of weather forecasts learn to share one space of sentence vectors.")
    if not ensure_space(training):
        console.print(f"It lies in {training['space']['source']} already.")
    _space_scores(console, Path(training["space"]["source"]))
    console.rule("2 of 3  A student that reads signing", align="left")
    console.print("Clips of a small invented sign language learn to land where the space puts their sentences.")
    trained = _trained(training, [*words, "adapter=keypoint"], console)
    console.rule("3 of 3  What it says of clips that it never saw", align="left")
    evaluated = _evaluated([*words, f"num_beams={config['num_beams']}"], trained, console)
    _show(console, evaluated)
    summary = _summary(trained, evaluated, time.monotonic() - began)
    target = Path(config["paths"]["outputs"]) / "demo" / "summary.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_json(target, summary)
    _farewell(console, trained, evaluated, target, summary["seconds"])


def _words(config: Mapping[str, Any]) -> list[str]:
    """The seed and the paths, as words for another verb."""
    return [f"seed={config['seed']}", *(f"paths.{key}={quoted(value)}" for key, value in config["paths"].items())]


def _composed(verb: str, words: Sequence[str]) -> dict[str, Any]:
    """The config of another verb."""
    found = examine(verb, words)
    assert not found.problems, found.problems
    return found.config


def _trained(config: Mapping[str, Any], words: Sequence[str], console: Console) -> Record:
    """The training of this config and code: a finished one, an interrupted one gone on with, or a new one."""
    earlier = same_work(Path(config["paths"]["runs"]), "train", config, code=code_hash())
    for one in earlier:
        if one.status == "finished":
            console.print(f"Trained already: run {one.id}.")
            return one
    stopped = interrupted(earlier)
    if stopped:
        console.print(f"Going on with run {stopped.id}, which was {stopped.status}.")
    folder, _ = train(config, words, parent=stopped)
    return read(folder)


def _evaluated(words: Sequence[str], trained: Record, console: Console) -> Record:
    """The finished evaluation of this run, an earlier one or a new one."""
    config = _composed("evaluate", words)
    asked = of_evaluation(config, trained)
    for one in same_work(Path(config["paths"]["runs"]), "evaluate", asked):
        if one.status == "finished" and one.parent == trained.folder.name:
            console.print(f"Evaluated already: run {one.id}.")
            return one
    folder, _ = evaluate(config, trained, words)
    return read(folder)


def _space_scores(console: Console, folder: Path) -> None:
    scores = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["scores"]
    console.print(
        f"On {scores['n']} held-out meanings: auto-encoding BLEU {scores['auto_encoding_bleu']['mean']:.1f}, "
        f"translation BLEU {scores['translation_bleu']['mean']:.1f}, "
        f"xsim {scores['xsim']['mean']:.2f} %, xsim++ {scores['xsim_plus_plus']['mean']:.2f} % errors."
    )


def _show(console: Console, evaluated: Record) -> None:
    from rich.table import Table

    from sonar_slt.runs.scores.table import scores_table

    metrics = evaluated.metrics
    console.print(scores_table(metrics))
    console.print(retrieved(metrics))
    console.print(
        "Ceiling: the space's own round trip of the reference. All sentences are generated from clips alone.\n"
    )
    said = {
        entry["language"]: list(read_lines(hypotheses_of(evaluated.folder, "test", entry["language"])))
        for entry in metrics["scores"]
    }
    for number in range(SAMPLES):
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for place, (code, lines) in enumerate(said.items()):
            if place == 0:
                table.add_row("reference", lines[number]["references"][0], style="bold")
            table.add_row(code, lines[number]["hypothesis"])
        console.print(table, "")


def _summary(trained: Record, evaluated: Record, seconds: float) -> dict[str, Any]:
    bleu: dict[str, dict[str, float]] = {"trained": {}, "unseen": {}}
    ceiling = {}
    for entry in evaluated.metrics["scores"]:
        bleu["trained" if entry["seen"] else "unseen"][entry["language"]] = entry["bleu"]["value"]
        ceiling[entry["language"]] = entry["ceiling"]
    return {
        "seconds": round(seconds, 1),
        "bleu": bleu,
        "ceiling": ceiling,
        "retrieval_at_1": evaluated.metrics["retrieval_at_1"],
        "report": str(evaluated.folder / REPORT),
        "run": str(trained.folder),
    }


def _farewell(console: Console, trained: Record, evaluated: Record, summary: Path, seconds: float) -> None:
    console.print(f"Done in {seconds:.0f} s. Open the report in a browser: {evaluated.folder / REPORT}")
    console.print(f"The run with its config, logs and weights: {trained.folder}")
    console.print(f"The same in numbers: {summary}\n")
    console.print("Next (after `source .venv/bin/activate`, if `make` brought you here):")
    console.print("  sonar-slt train objective.ce.weight=0           again without one term of the loss")
    console.print("  sonar-slt train -m seed=1,2 view=all,no_face    a small sweep")
    console.print("  sonar-slt runs                                  everything that was run")
