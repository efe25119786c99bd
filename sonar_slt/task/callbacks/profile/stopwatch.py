"""How long each part of a training takes: own seconds of nested actions, so that all of them add up to the whole.

Lightning names what it does, hooks of callbacks among it. What it cannot know of a step is told apart by hooks on the
modules of the task, and around its pass through the decoder: its `nll`, or its module's `sentence_nll`.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.profilers import Profiler

LOOK, SAVING, ITSELF, LOOP = "look at dev", "checkpoint", "the profile itself", "Lightning's loop"
TEACHER, LOGGING, FORWARD = "teacher's vectors", "logging", "forward: "
GROUPS = {
    r"_next$": "waiting for data",
    r"batch_to_device$|batch_transfer$": "batch to the device",
    r"\.training_step$": f"{FORWARD}the rest",
    r"backward$|zero_grad$": "backward",
    r"^\[LightningModule\].*(optimizer_step|gradient_clipping|scheduler_step)$": "optimiser",
    r"save_checkpoint$|state_dict$|\]Checkpoints\.on_(validation|train)_end$": SAVING,
    r"^\[Callback\]Profile\.": ITSELF,
    r"^\[Callback\]": "callbacks",
    r"": LOOP,
}
"""Lightning's actions, and what they are a part of; the first that fits."""
DEPTH = 2
"""Dots in the name of a module that is told apart at most."""


class Stopwatch(Profiler):
    """Seconds by group of actions while it counts. What happens within a look at the dev split is the look's."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self.now = now
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self.looking = self.counting = self.tracing = False
        self._open: list[tuple[str, Any]] = []  # actions, and their marks in a trace
        self._since = 0.0

    def count(self) -> None:
        """Count from now on."""
        self.counting, self._open, self._since = True, [], self.now()

    def trace(self) -> None:
        """Count no more; mark actions in the trace that is taken."""
        self._elapsed()
        self.counting, self.tracing, self._open = False, True, []

    def halt(self) -> None:
        """Neither."""
        while self._open:
            self.stop(self._open[-1][0])
        self.counting = self.tracing = False

    def start(self, action_name: str) -> None:
        """An action begins."""
        mark = None
        if self.tracing:
            mark = torch.profiler.record_function(action_name)
            mark.__enter__()  # type: ignore[no-untyped-call]
        elif self.counting:
            self._elapsed()
            self.calls[action_name] += 1
        if self.tracing or self.counting:
            self._open.append((action_name, mark))

    def stop(self, action_name: str) -> None:
        """It ends; one that began before the watch did is not its business."""
        if not self._open or self._open[-1][0] != action_name:
            return
        if self.counting:
            self._elapsed()
        _, mark = self._open.pop()
        if mark is not None:
            mark.__exit__(None, None, None)

    def enter(self, part: str) -> None:
        """A part of a training step begins, unless it lies within another, or is computed again for a gradient."""
        if self._open and self._open[-1][0].endswith(".training_step"):
            self.start(part)

    def around(self, part: str, function: Callable[..., Any], *, of_step: bool = False) -> Callable[..., Any]:
        """The function, watched."""
        begin = self.enter if of_step else self.start

        def watched(*given: Any, **named: Any) -> Any:
            begin(part)
            try:
                return function(*given, **named)
            finally:
                self.stop(part)

        return watched

    def _elapsed(self) -> None:
        now = self.now()
        self.seconds[self._group(self._open[-1][0] if self._open else "")] += now - self._since
        self._since = now

    def _group(self, action: str) -> str:
        ours = action.startswith(FORWARD) or action in (TEACHER, LOGGING)
        group = action if ours else next(name for pattern, name in GROUPS.items() if re.search(pattern, action))
        return LOOK if self.looking and group not in (SAVING, ITSELF) else group


class Lookups:
    """Teacher vectors whose lookups are watched; everything else of them is as it was."""

    def __init__(self, vectors: Any, watch: Stopwatch) -> None:
        self._vectors, self._read = vectors, watch.around(TEACHER, vectors.__getitem__)

    def __getitem__(self, rows: Any) -> Any:
        return self._read(rows)

    def __len__(self) -> int:
        return len(self._vectors)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vectors, name)


def watch_parts(watch: Stopwatch, trainer: pl.Trainer, task: pl.LightningModule) -> Callable[[], None]:
    """Let the watch see the modules of a step, its decoder, the teacher's vectors and the logs; a call undoes it."""
    undo: list[Callable[[], None]] = []

    def put(owner: Any, name: str, value: Any) -> None:
        former = vars(owner).get(name)
        setattr(owner, name, value)
        undo.append(lambda: delattr(owner, name) if former is None else setattr(owner, name, former))

    for name, module in task.named_modules():
        if name and name.count(".") <= DEPTH:
            undo += [handle.remove for handle in _hooks(watch, module, f"{FORWARD}{name}")]
    for owner, name in ((task, "nll"), (sys.modules[type(task).__module__], "sentence_nll")):
        if callable(decoded := getattr(owner, name, None)):
            put(owner, name, watch.around(f"{FORWARD}decoder", decoded, of_step=True))
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    if getattr(data, "vectors", None) is not None:
        put(data, "vectors", Lookups(data.vectors, watch))
    for logger in trainer.loggers:
        put(logger, "log_metrics", watch.around(LOGGING, logger.log_metrics))

    def undone() -> None:
        for step in reversed(undo):
            step()

    return undone


def _hooks(watch: Stopwatch, module: torch.nn.Module, part: str) -> list[Any]:
    def begins(*_: Any) -> None:
        watch.enter(part)

    def ends(*_: Any) -> None:
        watch.stop(part)

    return [module.register_forward_pre_hook(begins), module.register_forward_hook(ends)]
