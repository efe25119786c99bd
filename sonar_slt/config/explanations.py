"""The sentences about faults that Hydra would report late, one at a time or in its own words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hydra.errors import MissingConfigException
from omegaconf import DictConfig
from yaml import MarkedYAMLError

from sonar_slt.config.floorplan import Floorplan
from sonar_slt.config.inspection import names
from sonar_slt.config.problem import Problem, unknown_key
from sonar_slt.config.words import Word, value_of
from sonar_slt.errors import did_you_mean
from sonar_slt.languages import nearest as nearest_languages


def unknown_option(verb: str, plan: Floorplan, group: str, option: str, place: str = "") -> Problem:
    """An option that a room does not have, or a folder of options in its place."""
    if within := plan.inside(group, option):
        return Problem(group, f"{place}{group}={option} is a folder: choose one of {', '.join(within)}.")
    codes = [each.code for each in nearest_languages(option)] if group == "languages" else []
    near = did_you_mean(option, [*plan.options(group), *codes]) or (f" Did you mean {codes[0]}?" if codes else "")
    yours = "; yours are looked for in --config-dir" if not near and len(plan.folders) == 1 else ""
    listed = f"`sonar-slt {verb} --help` lists them{yours}."
    return Problem(group, f"{place}Unknown option {group}={option}.{near} {listed}")


def misplaced(plan: Floorplan, group: str, option: str) -> Problem | None:
    """An option of one class whose file puts it under another key than the one where its room is read."""
    package, room = plan.package(group, option), group.replace("/", ".")
    several = bool(Floorplan(plan.folders[:1]).beside(group))
    if package is None or (package.startswith(f"{room}.") if several else not package):
        return None
    place = shown(f"{group}/{option}", plan)
    line, why = f"# @package {room}.{option}", f"{group} holds several, each by its name"
    said = f"its first line should be `{line}`, for {why}" if several else f"no `# @package` here: {group} is one thing"
    return Problem(group, f"{place}: {said}.")


def none_chosen(verb: str, room: str) -> Problem:
    """A room of several options where none is left."""
    return Problem(room, f"{room}=[] leaves none: choose at least one; `sonar-slt {verb} --help` lists them.")


def sweep_without_multirun(word: Word) -> Problem:
    """Values separated by commas where one is expected."""
    key, _, values = word.text.partition("=")
    text = f"{word.text} is a sweep: add -m to run each value, or write {key}=[{values}] for one list."
    return Problem(word.key, text)


def without_end(word: Word) -> Problem:
    """An interval where every value is to be run."""
    key = word.text.partition("=")[0]
    text = f"{word.text} has no end of values: add sweeper=tpe to search in it, or write {key}=a,b or {key}=range(a,b)."
    return Problem(word.key, text)


def key_problem(word: Word, content: Mapping[str, Any], plan: Floorplan) -> Problem | None:
    """Why a word about a key cannot be applied to the composed ``content``, None when it can."""
    there = has(content, word.key)
    if word.sign == "+" and there and not isinstance(value_of(word.alternatives[0]), dict | list):
        return Problem(word.key, f"{word.key} is there already: write {word.text.removeprefix('+')}.")
    if there or word.sign in ("+", "++"):
        return None
    known = names({key: value for key, value in content.items() if key != "hydra"})
    known |= {f"{word.room}.{option}" for option in (plan.beside(word.room) if "." in word.key else ())}
    if word.key in known and has(content, word.key.rpartition(".")[0]):
        return Problem(word.key, f"{word.key} is not set in the yaml: write +{word.text}.")
    if unchosen := _unchosen(word.key, content.get(word.room), plan):
        return unchosen
    if content.get(word.room, False) is None or (word.room not in content and plan.is_group(word.room)):
        choices = ", ".join(plan.options(word.room))
        return Problem(word.key, f"Unknown key {word.key}: {word.room} is empty here; {word.room} can be {choices}.")
    if owners := _owners(word.key, plan):
        return Problem(word.key, f"Unknown key {word.key}: it belongs to {word.room}={' or '.join(owners)}.")
    if "." not in word.key:
        known |= set(plan.groups())
    return unknown_key(word.key, known)


def _unchosen(key: str, room: Any, plan: Floorplan) -> Problem | None:
    """A key of an option that could stand beside those that are chosen, as in ``objective``."""
    group, option, *_ = [*key.split("."), ""]
    if not isinstance(room, Mapping) or "_target_" in room or option in room or option not in plan.options(group):
        return None
    adding = f"{group}=[{','.join([*room, option])}]"
    return Problem(key, f"Unknown key {key}: {option} is not chosen here; {adding} adds it.")


def _owners(key: str, plan: Floorplan) -> list[str]:
    """The options of a room that have a key which the chosen one has not."""
    group, dot, _ = key.partition(".")
    return [option for option in plan.options(group) if plan.writes(f"{group}/{option}", key)] if dot else []


def has(content: Any, key: str) -> bool:
    """Whether a dotted key is in a tree of dicts; below an interpolation or in a list nothing is known, so yes."""
    for part in key.split("."):
        if isinstance(content, list) or (isinstance(content, str) and "${" in content) or "[" in part:
            return True
        if not isinstance(content, Mapping) or part not in content:
            return False
        content = content[part]
    return True


def traced(problem: Problem, config: DictConfig, plan: Floorplan) -> Problem:
    """The same problem with the yaml that it comes from in front."""
    for group, chosen in config.hydra.runtime.choices.items():
        for option in chosen if not isinstance(chosen, str) and chosen is not None else [chosen]:
            name = f"{group}/{option}"
            for file in [] if group.startswith("hydra") else [name, *plan.foundations(group, str(option))]:
                if plan.writes(file, problem.key):
                    return replace(problem, text=f"{shown(file, plan)}: {problem.text}")
    return problem


def shown(name: str, plan: Floorplan) -> str:
    """A config file as the user knows it: by its short name in our folder, by its path in their own."""
    file = plan.file(name)
    ours = file is None or file.is_relative_to(plan.folders[0])
    return f"{name}.yaml" if ours else str(file)


def blamed(problem: Problem, choices: Sequence[str], plan: Floorplan) -> Problem:
    """The problem of an option that is not there with the file in front whose defaults list chooses it."""
    wanted = re.match(r"Unknown option ([\w/]+)=([\w/-]+)\.", problem.text)
    for choice in choices if wanted else ():
        group, _, options = choice.lstrip("+").partition("=")
        for name in (f"{group}/{option}" for option in options.strip("[]").split(",")):
            file = plan.file(name)
            line = rf"^\s*- (override )?/?{wanted[1]}(@\S+)?:.*\b{re.escape(wanted[2])}\b" if wanted else ""
            if file is not None and re.search(line, file.read_text(encoding="utf-8"), re.MULTILINE):
                return replace(problem, text=f"{shown(name, plan)}: {problem.text}")
    return problem


def explained(error: Exception, verb: str, plan: Floorplan) -> Problem:
    """Hydra's exception in one line, with the nearest names where it is about a name."""
    if isinstance(error, MarkedYAMLError) and (mark := error.problem_mark) is not None:
        return Problem("", f"{mark.name}, line {mark.line + 1}: this is no yaml: {error.problem}.")
    text = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
    cause = error.__cause__
    if not text and cause is not None:
        text = str(cause).splitlines()[0]
    place = re.match(r"In '([^']+)': ", text)
    where = f"{shown(place[1], plan)}: " if place and "/" in place[1] else ""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options is not None:
        group, _, option = error.missing_cfg_file.rpartition("/")
        if not group.startswith("hydra"):
            return unknown_option(verb, plan, group, option, where)
    unmatched = re.search(r"Could not (?:override|delete) '([^']+)'\. ?No match in the defaults list", text)
    if unmatched:
        group = unmatched[1].lstrip("/").partition("=")[0]
        rooms = plan.defaults(verb.replace("-", "_"))
        hint = did_you_mean(group, rooms) or f" It has {', '.join(rooms)}."
        return Problem(group, f"{where}{verb} has no room {group}.{hint}")
    if lacking := re.search(r"Could not load '([^']+)'", text):
        room, _, file = lacking[1].rpartition("/")
        return Problem("", f"{where}There is no {lacking[1]}.yaml to build on.{did_you_mean(file, plan.options(room))}")
    return Problem("", text.partition(" Config search path:")[0])
