"""Speed and memory on this machine: our ways against plain ones in one process, beside the physical limit.

Examples:
    sonar-slt bench
    sonar-slt bench train rounds=3
    sonar-slt bench overhead waiting steps=100
    sonar-slt bench space space=sonar_random rounds=3
    sonar-slt bench data
    sonar-slt bench reads batches
    sonar-slt bench extract rounds=3
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.training.recipe import ensure_space
from sonar_slt.errors import UserError
from sonar_slt.files import write_json
from sonar_slt.runs.provenance.code import versions

if TYPE_CHECKING:
    from sonar_slt.bench.timing import Comparison, Footprint, Result, Share
    from sonar_slt.space import SentenceSpace

AMOUNTS = ("rounds", "steps", "stepped", "encoded", "decoded", "trained", "read", "served", "held", "prepared", "seen")
GROUPS = {
    "train": ("overhead", "likelihood", "waiting", "step"),
    "data": ("reads", "batches", "growth", "preparing"),
}
ASKED_FOR = {"step"}
"""What takes so long, and so much memory, that it is measured only if it is named."""
SPACELESS = {"step", "reads", "preparing", "extract"}
"""What does not need the space that is configured, so that none is trained for it."""
HELD_OUT = 256
"""How many sentences a shortlist is tried on at most."""


def run(config: dict[str, Any], asked: Asked) -> None:
    """Measure what is asked for; tables on screen, json in outputs/bench/."""
    import torch
    from rich.console import Console

    from sonar_slt.bench.report import plain_numbers, show
    from sonar_slt.bench.timing import Machine, machine_name
    from sonar_slt.task.fitting import best_device, quiet, use_threads

    use_threads(config["threads"])
    subjects, device = _subjects(config), best_device()
    console = Console(highlight=False)
    if set(subjects) - SPACELESS:
        ensure_space(config, asked.config_dir)
    limits = {kind: Machine.measured(getattr(torch, kind), device) for kind in ("float32", "bfloat16")}
    console.print(f"{device}, {machine_name(device)}, {torch.get_num_threads()} threads")
    for kind, machine in limits.items():
        reached = f"{machine.operations / 1e9:.0f} GFLOP/s in a large product, {machine.bytes / 1e9:.0f} GB/s read"
        console.print(f"{kind}: {reached}")
    began = datetime.now()
    target = Path(config["paths"]["outputs"]) / "bench" / f"{began:%Y-%m-%d_%H-%M-%S}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "date": f"{began:%Y-%m-%d}",
        "machine": machine_name(device),
        "device": str(device),
        "threads": torch.get_num_threads(),
        "limits": {kind: asdict(machine) for kind, machine in limits.items()},
        "versions": versions(),
        "space": config["space"],
        "large": config["large"],
        **{name: config[name] for name in AMOUNTS},
    }
    results: list[Result] = []
    with quiet():
        for result in (found for subject in subjects for found in SUBJECTS[subject](config)):
            console.print(f"  {result.name}: measured", style="dim", markup=False)
            results.append(result)
            write_json(target, {**about, **plain_numbers(results)})  # each is kept as soon as it is there
    show(console, results)
    console.print(f"The same in numbers: {target}", markup=False)


def _subjects(config: Mapping[str, Any]) -> list[str]:
    asked = config["inputs"] or [name for name in SUBJECTS if name not in ASKED_FOR]
    if unknown := [name for name in asked if name not in (*SUBJECTS, *GROUPS)]:
        raise UserError(
            f"Nothing called '{unknown[0]}' is measured: choose among {', '.join(SUBJECTS)}, or {' or '.join(GROUPS)}."
        )
    if min(config[name] for name in AMOUNTS) < 1:
        raise UserError(f"{', '.join(AMOUNTS)}: each is at least 1.")
    if not config.get("space"):
        raise UserError("`sonar-slt bench` measures a space and training in it: choose one, such as space=toy.")
    return list(dict.fromkeys(one for name in asked for one in GROUPS.get(name, (name,))))


def _space(config: Mapping[str, Any]) -> Iterator[Comparison | Footprint]:
    """Encode, decode and train in the space alone, at its own sizes."""
    from sonar_slt.bench.space.space import Amounts, bench_space
    from sonar_slt.task.fitting import best_device

    device = best_device()
    amounts = Amounts(**{name: config[name] for name in ("encoded", "decoded", "trained", "rounds")})
    yield from bench_space(partial(_opened, config["space"], device=device), amounts, device)


def _opened(space: Mapping[str, Any], *, device: Any, **changes: Any) -> SentenceSpace:
    """A space of the config with other settings."""
    from sonar_slt.config.build import build

    made: SentenceSpace = build({**space, **changes}, device=device)
    return made


def _shortlist(config: Mapping[str, Any]) -> Iterator[Comparison]:
    """The words of the training sentences against all words, on sentences of the dev split, in the first language."""
    from sonar_slt.bench.space.shortlist import bench_shortlist
    from sonar_slt.config.assembly import assemble

    data = assemble(config).data
    code = data.targets[0]
    known, held_out = ([text for row in data.rows[split] for text in row.sentences(code)] for split in ("train", "dev"))
    yield bench_shortlist(data.space, code, known, held_out[:HELD_OUT], rounds=config["rounds"])


def _overhead(config: Mapping[str, Any]) -> Iterator[Comparison]:
    """What the framework adds to a step, in a run folder that is thrown away."""
    import pytorch_lightning as pl

    from sonar_slt.bench.training.overhead import bench_overhead
    from sonar_slt.config.assembly import assemble
    from sonar_slt.config.build import build
    from sonar_slt.runs.record import Run
    from sonar_slt.task.fitting import fit, run_parts, steps_not_epochs

    if config.get("augment"):
        raise UserError("`sonar-slt bench overhead` has a bare loop that augments nothing: augment=null.")
    total = config["steps"] * (config["rounds"] + 1)
    settings = steps_not_epochs({**config["trainer"], "max_steps": total}, eval_every=total + 1)
    with tempfile.TemporaryDirectory() as folder:
        current = Run.start(Path(folder), verb="bench", name="bench", config=config, overrides=[])
        parts = run_parts(current, "bench", monitor=config["monitor"], eval_every=total + 1)
        journal, callbacks = parts.pop("journal"), parts.pop("callbacks")

        def trained(turns: pl.Callback) -> None:
            trainer = build(settings, logger=[journal], limit_val_batches=0, callbacks=[*callbacks, turns], **parts)
            journal.follow(trainer)
            fit(trainer, made.task, made.data, None)

        made, twin = assemble(config), assemble(config)
        yield from bench_overhead(made.task, twin.task, trained, steps=config["steps"], rounds=config["rounds"])
        current.close("finished")


def _likelihood(config: Mapping[str, Any]) -> Iterator[Comparison]:
    """The likelihood that a sign training's losses are made of."""
    from sonar_slt.bench.space.likelihood import bench_likelihood
    from sonar_slt.bench.timing import Machine
    from sonar_slt.config.assembly import assemble

    space = assemble(config).data.space
    yield bench_likelihood(space, Machine.measured(device=space.device), rounds=config["rounds"])


def _waiting(config: Mapping[str, Any]) -> Iterator[Share]:
    """What of a training's time is spent waiting for batches, without workers and with two."""
    from sonar_slt.bench.training.waiting import bench_waiting
    from sonar_slt.config.assembly import assemble

    task = assemble(config).task
    for workers in (0, 2):
        yield bench_waiting(task, workers=workers, steps=config["steps"])


def _step(config: Mapping[str, Any]) -> Iterator[Comparison | Footprint]:
    """A sign training's step at large sizes."""
    from sonar_slt.bench.training.step import bench_step
    from sonar_slt.task.fitting import best_device

    device = best_device()
    opened = partial(_opened, config["large"], device=device)
    with _files(config) as folder:
        yield from bench_step(
            opened, folder, batches=config["stepped"], rounds=config["rounds"], device=device, sizes={}
        )


def _reads(config: Mapping[str, Any]) -> Iterator[Comparison]:
    """Clips from disk into tensors."""
    from sonar_slt.bench.data.reads import bench_reads

    with _files(config) as folder:
        yield from bench_reads(folder, clips=config["read"], rounds=config["rounds"])


def _batches(config: Mapping[str, Any]) -> Iterator[Comparison]:
    """Batches from workers, against the steps of the task that is configured."""
    from sonar_slt.bench.data.batches import SIZE, bench_batches
    from sonar_slt.config.assembly import assemble

    made = assemble({**config, "batches": {**config["batches"], "size": SIZE, "workers": 0}})
    made.data.make_ready()
    with _files(config) as folder:
        yield bench_batches(made.task, folder, batches=config["served"], rounds=config["rounds"])


def _growth(config: Mapping[str, Any]) -> Iterator[Footprint]:
    """What a loader holds over a corpus and over a larger one."""
    from sonar_slt.bench.data.growth import bench_growth
    from sonar_slt.config.build import build

    with _files(config) as folder:
        yield from bench_growth(partial(build, config["space"]), folder, clips=config["held"])


def _preparing(config: Mapping[str, Any]) -> Iterator[Comparison]:
    """The preparation job over more and more clips."""
    from sonar_slt.bench.data.preparing import bench_preparing

    with _files(config) as folder:
        yield from bench_preparing(folder, clips=config["prepared"])


def _extract(config: Mapping[str, Any]) -> Iterator[Comparison | Footprint]:
    """Frozen backbones over videos."""
    from sonar_slt.bench.extraction.extract import bench_extract
    from sonar_slt.cli.extract import cores

    with _files(config) as folder:
        yield from bench_extract(folder, frames=config["seen"], rounds=config["rounds"], workers=cores())


@contextmanager
def _files(config: Mapping[str, Any]) -> Iterator[Path]:
    """A folder for what is measured on, on the disk where corpora are kept; it is gone afterwards."""
    place = Path(config["paths"]["outputs"]) / "bench"
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder).absolute()


SUBJECTS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Result]]] = {
    "overhead": _overhead,
    "likelihood": _likelihood,
    "waiting": _waiting,
    "step": _step,
    "shortlist": _shortlist,
    "space": _space,
    "reads": _reads,
    "batches": _batches,
    "growth": _growth,
    "preparing": _preparing,
    "extract": _extract,
}
"""What can be measured, in the order in which all of it is."""
