"""What a profile found, for people and for programs: tables on screen, `profile.md`, `profile.json`."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytorch_lightning as pl
import torch
from rich.table import Table
from torch import Tensor

from sonar_slt.files import write_atomically, write_json
from sonar_slt.task.callbacks.profile.stopwatch import ITSELF, LOOK, SAVING
from sonar_slt.task.journal import memory

MIB = 2**20
LONG = 0.1
"""The share of a step's time from which waiting for data is worth a word."""

Part = Mapping[str, Any]
Rows = Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Seconds by part of the timed steps, operators of the traced ones, and memory."""

    device: str
    workers: int
    warm_up: int
    steps: Sequence[float]  # seconds of each timed step, without looks and checkpoints
    clips: int
    seconds: Mapping[str, float]
    looks: int
    saved: int
    traced: int
    operators: Sequence[Part]
    memory: Mapping[str, float]

    def write(self, folder: Path, trace: str) -> None:
        """`profile.json` and `profile.md` beside the trace."""
        write_json(folder / "profile.json", {**self.numbers(), "trace": trace})
        said = [f"# Where the time went\n\n{self.headline}\n", *(_markdown(*one) for one in self._tables())]
        said.append(f"{trace} opens in https://ui.perfetto.dev and in chrome://tracing.\n")
        write_atomically(folder / "profile.md", "\n".join(said))

    def numbers(self) -> dict[str, Any]:
        """The same for a json file; times in milliseconds."""
        return {
            "device": self.device,
            "batches": {"warm_up": self.warm_up, "timed": len(self.steps), "traced": self.traced},
            "step_ms": {"mean": self._per_step(sum(self.steps)), "median": 1e3 * median(self.steps)}
            | {"longest": 1e3 * max(self.steps)},
            "clips_per_second": self.clips / sum(self.steps),
            "parts": list(self._parts()),
            "beside": list(self._beside()),
            "operators": list(self.operators),
            "memory_mib": dict(self.memory),
        }

    @property
    def headline(self) -> str:
        """What a step takes, and a word on waiting where it takes long."""
        said = (
            f"{len(self.steps)} steps on {self.device}: {1e3 * median(self.steps):.1f} ms at the median, "
            f"{1e3 * max(self.steps):.1f} ms at most, {self.clips / sum(self.steps):,.0f} clips a second."
        )
        waiting = next((part["share"] for part in self._parts() if part["part"] == "waiting for data"), 0.0)
        if waiting < LONG:
            return said
        more = f"batches.workers={max(2, 2 * self.workers)} may hide it"
        return f"{said} {waiting:.0%} of it goes by while the next batch is made: {more}."

    def tables(self) -> Iterable[str | Table]:
        """For the screen."""
        yield self.headline
        for title, headings, rows in self._tables():
            table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
            for number, heading in enumerate(headings):
                table.add_column(heading, justify="right" if number else "left")
            for row in rows:
                table.add_row(*row)
            yield table

    def _tables(self) -> Iterable[tuple[str, Sequence[str], Rows]]:
        shares = [(one["part"], f"{one['ms']:.2f}", f"{one['share']:.1%}") for one in self._parts()]
        yield "A training step", ("part", "ms a step", "share"), shares
        if beside := [(one["what"], str(one["times"]), f"{one['seconds']:.2f}") for one in self._beside()]:
            yield "Beside the steps", ("what", "times", "seconds in all"), beside
        worked = [(one["name"], f"{one['calls']:.0f}", f"{one['ms']:.2f}") for one in self.operators]
        yield f"Operators, of {self.traced} traced steps", ("operator", "calls a step", "ms a step"), worked
        yield "Memory", ("what", "MiB"), [(name, f"{size:,.1f}") for name, size in self.memory.items()]

    def _parts(self) -> Iterable[Part]:
        """The parts of a step, the longest first."""
        own = {name: spent for name, spent in self.seconds.items() if name not in (LOOK, SAVING, ITSELF)}
        whole = sum(own.values())
        for name, spent in sorted(own.items(), key=lambda one: -one[1]):
            yield {"part": name, "ms": self._per_step(spent), "share": spent / whole}

    def _beside(self) -> Iterable[Part]:
        for name, times in {LOOK: self.looks, SAVING: self.saved}.items():
            if times:
                yield {"what": name, "times": times, "seconds": self.seconds.get(name, 0.0)}

    def _per_step(self, seconds: float) -> float:
        return 1e3 * seconds / len(self.steps)


def operators(trace: torch.profiler.profile, steps: int) -> list[Part]:
    """Operators by the time that they themselves took, on the GPU where there is one: the longest first."""
    found = [one for one in trace.key_averages() if not one.is_user_annotation and one.key != "ProfilerStep*"]
    on_gpu = any(one.self_device_time_total for one in found)
    took = [(one, one.self_device_time_total if on_gpu else one.self_cpu_time_total) for one in found]
    took.sort(key=lambda pair: -pair[1])
    return [{"name": one.key, "calls": one.count / steps, "ms": spent / 1e3 / steps} for one, spent in took]


def held(trainer: pl.Trainer, task: pl.LightningModule) -> dict[str, float]:
    """MiB of what a training keeps, and of the process and the GPU."""
    learning = [weight for weight in task.parameters() if weight.requires_grad]
    space: Any = getattr(trainer.datamodule, "space", None)  # type: ignore[attr-defined]
    own = {id(weight) for weight in task.parameters()}
    base = [weight for weight in space.model.parameters() if id(weight) not in own] if space else []
    states = [value for one in trainer.optimizers for state in one.state.values() for value in state.values()]
    sizes = {
        "weights that learn": learning,
        "weights that are frozen": [weight for weight in task.parameters() if not weight.requires_grad] + base,
        "gradients": [weight.grad for weight in learning if weight.grad is not None],
        "optimiser": [value for value in states if isinstance(value, Tensor)],
    }
    found = {name: sum(one.nbytes for one in tensors) / MIB for name, tensors in sizes.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MIB
    now = {name.replace("memory_gib", "process").replace("_", " "): gib * 1024 for name, gib in memory().items()}
    return {**found, **now, "process at its peak": max(peak, now.get("process", 0.0))}


def _markdown(title: str, headings: Sequence[str], rows: Rows) -> str:
    lines = [headings, ["---"] + ["---:"] * (len(headings) - 1), *rows]
    return f"## {title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
