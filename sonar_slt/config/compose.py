"""A command is examined before anything runs: composed as Hydra would, and every fault of it named at once.

The answer comes without torch; Hydra's own messages are used only where no better sentence is known.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError, OmegaConfBaseException

from sonar_slt.config.annotation import MISSING
from sonar_slt.config.explanations import (
    blamed,
    explained,
    key_problem,
    misplaced,
    none_chosen,
    sweep_without_multirun,
    traced,
    unknown_option,
    without_end,
)
from sonar_slt.config.floorplan import Floorplan
from sonar_slt.config.inspection import Inspection
from sonar_slt.config.location import conf_folder
from sonar_slt.config.problem import Problem, missing_value
from sonar_slt.config.words import Word, is_interval, options_in, read_word, value_of
from sonar_slt.errors import UserError

FAULTS = (HydraException, OmegaConfBaseException, ValueError, yaml.YAMLError)


@dataclass(frozen=True)
class Examined:
    """The resolved config of a command (of its first job in a sweep), what is wrong with it, a line each, which option
    each room has, and what a named sweep sweeps."""

    config: dict[str, Any]
    problems: list[str]
    choices: dict[str, Any] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)


def floorplan(config_dir: str | None = None) -> Floorplan:
    """Our conf folder, and the user's own behind it."""
    folders = [conf_folder()]
    if config_dir is not None:
        own = Path(config_dir).expanduser().resolve()
        if not own.is_dir():
            raise UserError(f"--config-dir {config_dir} is no folder; expected one with rooms such as experiment/.")
        folders.append(own)
    return Floorplan(folders)


def stem(verb: str) -> str:
    """The file name of a verb's module and primary config."""
    return verb.replace("-", "_")


def plain(config: DictConfig) -> dict[str, Any]:
    """The config as nested dicts and lists without Hydra's own; missing values stay ``???``."""
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    content = OmegaConf.to_container(own, resolve=True, throw_on_missing=False)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


def checked_values(verb: str, config: DictConfig, plan: Floorplan) -> tuple[dict[str, Any], list[Problem]]:
    """The plain, typed config that a verb receives, and its faults."""
    inspection = Inspection(verb, plan.rooms(stem(verb)))
    values = inspection.of(plain(config))
    needed = [room for room, default in plan.defaults(stem(verb)).items() if isinstance(default, list)]
    empty = [none_chosen(verb, room) for room in needed if not values.get(room)]
    return values, [*inspection.problems, *empty]


def examine(
    verb: str, overrides: Sequence[str], config_dir: str | None = None, *, multirun: bool = False, complete: bool = True
) -> Examined:
    """Compose ``verb`` with ``overrides``; collect the faults of the words, of the files they choose, of the result.

    ``complete=False`` lets values be missing, for a config that is only looked at.
    """
    plan = floorplan(config_dir)
    with _hydra(plan):
        examination = _Examination(verb, plan)
        config = examination.of(list(overrides), multirun)
    told = [problem.text for problem in examination.problems if complete or not problem.missing]
    return Examined(config, list(dict.fromkeys(told)), examination.choices, examination.params)


@contextmanager
def _hydra(plan: Floorplan) -> Iterator[None]:
    """Hydra over our conf folder; an app that is running meanwhile keeps its own."""
    running = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(plan.folders[0]), version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = running


class _Examination:
    def __init__(self, verb: str, plan: Floorplan) -> None:
        self.verb, self.plan = verb, plan
        self.problems: list[Problem] = []
        self.bases: dict[tuple[str, ...], DictConfig | None] = {}
        self.choices: dict[str, Any] = {}
        self.params: dict[str, str] = {}

    def of(self, overrides: list[str], multirun: bool) -> dict[str, Any]:
        """The first job's config; the faults of every job are collected on the way."""
        words = [word for text in overrides if (word := self._read(text)) is not None]
        base, words = self._base(words)
        if base is None:
            return {}
        self.choices = dict(base.hydra.runtime.choices)
        self.params = {str(key): str(value) for key, value in (base.hydra.sweeper.get("params") or {}).items()}
        if _wants_sweep(base) and not multirun:
            decided = {word.sign + word.key for word in words}
            swept = [f"{key}={value}" for key, value in self.params.items() if key not in decided]
            self.problems.clear()
            self.bases.clear()
            return self.of([*swept, *overrides], True)
        if base.get("allow"):
            text = "allow is set in a yaml; it counts on the command line only: allow=[my_package]."
            self.problems.append(traced(Problem("allow", text), base, self.plan))
        self.problems += [sweep_without_multirun(word) for word in words if word.sweeps and not multirun]
        self.problems += [without_end(word) for word in words if is_interval(word) and not base.get("sweeper")]
        broken = {problem.key for problem in self.problems}
        words = [word for word in words if word.group or word.room not in broken]
        config = self._job([word.alternatives[0] for word in words], words)
        for place, word in enumerate(words):
            for single in word.alternatives[1:]:
                self._job([single if n == place else w.alternatives[0] for n, w in enumerate(words)], words)
        return config

    def _base(self, words: list[Word]) -> tuple[DictConfig | None, list[Word]]:
        """What the first choices give; one that cannot be composed is told and left out, so that the rest is seen."""
        base = self._composed(_choices([word.alternatives[0] for word in words], words))
        if base is not None:
            return base, words
        told = list(self.problems)
        for left_out in [word for word in words if word.group or word.hydra]:
            rest = [word for word in words if word is not left_out]
            base = self._composed(_choices([word.alternatives[0] for word in rest], rest))
            self.problems = list(told)
            if base is not None:
                return base, rest
        return None, words

    def _read(self, text: str) -> Word | None:
        """A word that can be used; of a choice that is not there the problem is kept and the word dropped."""
        word = read_word(text, self.plan)
        if isinstance(word, Problem):
            self.problems.append(word)
            return None
        if not word.group or word.sign == "~":
            return word
        known = self.plan.options(word.key)
        wrong = [option for single in word.alternatives for option in options_in(single) if option not in known]
        self.problems += [unknown_option(self.verb, self.plan, word.key, option) for option in wrong]
        chosen = dict.fromkeys(option for single in word.alternatives for option in options_in(single))
        lying = [misplaced(self.plan, word.key, option) for option in chosen]
        self.problems += [problem for problem in lying if problem]
        return None if wrong or any(lying) else word

    def _composed(self, choices: tuple[str, ...]) -> DictConfig | None:
        """What the chosen options give, Hydra's own keys beside it; each choice is composed once."""
        if choices not in self.bases:
            folders = [QuotedString(f"file://{folder}", Quote.single).with_quotes() for folder in self.plan.folders[1:]]
            search = [f"hydra.searchpath=[{','.join(folders)}]"] if folders else []
            self.bases[choices] = None
            try:
                composed = compose(stem(self.verb), overrides=[*search, *choices], return_hydra_config=True)
                self.bases[choices] = composed
            except FAULTS as error:
                problem = blamed(explained(error, self.verb, self.plan), choices, self.plan)
                self.problems.append(problem)
                if (instead := self._instead(problem.key, choices)) is not None:
                    self.bases[choices] = self._composed(instead)
        return self.bases[choices]

    def _instead(self, room: str, choices: tuple[str, ...]) -> tuple[str, ...] | None:
        """The choices with a room's default for an option that a file chose in vain, so that the rest is seen."""
        default = self.plan.defaults(stem(self.verb)).get(room)
        if default is None or any(choice.lstrip("+").partition("=")[0] == room for choice in choices):
            return None
        return (*choices, f"{room}=[{','.join(default)}]" if isinstance(default, list) else f"{room}={default}")

    def _job(self, singles: list[str], words: list[Word]) -> dict[str, Any]:
        """One job: each key against what the choices give, then the whole against schema and signatures."""
        base = self._composed(_choices(singles, words))
        if base is None:
            return {}
        content: Any = OmegaConf.to_container(base, resolve=False)
        config = copy.deepcopy(base)
        OmegaConf.set_struct(config, False)
        for single, word in zip(singles, words, strict=True):
            if not (word.group or word.hydra):
                problem = key_problem(word, content, self.plan) or _applied(config, word, single)
                self.problems += [problem] if problem else []
        return self._values(config, words)

    def _values(self, config: DictConfig, words: list[Word]) -> dict[str, Any]:
        try:
            values, problems = checked_values(self.verb, config, self.plan)
        except InterpolationToMissingValueError:
            self.problems += [missing_value(key) for key in _missing(OmegaConf.to_container(config, resolve=False))]
            return {}
        except OmegaConfBaseException as error:
            where = getattr(error, "full_key", "") or ""
            self.problems.append(Problem(where, f"{where}: {str(error).splitlines()[0]}"))
            return {}
        typed = {word.key for word in words if not word.group}
        faulty = {problem.key for problem in problems}
        for problem in problems:
            if _refers_to(config, problem.key) in faulty:  # ``data.seed: ${seed}`` is at fault only where ``seed`` is
                continue
            by_hand = any(problem.key == key or problem.key.startswith(f"{key}.") for key in typed)
            self.problems.append(problem if by_hand else traced(problem, config, self.plan))
        return values


def _missing(node: Any, where: str = "") -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else ():
        if value == MISSING and not where.startswith("hydra"):
            yield f"{where}{key}"
        yield from _missing(value, f"{where}{key}.")


def _refers_to(config: DictConfig, key: str) -> str | None:
    node = OmegaConf.to_container(config, resolve=False)
    for part in key.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    match = re.fullmatch(r"\$\{([\w.]+)\}", node) if isinstance(node, str) else None
    return match[1] if match else None


def _wants_sweep(config: DictConfig) -> bool:
    return config.hydra.mode is not None and config.hydra.mode.name == "MULTIRUN"


def _choices(singles: Sequence[str], words: Sequence[Word]) -> tuple[str, ...]:
    return tuple(single for single, word in zip(singles, words, strict=True) if word.group or word.hydra)


def _applied(config: DictConfig, word: Word, single: str) -> Problem | None:
    """Do to ``config`` what the word says, as Hydra will."""
    parent, _, last = word.key.rpartition(".")
    try:
        if word.sign == "~":
            del (OmegaConf.select(config, parent) if parent else config)[last]
        else:
            OmegaConf.update(config, word.key, value_of(single), merge=True, force_add=True)
    except (OmegaConfBaseException, TypeError, KeyError) as error:
        return Problem(word.key, f"{word.text} does not fit: {str(error).splitlines()[0]}.")
    return None
