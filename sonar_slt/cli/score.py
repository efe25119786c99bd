"""Score files of translations, or those of a run or bundle again, without a model.

Examples:
    sonar-slt score hypotheses=said.txt references=expected.txt language=deu_Latn
    sonar-slt score hypotheses=said.jsonl references=[a.tsv,b.tsv] language=eng_Latn metrics=[bleu,ter] output=s.json
    sonar-slt score hypotheses=new.txt references=expected.txt against=old.txt language=zho_Hans
    sonar-slt score hypotheses=said.txt references=expected.txt language=deu_Latn protocol=phoenix14t
    sonar-slt score last against=3f2a9c01 languages=[deu_Latn]
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.command.output import write_output
from sonar_slt.errors import UserError
from sonar_slt.files import as_json
from sonar_slt.languages import language
from sonar_slt.runs.hypotheses.systems import System, aligned, of_files, of_word
from sonar_slt.runs.scores.entries import machine_readable

if TYPE_CHECKING:
    from sonar_slt.metrics.metric import Measured, Metric
    from sonar_slt.metrics.protocols import Protocol

PAIRED = 1000
"""Resamples of the paired test where the intervals have none."""


def run(config: dict[str, Any], _: Asked) -> float | None:
    """Score as configured; the first score of the first language comes back."""
    from rich.console import Console

    from sonar_slt.config.build import build
    from sonar_slt.runs.scores.table import scores_table

    if not config["metrics"]:
        raise UserError("metrics=[] leaves nothing to score: `sonar-slt score --help` lists what there is.")
    if config["source"] not in (None, "human", "pseudo"):
        raise UserError(f"source={config['source']}: expected human or pseudo.")
    for key, least in (("resamples", 0), ("seed", 0), ("trials", 1)):
        if config[key] < least:
            raise UserError(f"{key}={config[key]}: expected a whole number from {least} on.")
    pairs = _of_a_run(config) if config["inputs"] else _of_files(config)
    protocol: Protocol | None = build(config["protocol"])
    if protocol and not protocol.languages & {system.language for system, _ in pairs}:
        raise UserError(f"protocol={protocol.name} is about {' and '.join(sorted(protocol.languages))} alone.")
    found = scored_pairs(config, pairs, tuple(build(config["metrics"]).values()), protocol)
    Console(highlight=False).print(scores_table(found))
    if config["output"]:
        write_output(config["output"], as_json(machine_readable(found)))
    return float(next(value for value in found["scores"][0].values() if isinstance(value, dict))["value"])


def scored_pairs(
    config: Mapping[str, Any],
    pairs: list[tuple[System, System | None]],
    metrics: tuple[Metric, ...],
    protocol: Protocol | None,
) -> dict[str, Any]:
    """Scores, legacy scores and comparisons of systems, each beside the one that it is compared with."""
    from sonar_slt.metrics.text import measurements

    found: dict[str, Any] = {"scores": [], "legacy": [], "significance": []}
    for system, other in pairs:
        measured = measurements(system.hypotheses, system.references, lang=system.language, metrics=metrics)
        found["scores"].append(_entry(system, measured, metrics, config))
        if protocol and system.language in protocol.languages:
            scores = protocol.scores(system.hypotheses, system.references)
            row = {"language": system.language, "protocol": protocol.name, "title": protocol.title, "scores": scores}
            found["legacy"].append(row)
        if other:
            theirs = measurements(other.hypotheses, other.references, lang=system.language, metrics=metrics)
            found["significance"].append(_comparison(system, other, measured, theirs, config))
    return found


def _entry(
    system: System, measured: Mapping[str, Measured], metrics: tuple[Metric, ...], config: Mapping[str, Any]
) -> dict[str, Any]:
    from sonar_slt.metrics.floors import floors
    from sonar_slt.metrics.oddities import oddities
    from sonar_slt.metrics.text import ids_hash, scored

    code, seed = system.language, config["seed"]
    sides = system.hypotheses, system.references
    return {
        "language": code,
        "name": language(code).name,
        **system.facts,
        **scored(measured, resamples=config["resamples"], seed=seed),
        "n": len(system.hypotheses),
        "ids_hash": ids_hash(system.references, system.ids),
        "references": config["source"] or system.source or "human",
        "resamples": config["resamples"],
        "seed": seed,
        "warnings": oddities(*sides, code),
        "floors": floors(*sides, lang=code, metrics=metrics, seed=seed) if config["floors"] else {},
    }


def _comparison(
    system: System,
    other: System,
    measured: Mapping[str, Measured],
    theirs: Mapping[str, Measured],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    from sonar_slt.metrics.significance import compared

    draws = {"resamples": config["resamples"] or PAIRED, "trials": config["trials"], "seed": config["seed"]}
    return {
        "language": system.language,
        "system": system.name,
        "against": other.name,
        **draws,
        "scores": compared(measured, theirs, **draws),
    }


def _of_files(config: Mapping[str, Any]) -> list[tuple[System, System | None]]:
    codes = config["languages"]["targets"] or [config["language"]]
    if not config["hypotheses"]:
        raise UserError("Nothing to score: give hypotheses=FILE references=FILE language=deu_Latn, or a run.")
    if len(codes) > 1:
        raise UserError("languages=[…] is about runs and bundles: files are in one language=.")
    files = {"references": config["references"], "ids": config["ids"], "lang": codes[0]}
    system = of_files(config["hypotheses"], **files)
    if not config["against"]:
        return [(system, None)]
    if not config["references"]:
        raise UserError("against=FILE needs references=FILE, which both files of hypotheses are held against.")
    return [(system, aligned(of_files(config["against"], **files), system))]


def _of_a_run(config: Mapping[str, Any]) -> list[tuple[System, System | None]]:
    if len(config["inputs"]) > 1:
        raise UserError(f"One run at a time, not {len(config['inputs'])}: against=RUN compares with another.")
    for key in ("hypotheses", "references", "ids"):
        if config[key]:
            raise UserError(f"{key}= goes with files, not with a run: the run {config['inputs'][0]} has its own.")
    root = Path(config["paths"]["runs"])
    codes = config["languages"]["targets"] or ([config["language"]] if config["language"] else None)
    systems = of_word(root, config["inputs"][0], split=config["split"], languages=codes)
    if not config["against"]:
        return [(system, None) for system in systems]
    codes = [system.language for system in systems]
    others = of_word(root, config["against"], split=config["split"], languages=codes)
    return [(system, aligned(other, system)) for system, other in zip(systems, others, strict=True)]
