"""The table of a sweep on the screen: no wider than the terminal; columns that do not fit go into a block below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from sonar_slt.runs.scores.titles import higher_is_better
from sonar_slt.runs.sweeps.comparison import Comparison, Row
from sonar_slt.runs.sweeps.formats.wording import Wording

GAP = 2
KEY = 24
"""A key's column is no wider than this, and no wider than its share of half the terminal; longer values are folded."""


class SweepTable:
    """A comparison to print."""

    def __init__(self, found: Comparison) -> None:
        self._found, self._words = found, Wording(found)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Title, blocks, what rows lack, legend and warnings."""
        found, words = self._found, self._words
        runs = sum(row.wanted for row in found.rows)
        settings = len(found.rows)
        title = f"{found.name}: {runs} run{'s' * (runs != 1)} of {settings} setting{'s' * (settings != 1)}\n"
        yield Text(title, style="bold")
        keys = [self._key_width(key, options.max_width) for key in found.keys]
        room = options.max_width - sum(keys) - GAP * (len(keys) + 1) - self._count_width()
        for place, block in enumerate(self._blocks(room)):
            if place:
                yield Text("")
            yield self._block(block, keys)
        yield Text("")
        yield from (Text(line, style="dim") for line in words.legend())
        for row in found.rows:
            yield from (Text(f"! {found.label(row)}: {reason}", style="red") for reason in words.lacking(row))
        yield from (Text(f"! {warning}", style="yellow") for warning in found.warnings)

    def _blocks(self, room: int) -> Iterator[list[str]]:
        """Columns that stand side by side; a single one always fits."""
        block: list[str] = []
        left = room
        for target in self._found.targets:
            width = self._width(target) + GAP
            if block and width > left:
                yield block
                block, left = [], room
            block.append(target)
            left -= width
        yield block

    def _block(self, targets: Sequence[str], keys: Sequence[int]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        for key, width in zip(self._found.keys, keys, strict=True):
            table.add_column(Text(key), overflow="fold", max_width=width, min_width=min(width, 6))
        table.add_column("n", justify="right", no_wrap=True)
        for target in targets:
            table.add_column(Text(self._words.heading(target)), justify="right", no_wrap=True)
        for row in self._found.rows:
            mark = "bold" if row.baseline else ""
            told = [Text(value, style=mark) for value in row.settings.values()]
            table.add_row(*told, Text(self._words.count(row)), *(self._cell(target, row) for target in targets))
        return table

    def _cell(self, target: str, row: Row) -> Text:
        cell = row.cells.get(target)
        if cell is None:
            why = {reason.partition(":")[0] for reason in row.lacking.values()} if not row.runs else set()
            return Text(" ".join(sorted(why)) if len(why) == 1 else "", style="red")
        said = Text(self._words.value(target, row), style="bold" if cell.best else "")
        if row.baseline:
            return said.append("\nbaseline", style="dim")
        if (apart := cell.difference) is None:
            return said
        sure = apart.over_seeds or apart.over_sentences
        style = ("green" if (apart.mean > 0) is higher_is_better(target) else "red") if sure else "dim"
        return said.append(f"\n{self._words.difference(target, cell)}", style=style)

    def _width(self, target: str) -> int:
        cells = [self._cell(target, row).plain for row in self._found.rows]
        return max(cell_len(line) for text in (self._words.heading(target), *cells) for line in text.split("\n"))

    def _count_width(self) -> int:
        return max(1, *(len(self._words.count(row)) for row in self._found.rows))

    def _key_width(self, key: str, terminal: int) -> int:
        widest = max(map(cell_len, (key, *(row.settings[key] for row in self._found.rows))))
        return min(widest, KEY, max(6, terminal // 2 // len(self._found.keys)))
