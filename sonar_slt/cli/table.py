"""The table of a sweep: a row for each combination, mean and spread over seeds, failures, differences to a baseline.

Examples:
    sonar-slt table last
    sonar-slt table terms targets=[bleu,bleu/unseen,retrieval_at_1]
    sonar-slt table last baseline=objective=[mse] plot=sweep.svg
    sonar-slt table last baseline=3f2a9c01 resamples=0 output=sweep.tex
    sonar-slt table 3f2a9c01 77b0e1d2 5c1d0e94 format=csv
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.command.output import write_output
from sonar_slt.errors import UserError

if TYPE_CHECKING:
    from sonar_slt.runs.sweeps.comparison import Comparison
    from sonar_slt.runs.sweeps.sweep import Sweep

FORMATS = ("markdown", "csv", "latex")
SUFFIXES = {".md": "markdown", ".csv": "csv", ".tex": "latex"}


def run(config: dict[str, Any], _: Asked) -> None:
    """Print the table, or write it and its plot and print where they lie."""
    form = _format(config)
    found = _compared(config)
    if form is None or config["output"]:
        _print(found)
    if form is not None and config["output"]:
        print(write_output(config["output"], _text(found, form)))
    elif form is not None:
        print(_text(found, form), end="")
        if form == "csv":  # which holds numbers alone
            print(*(f"! {warning}" for warning in found.warnings), sep="\n", end="", file=sys.stderr)
    if config["plot"]:
        from sonar_slt.runs.sweeps.formats.plot import as_svg

        print(write_output(config["plot"], as_svg(found), key="plot"))


def _compared(config: Mapping[str, Any]) -> Comparison:
    """The rows that are asked for, held against the baseline where one is named."""
    from sonar_slt.runs.sweeps.baseline import against
    from sonar_slt.runs.sweeps.comparison import compare

    targets = config["targets"] if config["target"] is None else [config["target"]]
    found = compare(_sweep(config, targets), targets=targets, over=config["over"])
    if config["baseline"] is None:
        return found
    if not config["resamples"]:
        return against(found, config["baseline"])
    from rich.console import Console

    from sonar_slt.config.build import build
    from sonar_slt.runs.sweeps.sentences import PairedSentences

    metrics = tuple(build(config["metrics"]).values()) if config["metrics"] else ()
    test = PairedSentences(metrics, resamples=config["resamples"], seed=config["seed"])
    with Console(stderr=True).status("Pairing the sentences of the runs; resamples=0 leaves that out"):
        found = against(found, config["baseline"], test)
    return replace(found, resamples=config["resamples"], warnings=(*found.warnings, *test.remarks))


def _sweep(config: Mapping[str, Any], targets: list[str] | None) -> Sweep:
    """The runs that are named; their logs are read only where a column is made of them."""
    from sonar_slt.runs.sweeps.comparison import USUAL
    from sonar_slt.runs.sweeps.sweep import Sweep

    root, inputs = Path(config["paths"]["runs"]), config["inputs"] or ["last"]
    word = inputs[0] if len(inputs) == 1 else inputs
    sweep = Sweep.read(root, word, least=1, logged=False)
    there = set(sweep.figures_of_any)
    lacking = not there & set(USUAL) if targets is None else set(targets) - there
    return Sweep.read(root, word, least=1) if there and lacking else sweep


def _format(config: Mapping[str, Any]) -> str | None:
    """The format that is asked for, in words or by the name of the file; None for the screen alone."""
    form: str | None = config["format"]
    if form not in (None, *FORMATS):
        raise UserError(f"format={form}: expected {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, or null for the screen.")
    if config["target"] is not None and config["targets"] is not None:
        raise UserError("target= and targets= both name the columns: give one of them.")
    if config["targets"] == []:
        raise UserError("targets=[] leaves no column: name figures such as targets=[bleu,chrf], or leave it out.")
    for key in ("resamples", "seed"):
        if config[key] < 0:
            raise UserError(f"{key}={config[key]}: expected a whole number from 0 on.")
    if config["plot"] and Path(config["plot"]).suffix != ".svg":
        raise UserError(f"plot={config['plot']}: expected a name that ends in .svg.")
    if config["output"] and form is None:
        form = SUFFIXES.get(Path(config["output"]).suffix)
        if form is None:
            raise UserError(f"output={config['output']}: expected a name in .md, .csv or .tex, or format= beside it.")
    return form


def _text(found: Comparison, form: str) -> str:
    from sonar_slt.runs.sweeps.formats.csv import as_csv
    from sonar_slt.runs.sweeps.formats.latex import as_latex
    from sonar_slt.runs.sweeps.formats.markdown import as_markdown

    return dict(zip(FORMATS, (as_markdown, as_csv, as_latex), strict=True))[form](found)


def _print(found: Comparison) -> None:
    from rich.console import Console

    from sonar_slt.runs.sweeps.formats.screen import SweepTable

    Console(highlight=False).print(SweepTable(found))
