"""Shell completion: Hydra's own, one word to the right, for the first word is a verb.

The options of a room, the choices of a key, and the runs and sweeps that are there are told by us: Hydra knows none
of them.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from sonar_slt.cli.command.arguments import FLAGS, VALUED, separate
from sonar_slt.config import schema
from sonar_slt.config.annotation import choices
from sonar_slt.config.floorplan import Floorplan
from sonar_slt.config.location import conf_folder
from sonar_slt.errors import UserError

OF_RUNS = ("run", "resume", "init_from")
"""Keys whose value is a run."""
READING = ("diff", "evaluate", "report", "rerun", "runs", "score")
"""Verbs whose inputs may be runs."""


def complete(words: list[str], verbs: list[str]) -> int:
    """Answer ``-sc install=SHELL``, ``-sc uninstall=SHELL`` or the ``-sc query=SHELL`` that the shell asks itself."""
    from sonar_slt.cli.command.application import shown_by_hydra

    if len(words) != 2 or words[1].partition("=")[0] not in ("install", "uninstall", "query"):
        raise UserError("-sc takes install=SHELL or uninstall=SHELL, where SHELL is bash, zsh or fish.")
    verb = verbs[0]
    if words[1].startswith("query="):
        line = os.environ.get("COMP_LINE", "")
        program, *typed = line.split()
        if not typed or (len(typed) == 1 and not line.endswith(" ")):
            print(" ".join(verb for verb in verbs if verb.startswith("".join(typed))))
            return 0
        verb, *rest = typed
        if verb not in verbs:
            return 0
        if (known := _known(verb, rest, "" if line.endswith(" ") else rest[-1])) is not None:
            print("\n".join(known))
            return 0
        os.environ["COMP_LINE"] = " ".join([program, *rest]) + (" " if line.endswith(" ") else "")
    return shown_by_hydra(verb, separate(verb, words), [words[1]])


def _known(verb: str, rest: list[str], word: str) -> list[str] | None:
    """What the last word may become, as far as we know it; None where it is for Hydra to say."""
    key, equals, part = word.partition("=")
    if word.startswith("-"):
        return [option for option in (*FLAGS.values(), *VALUED.values(), "--info") if option.startswith(word)]
    if not equals:
        shown = verb == "runs" and rest[:1] == ["show"]
        found = [*_inputs(verb, rest, word), *(() if shown else _names(verb, word))]
        return found if found or "." not in word else None
    fields = {field.name: str(field.type) for field in dataclasses.fields(schema.of_verb(verb))}
    if key in OF_RUNS and (key in fields or "inputs" in fields):
        values = ["last", *_runs(rest)]
    elif key in ("sweep", "swept") and "swept" in fields:
        values = ["last", *_sweeps(rest)]
    elif key in fields and (values := choices(fields[key])):
        pass
    else:
        return _options(key, part)
    return [f"{key}={value}" for value in values if value.startswith(part)]


def _names(verb: str, word: str) -> Iterator[str]:
    """The rooms and keys of a verb that a word begins; what is below them is for Hydra to say."""
    plan, primary = Floorplan([conf_folder()]), verb.replace("-", "_")
    rooms, keys = plan.defaults(primary), plan.explained_keys(primary)
    sections = {key.partition(".")[0] for key in keys if "." in key}
    for name in (*rooms, *keys):
        if "." not in name and name.startswith(word):
            yield from [f"{name}="] if name not in sections else []
            yield from [f"{name}."] if name in sections or name in plan.rooms(primary) else []


def _inputs(verb: str, rest: list[str], word: str) -> list[str]:
    """The runs that a word begins, for a verb that takes some; `show` in front of one."""
    if verb not in READING or (not word and rest[-1:] != ["show"]):
        return []
    if verb == "runs" and "show" not in rest[:1]:
        return ["show"] if "show".startswith(word) else []
    return [found for found in ["last", *_runs(rest)] if found.startswith(word)]


def _runs(rest: list[str]) -> list[str]:
    """The ids of all runs, the newest first."""
    return list(dict.fromkeys(name.rpartition("_")[2] for name in _folders(rest, "runs") if "_" in name))


def _sweeps(rest: list[str]) -> list[str]:
    return list(_folders(rest, "sweeps"))


def _folders(rest: list[str], kind: str) -> Iterator[str]:
    """The names in the folder of runs or sweeps that the words mean, the last first."""
    named = dict(word.split("=", 1) for word in rest if word.startswith("paths.") and "=" in word)
    root = Path(named.get(f"paths.{kind}", f"{named.get('paths.outputs', 'outputs')}/{kind}")).expanduser()
    yield from sorted((path.name for path in root.iterdir()) if root.is_dir() else (), reverse=True)


def _options(room: str, part: str) -> list[str] | None:
    """What ``room=part`` may become, also within a list; None where the word is no choice in a room."""
    plan = Floorplan([conf_folder()])
    group = room.lstrip("+").partition("@")[0]
    if not plan.is_group(group):
        return None
    cut = max(part.rfind("["), part.rfind(",")) + 1
    return [f"{room}={part[:cut]}{option}" for option in plan.options(group) if option.startswith(part[cut:])]
