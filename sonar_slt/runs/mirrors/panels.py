"""What a W&B dashboard is made of, as plain data: panels in sections, each knowing what has to be logged for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from sonar_slt.files import write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel; `shows` is the field that says what has to be logged for it."""

    kind: ClassVar[str]
    shows: ClassVar[str]
    title: str

    @property
    def names(self) -> tuple[str, ...]:
        """What has to be logged for it."""
        found = getattr(self, self.shows)
        return (found,) if isinstance(found, str) else tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines(Panel):
    """Curves over the optimiser's steps."""

    kind, shows = "lines", "y"
    y: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(Panel):
    """Final figures, a bar each; a score stands between the ends of its interval."""

    kind, shows = "bars", "figures"
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Panel):
    """A table of samples, the last one of each run."""

    kind, shows = "table", "table"
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An axis of parallel coordinates: a key of the config by its dotted path, or a figure."""

    source: Literal["config", "summary"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(Panel):
    """Parallel coordinates: swept keys, then the figure that they are judged by."""

    kind, shows = "parallel", "columns"
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What has to be logged for it."""
        return tuple(column.name for column in self.columns if column.source == "summary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance(Panel):
    """How much each key of the config has to do with a figure."""

    kind, shows = "importance", "target"
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Panels under a heading; one that is not open is unfolded by a click."""

    name: str
    panels: tuple[Panel, ...]
    open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A workspace in W&B."""

    name: str
    sections: tuple[Section, ...]

    def plain(self) -> dict[str, Any]:
        """In the terms of json, each panel with its kind."""
        return {
            "name": self.name,
            "sections": [
                {
                    "name": section.name,
                    "open": section.open,
                    "panels": [{"kind": panel.kind, **asdict(panel)} for panel in section.panels],
                }
                for section in self.sections
            ],
        }

    def write(self, path: Path) -> None:
        """Put it into a json file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, self.plain())
