"""One loss over the rows of all processes: each term is a mean over every row that counts, wherever it is.

Lightning averages the gradients of the processes, so each one's part of the loss is that much larger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sonar_slt.objective import Landing, Objective, Outcome
from sonar_slt.task.parallel.ranks import Ranks, dealt


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a step costs: `outcome` has this process's part of the loss, the values of all, and its own broken rows."""

    outcome: Outcome
    total: Tensor | None  # the loss of all; None where nothing finite is left anywhere
    broken: bool  # whether anything is not finite in any process
    everyone: Landing | None  # the landings of all, in the order of the batch, where a term asked for them


def weighed(objective: Objective, landing: Landing, progress: float, ranks: Ranks, *, counts: bool = True) -> Weighed:
    """Weigh a landing; one that does not count is there so that every process takes part in every step."""
    if not ranks.many:
        outcome: Outcome = objective(landing, progress)
        return Weighed(outcome, None if outcome.loss is None else outcome.loss.detach(), bool(outcome.broken), None)
    weights = objective.active(progress)
    rows = objective.rows(landing, progress, collective=False)
    if not counts:
        rows = {name: values[:0] for name, values in rows.items()}
    apart = set(rows)
    everyone, mine = _everyone(landing, weights, objective, ranks, counts=counts)
    if everyone:
        rows |= objective.rows(everyone, progress, collective=True)
    finite = {name: values.isfinite() for name, values in rows.items()}
    sums = {name: values[finite[name]].sum() for name, values in rows.items()}
    told = _told(sums, finite, apart, ranks)
    kept = {name: (total, count) for name, (total, count, _) in told.items() if count}
    parts = [weights[name] * ranks.count * sums[name] / count for name, (_, count) in kept.items()]
    means = {name: torch.tensor(total / count) for name, (total, count) in kept.items()}
    own = {name: whole if name in apart else whole[mine] for name, whole in finite.items()}
    broken = {name: tuple((~whole).nonzero().flatten().tolist()) for name, whole in own.items() if not whole.all()}
    return Weighed(
        Outcome(torch.stack(parts).sum() if parts else None, means, broken),
        torch.stack([weights[name] * mean for name, mean in means.items()]).sum() if means else None,
        any(lost for *_, lost in told.values()),
        everyone,
    )


def remember(objective: Objective, landing: Landing, seen: Weighed, progress: float, ranks: Ranks) -> None:
    """Let terms keep what they need of a step that was taken; each process hands in its stretch of the whole batch,
    so that all of them together are in its order."""
    if seen.everyone:
        z, s = (torch.tensor_split(rows, ranks.count)[ranks.rank] for rows in (seen.everyone.z, seen.everyone.s))
        landing = Landing(z, s)
    objective.remember(landing, progress)


def nothing(device: torch.device) -> Tensor:
    """The loss of a step of which nothing finite is left: no weight learns from it."""
    return torch.zeros((), device=device, requires_grad=True)


def _everyone(
    landing: Landing, weights: Mapping[str, float], objective: Objective, ranks: Ranks, *, counts: bool
) -> tuple[Landing | None, Tensor]:
    """The landings of all processes in the order of the batch, and where this one's are among them.

    Gradients reach this process's own rows only: each process has the same loss, and hands on its part of the gradient.
    """
    asked = any(objective.terms[name].collective for name in weights)
    nowhere = torch.zeros(0, dtype=torch.long, device=landing.z.device)
    if not asked:
        return None, nowhere
    z, s = (rows if counts else rows[:0] for rows in (landing.z, landing.s))
    found = ranks.rows(z.detach()), ranks.rows(s)
    order = dealt([len(part) for part in found[0]])
    found[0][ranks.rank] = z
    z, s = (torch.stack([parts[rank][row] for rank, row in order]) if order else parts[0] for parts in found)
    mine = torch.tensor([at for at, (rank, _) in enumerate(order) if rank == ranks.rank], dtype=torch.long)
    return Landing(z, s), mine.to(z.device)


def _told(
    sums: Mapping[str, Tensor], finite: Mapping[str, Tensor], apart: set[str], ranks: Ranks
) -> dict[str, tuple[float, float, float]]:
    """Of each term the sum of its finite values, how many they are, and how many are not, over all processes."""
    if not sums:
        return {}
    table = torch.stack(
        [torch.stack([sums[name].detach().double(), one.sum(), (~one).sum()]) for name, one in finite.items()]
    )
    seen = torch.tensor([name in apart for name in finite], device=table.device)
    table = torch.where(seen[:, None], ranks.total(table.clone()), table)  # terms over everyone are the same everywhere
    return {name: (row[0], row[1], row[2]) for name, row in zip(finite, table.tolist(), strict=True)}
