"""How the table of a sweep says things, whatever it is drawn as: figures, differences, what a row lacks, the legend."""

from __future__ import annotations

from collections.abc import Iterator

from sonar_slt.runs.scores.numbers import digits_of, rounded
from sonar_slt.runs.scores.titles import brief, higher_is_better
from sonar_slt.runs.sweeps.comparison import SEED, Cell, Comparison, Difference, Row

SEEDS_MARK, SENTENCES_MARK = "*", "†"
MANY = 5
"""From so many comparisons on it is said that some marks come by chance."""


class Wording:
    """The words for one table; every column has digits of its own."""

    def __init__(self, found: Comparison) -> None:
        self.found = found
        cells = {target: [row.cells[target] for row in found.rows if target in row.cells] for target in found.targets}
        self._digits = {
            target: digits_of(max((abs(cell.mean) for cell in those), default=0.0)) for target, those in cells.items()
        }

    def heading(self, target: str) -> str:
        """Of a column; the arrow tells that lower is better."""
        return brief(target) + ("" if higher_is_better(target) else " ↓")

    def figure(self, target: str, value: float, *, sign: bool = False) -> str:
        """A value with the digits of its column."""
        text = rounded(value, self._digits[target])
        return f"+{text}" if sign and value >= 0 else text

    def value(self, target: str, row: Row) -> str:
        """Mean ± standard deviation, and how many runs have it where not all that count do."""
        cell = row.cells.get(target)
        if cell is None:
            return ""
        spread = f" ± {self.figure(target, cell.spread)}" if cell.spread is not None else ""
        few = f" (n={len(cell.values)})" if len(cell.values) < len(row.runs) else ""
        return self.figure(target, cell.mean) + spread + few

    def difference(self, target: str, cell: Cell) -> str:
        """The difference with its marks, and its interval: over seeds, of a single pair that over sentences."""
        apart = cell.difference
        if apart is None:
            return ""
        ends = (apart.low, apart.high) if apart.low is not None else apart.sentences or (None, None)
        said = self.figure(target, apart.mean, sign=True) + marks(apart)
        if ends[0] is None or ends[1] is None:
            return said if apart.pairs else f"{said} unpaired"
        return f"{said} ({self.figure(target, ends[0], sign=True)} to {self.figure(target, ends[1], sign=True)})"

    def count(self, row: Row) -> str:
        """How many runs count, of how many where some do not."""
        return str(len(row.runs)) if not row.lacking else f"{len(row.runs)} of {row.wanted}"

    def lacking(self, row: Row) -> list[str]:
        """Why some runs of a row have no figures; the same reason is told once."""
        reasons: dict[str, list[str]] = {}
        for replicate, reason in row.lacking.items():
            reasons.setdefault(reason, []).append(self._replicate(replicate))
        return [f"{', '.join(who for who in whom if who)}: {reason}".lstrip(": ") for reason, whom in reasons.items()]

    def note(self, row: Row) -> str:
        """What stands beside the figures of a row."""
        return "; ".join([*(["baseline"] if row.baseline else []), *self.lacking(row)])

    def legend(self) -> Iterator[str]:
        """What the table shows, a sentence each; warnings are not among them."""
        found = self.found
        over = " and ".join("seeds" if key == SEED else key for key in found.over)
        yield f"Mean ± standard deviation over {over}; n counts the runs." if over else "Each row is one run."
        if found.against is None:
            return
        apart = [cell.difference for row in found.rows for cell in row.cells.values() if cell.difference]
        others = " and the same other keys" if sum(row.baseline for row in found.rows) > 1 else ""
        same = "seed" if over == "seeds" else over or "settings"
        yield (
            f"Differences are to {found.against}{others}, in pairs of the same {same}, "
            "with the 95 % interval over the pairs (of a single pair: over sentences)."
        )
        if any(not one.pairs for one in apart):
            yield "Unpaired: nothing to pair is in both rows, so that it is a difference of means."
        if any(one.low is not None for one in apart):
            yield f"{SEEDS_MARK} the interval over the pairs (Student's t) excludes 0."
        if found.resamples and any(one.sentences is not None for one in apart):
            yield (
                f"{SENTENCES_MARK} the interval over sentences excludes 0: the mean of all pairs and languages on "
                f"{found.resamples:,} resamples of the clips, for these very runs."
            )
        if len(apart) >= MANY:
            yield f"Of {len(apart)} differences, about one in 20 bears a mark by chance alone."

    def _replicate(self, replicate: tuple[str, ...]) -> str:
        named = zip(self.found.over, replicate, strict=False)
        return " ".join(
            f"{key} {value}" if key == SEED else f"{key}={value}" for key, value in named if value != "null"
        )


def marks(apart: Difference) -> str:
    """What makes a difference more than chance: * over seeds, † over sentences."""
    return SEEDS_MARK * apart.over_seeds + SENTENCES_MARK * apart.over_sentences
