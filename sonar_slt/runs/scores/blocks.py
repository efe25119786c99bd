"""A table of figures as wide as the terminal and no wider: columns that do not fit go into a further block below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and for each row its figure and what stands below it in another style."""

    heading: str
    cells: Sequence[tuple[str, str]]
    styles: Sequence[str] = field(default=())  # of what stands below, dim where none is given

    @property
    def width(self) -> int:
        """In cells of the terminal."""
        return max(cell_len(text) for text in (self.heading, *(text for cell in self.cells for text in cell)))

    def cell(self, row: int) -> Text:
        """A cell with its second line, where it has one."""
        first, second = self.cells[row]
        style = self.styles[row] if self.styles else "dim"
        return Text(first) + Text(f"\n{second}" if second else "", style=style)


class Blocks:
    """Rows with a name in the first column, which is repeated in every block."""

    def __init__(self, names: Column, columns: Sequence[Column]) -> None:
        self._names, self._columns = names, columns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Block after block, with an empty line between them."""
        waiting = [column for column in self._columns if any(first or second for first, second in column.cells)]
        while waiting:
            fit, room = 0, options.max_width - self._names.width
            while fit < len(waiting) and (room := room - GAP - waiting[fit].width) >= 0:
                fit += 1
            shown, waiting = waiting[: max(fit, 1)], waiting[max(fit, 1) :]
            yield self._block(shown)
            if waiting:
                yield Text("")

    def _block(self, columns: Sequence[Column]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        table.add_column(Text(self._names.heading))
        for column in columns:
            table.add_column(Text(column.heading), justify="right", no_wrap=True)
        for row in range(len(self._names.cells)):
            table.add_row(self._names.cell(row), *(column.cell(row) for column in columns))
        return table
