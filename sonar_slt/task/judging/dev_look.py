"""A look at the dev split: every term over the whole of it, and what the student really says of some clips.

Translations are generated from the clips' vectors alone; no reference is seen before they are scored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from sonar_slt.data.clips import Clips
from sonar_slt.errors import UserError
from sonar_slt.metrics.text import score_translations
from sonar_slt.objective import Landing, Objective
from sonar_slt.space.student import Student
from sonar_slt.task.judging.whereabouts import own_sentence_first
from sonar_slt.task.parallel.ranks import Ranks, collected

SAMPLES = 4
"""Clips whose translations are kept at each look."""

Broken = Mapping[str, Sequence[str]]


class DevLook:
    """Collects held-out clips batch by batch; `judged` of them, spread over the split, are translated; null is all."""

    def __init__(self, *, data: Clips, judged: int | None) -> None:
        if judged is not None and judged < 0:
            raise UserError(f"task.judged={judged}: a number of dev clips, 0 for none, null for all.")
        self.data, self.judged = data, judged
        self._ids: list[list[str]] = []
        self._landings: list[Landing] = []
        self._rows: list[Mapping[str, Tensor]] = []

    def add(self, ids: Sequence[str], landing: Landing, rows: Mapping[str, Tensor]) -> None:
        """One batch: where its clips landed and the value of each term (batch,); what has no id counts for nothing."""
        self._ids.append(list(ids))
        self._landings.append(Landing(landing.z[: len(ids)], landing.s[: len(ids)]))
        self._rows.append({name: values[: len(ids)] for name, values in rows.items()})

    def collect(self, ranks: Ranks) -> None:
        """Bring what each of several processes saw to the first one, in the order of the split."""
        if not ranks.many:
            return
        device = self._landings[0].z.device
        tables = [{"z": at.z, "s": at.s, **rows} for at, rows in zip(self._landings, self._rows, strict=True)]
        seen = [
            (ids, {name: values.cpu() for name, values in table.items()})
            for ids, table in zip(self._ids, tables, strict=True)
        ]
        theirs = list(zip(*ranks.everyone(seen), strict=True))  # batch by batch, of each process its share
        self._ids, self._landings, self._rows = [], [], []
        for parts in theirs if ranks.rank == 0 else ():
            table = {
                name: torch.stack(collected([table[name] for _, table in parts])).to(device) for name in parts[0][1]
            }
            self._ids.append(collected([ids for ids, _ in parts]))
            self._landings.append(Landing(table.pop("z"), table.pop("s")))
            self._rows.append(table)

    def taken(
        self, objective: Objective, progress: float, student: Student, *, tell: Callable[[Broken], None]
    ) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """The values of the look and some samples; what was collected is let go."""
        ids, landings, parts = [id for some in self._ids for id in some], self._landings, self._rows
        self._ids, self._landings, self._rows = [], [], []
        z, s = (torch.cat([getattr(one, name) for one in landings]) for name in ("z", "s"))
        rows = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        rows |= objective.rows(Landing(z, s), progress, collective=True)
        outcome = objective.weighed(rows, progress)
        if outcome.broken:
            tell({name: [ids[row] for row in broken] for name, broken in outcome.broken.items()})
        loss = float("nan") if outcome.loss is None else float(outcome.loss)
        values = {"loss": loss, **{name: float(value) for name, value in outcome.values.items()}}
        if not self._whole(ids):  # a short look for debugging sees a part of the split
            return values, []
        said, samples = self._translated(z, student)
        values["retrieval_at_1"] = own_sentence_first(self.data, self.data.rows["dev"], z.cpu())
        return values | said, samples

    def _whole(self, ids: Sequence[str]) -> bool:
        return len(ids) == len(self.data.rows["dev"])

    def _translated(self, z: Tensor, student: Student) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """BLEU and chrF of every language, their means over targets and over unseen ones, and samples."""
        rows = self.data.rows["dev"]
        count = len(rows) if self.judged is None else min(self.judged, len(rows))
        if not count:
            return {}, []
        chosen = [place * len(rows) // count for place in range(count)]
        pairs = [
            (place, code) for code in self.data.scorable("dev") for place in chosen if rows[place].references(code)
        ]
        said = student.decode(z[[place for place, _ in pairs]], [code for _, code in pairs])
        values: dict[str, float] = {}
        for code in dict.fromkeys(code for _, code in pairs):
            mine = [(place, text) for (place, own), text in zip(pairs, said, strict=True) if own == code]
            references = [list(rows[place].references(code)) for place, _ in mine]
            scores = score_translations([text for _, text in mine], references, lang=code, resamples=0)["scores"]
            values |= {f"{name}_{code}": float(scores[name]["value"]) for name in ("bleu", "chrf")}
        for name in ("bleu", "chrf"):
            for title, codes in ((name, self.data.targets), (f"{name}_unseen", self.data.unseen)):
                known = [values[f"{name}_{code}"] for code in codes if f"{name}_{code}" in values]
                values |= {title: sum(known) / len(known)} if known else {}
        shown = set(chosen[:: max(1, count // SAMPLES)][:SAMPLES])
        samples = [
            {
                "id": rows[place].id,
                "language": code,
                "hypothesis": text,
                "references": list(rows[place].references(code)),
            }
            for (place, code), text in zip(pairs, said, strict=True)
            if place in shown
        ]
        return values, samples
