"""A dashboard as the objects of wandb-workspaces, which check it once more, and into an account. Extra `dashboard`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from sonar_slt.errors import UserError
from sonar_slt.runs.mirrors.dashboard import dashboard_of
from sonar_slt.runs.mirrors.panels import Bars, Column, Dashboard, Importance, Lines, Panel, Parallel, Table
from sonar_slt.runs.registry import Record

EXTRA = "pip install 'sonar-slt[dashboard]'"
PLACE = re.compile(r"(?P<entity>[\w.-]+)/(?P<project>[\w.-]+)")


def show_dashboard(word: str, runs: Sequence[Record], *, name: str) -> str:
    """Write the dashboard of some runs to FILE.json, or push it to ENTITY/PROJECT; where it is comes back."""
    place = PLACE.fullmatch(word)
    if not word.endswith(".json") and not place:
        raise UserError(f"dashboard={word}: expected FILE.json to write, or ENTITY/PROJECT of W&B to push to.")
    dashboard = dashboard_of(runs, name=name)
    if word.endswith(".json"):
        dashboard.write(Path(word))
        return word
    assert place
    return push(dashboard, entity=place["entity"], project=place["project"])


def push(dashboard: Dashboard, *, entity: str, project: str) -> str:
    """Save it as a view of a project, which needs an account; its address comes back."""
    import wandb

    view = workspace_of(dashboard, entity=entity, project=project)
    wandb.setup(settings=wandb.Settings(silent=True))
    try:
        if not wandb.login(prompt=False):
            raise UserError("no account is known here, `wandb login` adds one")
        view.save()
    except Exception as error:  # the package lets through whatever the network raises
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise UserError(f"dashboard={entity}/{project}: W&B did not take it: {reason}.") from error
    return str(view.url)


def workspace_of(dashboard: Dashboard, *, entity: str, project: str) -> Any:
    """The same as a workspace of the package; nothing is sent."""
    try:
        with warnings.catch_warnings():  # its own, about pydantic, at import
            warnings.filterwarnings("ignore", message="Pydantic V1 style `@validator`", category=DeprecationWarning)
            import wandb_workspaces.reports.v2 as reports
            import wandb_workspaces.workspaces as workspaces
    except ImportError:
        raise UserError(f"dashboard={entity}/{project}: wandb-workspaces is not installed: {EXTRA}.") from None
    sections = [
        workspaces.Section(
            name=section.name, panels=[_panel(panel, reports) for panel in section.panels], is_open=section.open
        )
        for section in dashboard.sections
    ]
    return workspaces.Workspace(entity=entity, project=project, name=dashboard.name, sections=sections)


def _panel(panel: Panel, reports: ModuleType) -> Any:
    match panel:
        case Lines():
            return reports.LinePlot(title=panel.title, x="Step", y=list(panel.y))
        case Bars():
            return reports.BarPlot(title=panel.title, metrics=list(panel.figures))
        case Table():
            return reports.WeavePanelSummaryTable(table_name=panel.table)
        case Parallel():
            columns = [_column(column, reports) for column in panel.columns]
            return reports.ParallelCoordinatesPlot(title=panel.title, columns=columns)
        case Importance():
            return reports.ParameterImportancePlot(with_respect_to=panel.target)


def _column(column: Column, reports: ModuleType) -> Any:
    metric = (reports.Config if column.source == "config" else reports.SummaryMetric)(column.name)
    return reports.ParallelCoordinatesPlotColumn(
        metric=metric, display_name=column.name.removeprefix("record.choices.")
    )
