"""What was measured, as tables on screen and as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from sonar_slt.bench.timing import Comparison, Footprint, Result, Share

GIB = 2**30


def show(console: Console, results: Sequence[Result]) -> None:
    """Times, peaks and shares, each in a table of its own."""
    times = [result for result in results if isinstance(result, Comparison)]
    peaks = [result for result in results if isinstance(result, Footprint)]
    shares = [result for result in results if isinstance(result, Share)]
    if peaks:
        console.print(_peaks(peaks))
    if times:
        console.print(_times(times))
    if shares:
        console.print(_shares(shares))


def plain_numbers(results: Sequence[Result]) -> dict[str, list[dict[str, Any]]]:
    """The same for a json file."""
    return {
        "times": [asdict(result) for result in results if isinstance(result, Comparison)],
        "peaks": [asdict(result) for result in results if isinstance(result, Footprint)],
        "shares": [asdict(result) for result in results if isinstance(result, Share)],
    }


def _times(times: Sequence[Comparison]) -> Table:
    table = _table("time", "plain s", "ours s", "plain / ours", "of the limit", "")
    for one in times:
        limit = "" if one.of_limit is None else f"{one.of_limit:.0%}"
        table.add_row(one.name, _short(one.plain), _short(one.ours), f"{one.ratio:.2f}", limit, one.note)
    return table


def _peaks(peaks: Sequence[Footprint]) -> Table:
    table = _table("memory at the peak", "plain GiB", "ours GiB", "ours / plain")
    for one in peaks:
        ratio = f"{one.ours / one.plain:.2f}" if one.plain and one.ours else ""
        table.add_row(one.name, f"{one.plain / GIB:.2f}", f"{one.ours / GIB:.2f}", ratio)
    return table


def _shares(shares: Sequence[Share]) -> Table:
    table = _table("part of the time", "part s", "whole s", "share", "", "")
    for one in shares:
        table.add_row(one.name, _short(one.part), _short(one.whole), f"{one.part / one.whole:.1%}", "", one.note)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="left" if i in (0, 5) else "right")
    return table


def _short(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds >= 1 else f"{seconds:.4f}"
