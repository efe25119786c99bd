"""What ``--help`` prints: the verbs, and for each its rooms, options, keys and examples; read from files, never run."""

from __future__ import annotations

import ast
import shutil
import textwrap
from itertools import groupby
from pathlib import Path

from sonar_slt.config.floorplan import Floorplan
from sonar_slt.config.location import PACKAGE, conf_folder
from sonar_slt.errors import UserError

WIDEST = 120
OPTIONS = {
    "-m, --multirun": "run every combination of values separated by commas: seed=1,2",
    "-c, --cfg job": "print the config instead of running; --resolve writes out references",
    "-i, --info [defaults|…]": "print where the config comes from",
    "-cd, --config-dir DIR": "a folder of yours with further options: DIR/experiment/mine.yaml",
    "--": "everything behind is an input, whatever it looks like",
}


def version() -> str:
    """The installed version."""
    from importlib import metadata  # which takes as long as Python's own start

    try:
        return f"sonar-slt {metadata.version('sonar-slt')}"
    except metadata.PackageNotFoundError:
        return "sonar-slt (not installed)"


def overview(verbs: list[str]) -> str:
    """The page of ``sonar-slt --help``."""
    lines = [_docstring(verb)[0] for verb in verbs]
    return "\n".join(
        [
            "sonar-slt VERB [key=value …]    sign language, speech and text in one sentence space",
            "",
            *_columns(dict(zip(verbs, lines, strict=True))),
            "",
            "`sonar-slt VERB --help` explains a verb; `sonar-slt --version` tells the version.",
            'Completion in this shell: eval "$(sonar-slt -sc install=bash)"',
        ]
    )


def page(verb: str, config_dir: str | None = None) -> str:
    """The page of ``sonar-slt VERB --help``."""
    primary = verb.replace("-", "_")
    plan = Floorplan([conf_folder(), *_own(config_dir)])
    summary, examples = _docstring(verb)
    takes_inputs = "inputs" in plan.explained_keys(primary)
    usage = f"sonar-slt {verb} {'[input …] ' if takes_inputs else ''}[key=value …]"
    parts = [usage, "", *textwrap.wrap(summary, _width())]
    rooms = _rooms(plan, primary)
    how = "Rooms (room=option chooses, room.key=value changes; * is the default)"
    parts += ["", how, *rooms] if rooms else []
    explained = plan.explained_keys(primary).items()
    keys = {f"{key}={value}" if value else key: comment for key, (value, comment) in explained}
    parts += ["", "Keys", *_columns(keys), "", "Options", *_columns(OPTIONS)]
    parts += ["", "Examples", *(f"  {example}" for example in examples)] if examples else []
    return "\n".join(parts)


def _own(config_dir: str | None) -> list[Path]:
    if config_dir is not None and not Path(config_dir).is_dir():
        raise UserError(f"--config-dir {config_dir} is no folder; expected one with rooms such as experiment/.")
    return [Path(config_dir)] if config_dir is not None else []


def _rooms(plan: Floorplan, primary: str) -> list[str]:
    lines: list[str] = []
    chosen = plan.defaults(primary)
    for room, comment in plan.explained_rooms(primary).items():
        options = plan.described(room)
        if not options:
            continue
        default = chosen[room] if isinstance(chosen[room], list) else [chosen[room]]
        told = f"{room}  ({comment})" if comment else room
        lines += textwrap.wrap(told, _width(), initial_indent="  ", subsequent_indent=" " * (len(room) + 5))
        for folder, together in groupby(options.items(), key=lambda option: option[0].rpartition("/")[0]):
            lines += [f"    {folder}/"] if folder else []
            starred = {f"  {'*' if name in default else ' '} {name}": line for name, line in together}
            lines += _columns(starred, 24)
    return lines


def _width() -> int:
    """Columns of the page: those of the terminal as far as they are easily read, many where there is none."""
    return max(60, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def _columns(entries: dict[str, str], least: int = 16) -> list[str]:
    """Two columns, the second wrapped under itself."""
    width = min(32, max([least, *(len(name) for name in entries)]))
    lines: list[str] = []
    for name, text in entries.items():
        wrapped = textwrap.wrap(text, _width() - width - 4) or [""]
        fits = len(name) <= width
        lines.append(f"  {name:<{width}}  {wrapped[0] if fits else ''}".rstrip())
        lines += [f"  {'':<{width}}  {line}" for line in wrapped[1 if fits else 0 :]]
    return lines


def _docstring(verb: str) -> tuple[str, list[str]]:
    """The first line of a verb's module and the commands below ``Examples:``."""
    source = (PACKAGE / "cli" / f"{verb.replace('-', '_')}.py").read_text(encoding="utf-8")
    text = ast.get_docstring(ast.parse(source)) or ""
    head, _, examples = text.partition("Examples:")
    lines = [line.strip() for line in examples.strip().splitlines() if line.strip()]
    return (head.strip().splitlines() or [""])[0], lines
