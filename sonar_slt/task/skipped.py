"""What a training left out because it was not finite: how often, and of which clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Skipped:
    """Counts by term, `gradient` for whole steps, and the clips that the step under way has met so far."""

    counts: Counter[str] = field(default_factory=Counter)
    batch: list[str] = field(default_factory=list)

    def stepped(self, ids: Sequence[str]) -> None:
        """These clips are in the gradient that comes next."""
        self.batch.extend(ids)

    def count(self, broken: Mapping[str, Sequence[str]]) -> None:
        """One for each clip of a term, one for a whole gradient."""
        for name, ids in broken.items():
            self.counts[name] += 1 if name == "gradient" else len(ids)
