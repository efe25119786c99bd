"""Speed on this machine: our ways against plain ones in one process, beside the physical limit.

Examples:
    sonar-slt bench
    sonar-slt bench rounds=51
    sonar-slt bench data.batch_size=64
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.recipe import ensure_space
from sonar_slt.errors import UserError
from sonar_slt.runs.files import write_json
from sonar_slt.runs.provenance import versions

if TYPE_CHECKING:
    from sonar_slt.bench.timing import Comparison
    from sonar_slt.config.assembly import Assembly


def run(config: dict[str, Any]) -> None:
    """Measure the limit, then each comparison; a table on screen, json in outputs/bench/."""
    import torch
    from rich.console import Console

    from sonar_slt.bench.likelihood import bench_likelihood
    from sonar_slt.bench.timing import matrix_rate
    from sonar_slt.config.assembly import assemble
    from sonar_slt.task.fitting import quiet

    call = config.pop("call")
    if config["rounds"] < 1 or config["steps"] < 1:
        raise UserError(f"rounds={config['rounds']} steps={config['steps']}: both are at least 1.")
    if not config.get("space"):
        raise UserError("`sonar-slt bench` times a sign training in a space: choose one, such as space=toy.")
    console = Console(highlight=False)
    ensure_space(config, call["config_dir"])
    rate = matrix_rate()
    console.print(f"{torch.get_num_threads()} threads, {rate / 1e9:.0f} GFLOP/s in a large fp32 matrix product")
    with quiet():
        made = assemble(config)
        results = [_loop(config, made), bench_likelihood(made.data.space, rate=rate, rounds=config["rounds"])]
    console.print(_table(results))
    target = Path(config["paths"]["outputs"]) / "bench" / f"{datetime.now():%Y-%m-%d_%H-%M-%S}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    measured = {"flops": rate, "threads": torch.get_num_threads(), "versions": versions()}
    write_json(target, {**measured, "results": [asdict(result) for result in results]})
    console.print(f"The same in numbers: {target}")


def _loop(config: Mapping[str, Any], made: Assembly) -> Comparison:
    """A training of a few steps in a run folder that is thrown away, against the bare loop."""
    from sonar_slt.bench.loop import bench_loop
    from sonar_slt.config.build import build
    from sonar_slt.runs.record import Run
    from sonar_slt.task.fitting import fit, run_parts, steps_not_epochs

    settings = {**config["trainer"], "max_steps": config["steps"], "accelerator": "cpu"}
    with tempfile.TemporaryDirectory() as folder:
        current = Run.start(Path(folder), verb="bench", name="bench", config=config, overrides=[])
        parts = run_parts(current, "bench")
        trainer = build(steps_not_epochs(settings), logger=[parts.pop("journal")], limit_val_batches=0, **parts)
        result = bench_loop(made.task, lambda: fit(trainer, made.task, made.data, None), steps=config["steps"])
        current.close("finished")
    return result


def _table(results: list[Comparison]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("what", "plain ms", "ours ms", "plain / ours", "of the limit"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for one in results:
        limit = f"{one.of_limit:.0%}" if one.of_limit == one.of_limit else ""
        table.add_row(one.name, f"{1e3 * one.plain:.1f}", f"{1e3 * one.ours:.1f}", f"{one.ratio:.2f}", limit)
    return table
