"""Is everything here? Versions, device, space and corpus, the parameter table, the shapes of one batch.

Examples:
    sonar-slt check
    sonar-slt check space=sonar
    sonar-slt check experiment=toy_space
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.recipe import is_current
from sonar_slt.runs.provenance import versions

if TYPE_CHECKING:
    from torch import nn


def run(config: dict[str, Any]) -> None:
    """Build everything that `train` would build, without training, and say what it is."""
    from rich.console import Console
    from rich.table import Table

    from sonar_slt.config.assembly import assemble
    from sonar_slt.task.fitting import best_device, quiet

    call = config.pop("call")
    console = Console(highlight=False)
    console.print("  ".join(f"{name} {version}" for name, version in versions().items()))
    console.print(f"Device: {best_device()}")
    if config.get("recipe") and not is_current(config, call["config_dir"]):
        source = Path(config["space"]["source"])
        console.print(
            f"Space: '{source}' is absent or out of date; `sonar-slt train` trains it first, in a minute or two."
        )
        return
    with quiet():
        made = assemble(config, device=best_device())
    if made.space:
        known = made.space.languages
        named = ", ".join(known) if len(known) <= 12 else f"{len(known)} languages"
        console.print(f"Space: {made.space.name}, {made.space.dim} dimensions, {named}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("part", "parameters", "trained", "frozen"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for name, total, trained in _counts(made.task, made.space.model if made.space else None):
        table.add_row(name, f"{total:,}", f"{trained:,}", f"{total - trained:,}")
    console.print(table)
    for line in made.data.described(made.data.batch(0)):
        console.print(line)


def _counts(task: nn.Module, base: nn.Module | None) -> Iterator[tuple[str, int, int]]:
    """Name, number of parameters, and how many of them learn, of each part; LoRA counts to the student."""
    parts = dict(task.named_children())
    own = {id(weight) for part in parts.values() for weight in part.parameters()}
    rows = [(name, list(part.parameters())) for name, part in parts.items() if any(True for _ in part.parameters())]
    if base is not None:
        rows.append(("space", [weight for weight in base.parameters() if id(weight) not in own]))
    rows.append(("all", [weight for _, weights in rows for weight in weights]))
    for name, weights in rows:
        yield name, sum(w.numel() for w in weights), sum(w.numel() for w in weights if w.requires_grad)
