"""The effects of a sweep on the screen: one line for each value of each key, and what does not count and why."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sonar_slt.runs.scores.numbers import digits_of, rounded
from sonar_slt.runs.scores.titles import figure_title, higher_is_better
from sonar_slt.runs.sweeps.effects import Difference, Effect, Effects
from sonar_slt.runs.sweeps.sweep import Sweep

SHOWN = 6
"""So many of the runs that do not count are named; the page has them all."""


def effects_table(sweep: Sweep, target: str) -> RenderableType:
    """What each swept key does to a figure, the most important first, with what one has to know about it."""
    found = sweep.effects(target)
    spread = f" ± {_figure(found.sd, found)}" if found.sd is not None else ""
    mean = f"{_figure(found.mean, found)}{spread}"
    head = f"{sweep.name}: {figure_title(target)}, {mean} over {found.n} of {len(sweep.runs)} runs"
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("key")
    table.add_column("value", overflow="fold", min_width=12)
    for heading in ("n", "mean", "± seeds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("against the first (95 %)", no_wrap=True)
    for effect in sorted(found.effects, key=lambda effect: -(effect.share or 0.0)):
        for row in _rows(effect, found, higher_is_better(target)):
            table.add_row(*row)
    return Group(
        Text(head, style="bold"), Text(""), table, *_rests(found), *map(_remark, [*found.caveats, *_aside(sweep)])
    )


def _rows(effect: Effect, found: Effects, higher: bool) -> Iterator[tuple[Text, ...]]:
    share = f"{effect.share:.0%} of it all" if effect.share is not None else ""
    first = effect.levels[0].value
    apart = {one.value: one for one in effect.differences if one.against == first}
    for place, level in enumerate(effect.levels):
        yield (
            (Text(effect.key), Text(share, style="dim"), Text(""))[min(place, 2)],
            Text(level.value),
            Text(str(level.n)),
            Text(_figure(level.mean, found), style="bold"),
            Text(_figure(level.spread, found)),
            _difference(apart[level.value], found, higher) if level.value in apart else Text(""),
        )


def _difference(apart: Difference, found: Effects, higher: bool) -> Text:
    if apart.low is None or apart.high is None:
        return Text(_figure(apart.mean, found, sign=True))
    sure = apart.low > 0 or apart.high < 0
    style = ("green" if (apart.mean > 0) is higher else "red") if sure else ""
    ends = f" ({_figure(apart.low, found, sign=True)} to {_figure(apart.high, found, sign=True)})"
    return Text(_figure(apart.mean, found, sign=True) + ends, style=style)


def _rests(found: Effects) -> Iterator[Text]:
    rests = {"keys together": found.together, "seeds and chance": found.seeds, "no single key": found.shared}
    told = [f"{name} {share:.0%}" for name, share in rests.items() if share is not None and abs(share) >= 0.005]
    if told:
        yield Text(f"\nThe rest of the difference: {', '.join(told)}.", style="dim")


def _aside(sweep: Sweep) -> Iterator[str]:
    aside = [run for run in sweep.runs if run.aside is not None]
    yield from (f"Does not count: {run.record.id}, {run.aside}." for run in aside[:SHOWN])
    if len(aside) > SHOWN:
        yield f"{len(aside) - SHOWN} further runs do not count; the page says why."
    if sweep.missing:
        yield f"{len(sweep.missing)} jobs left no run: {', '.join(job.name for job in sweep.missing[:SHOWN])}."


def _remark(text: str) -> Text:
    return Text(f"! {text}", style="yellow")


def _figure(value: float | None, found: Effects, *, sign: bool = False) -> str:
    """With as many digits as figures of this size need."""
    if value is None:
        return ""
    text = rounded(value, digits_of(abs(found.mean)))
    return f"+{text}" if sign and value > 0 else text
