"""Write the page of a run, or of a whole sweep, from the files that lie there; a picture of it where one is asked for.

Examples:
    sonar-slt report
    sonar-slt report run=3f2a9c01
    sonar-slt report last output=page.html picture=page.png theme=dark
    sonar-slt report sweep=last target=bleu/unseen
    sonar-slt report run=3f2a9c01 bundle=signs.zip
    sonar-slt report sweep=last dashboard=us/signs
    sonar-slt report 3f2a9c01 77b0e1d2 assess.clips=50 assess.judges=2 output=sheets
    sonar-slt report ratings=[ratings-1.json,ratings-2.json] key=sheets/key.json
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.errors import UserError

if TYPE_CHECKING:
    from sonar_slt.page import Theme

THEMES = ("light", "dark")
DECODED = 700
"""Milliseconds until what came into view is decoded and drawn."""


def run(config: dict[str, Any], _: Asked) -> None:
    """Write what is asked for and print where it lies."""
    from sonar_slt.cli.command.output import write_output
    from sonar_slt.cli.handout import handed_out

    if handed_out(config):
        return
    theme = _checked(config)
    several = config["swept"] is not None or len(config["inputs"]) > 1
    path, text = _sweep_page(config, theme) if several else _run_page(config, theme)
    path = write_output(config["output"] or str(path), text)
    print(path)
    if config["picture"]:
        print(_picture(path, config))
    if config["open"]:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


def _run_page(config: dict[str, Any], theme: Theme | None) -> tuple[Path, str]:
    """Where the page of the run that is named belongs, and its text."""
    from sonar_slt.runs.folder import REPORT
    from sonar_slt.runs.registry import find
    from sonar_slt.runs.report.contents import page

    if config["target"] is not None:
        raise UserError(
            f"target={config['target']}: one run has all its figures on its page; a sweep is compared by one."
        )
    record = find(Path(config["paths"]["runs"]), (config["inputs"] or ["last"])[0])
    return record.folder / REPORT, page(record, theme=theme)


def _sweep_page(config: dict[str, Any], theme: Theme | None) -> tuple[Path, str]:
    """Where the page of a sweep, or of several runs, belongs, and its text; the effects are printed."""
    from rich.console import Console

    from sonar_slt.runs.folder import REPORT
    from sonar_slt.runs.sweeps.formats.effects import effects_table
    from sonar_slt.runs.sweeps.page.contents import sweep_page
    from sonar_slt.runs.sweeps.sweep import Sweep

    if config["swept"] is not None and config["inputs"]:
        raise UserError(f"sweep={config['swept']} names its runs itself: leave out the others, or leave out sweep=.")
    sweep = Sweep.read(Path(config["paths"]["runs"]), config["swept"] or config["inputs"])
    target = sweep.target(config["target"])
    Console(highlight=False).print(effects_table(sweep, target))
    path = Path(config["output"]) if config["output"] else sweep.folder / REPORT
    return path, sweep_page(sweep, path.parent, target=target, theme=theme)


def _picture(path: Path, config: dict[str, Any]) -> Path:
    """A picture of a page, of the whole of it where no height is given."""
    from sonar_slt.page.browser import TALLEST, Browser

    target = Path(config["picture"])
    with Browser(width=config["width"], height=config["height"] or 900) as browser:
        browser.prefer(theme=config["theme"], still=True)
        browser.open(path)
        if config["height"] is None:  # as tall as the page, so that everything comes into view and is decoded
            browser.resize(config["width"], min(browser.run("document.documentElement.scrollHeight"), TALLEST))
        browser.run(f"new Promise((done) => setTimeout(done, {DECODED}))")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(browser.picture())
    return target


def _checked(config: dict[str, Any]) -> Theme | None:
    """The theme that is asked for; sizes and names that mean nothing are refused."""
    theme: Theme | None = config["theme"]
    if theme not in (None, *THEMES):
        raise UserError(f"theme={theme}: expected light, dark, or null for what the reader's system prefers.")
    for name in ("width", "height"):
        if config[name] is not None and config[name] < 200:
            raise UserError(f"{name}={config[name]}: a picture has at least 200 pixels.")
    if config["picture"] and not str(config["picture"]).endswith(".png"):
        raise UserError(f"picture={config['picture']}: expected a name that ends in .png.")
    return theme
