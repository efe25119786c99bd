"""The words of a command, sorted: Hydra's options, ``key=value``, and inputs.

Inputs are quoted so that a path may hold anything; a few short forms are written out as Hydra wants them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sonar_slt.config import schema
from sonar_slt.config.floorplan import Floorplan
from sonar_slt.errors import UserError, did_you_mean

SHORT = {"-i": "--info", "-cp": "--config-path", "-cn": "--config-name"}
FLAGS = {
    "-h": "--help",
    "-m": "--multirun",
    "-r": "--run",
    "-sc": "--shell-completion",
    "--resolve": "--resolve",
    "--hydra-help": "--hydra-help",
}
VALUED = {"-c": "--cfg", "-p": "--package", "-cd": "--config-dir"}
INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
REFUSED = {
    "--config-path": "set SONAR_SLT_CONF, or add your own folder by --config-dir",
    "--config-name": "the verb is the name of the config; add your own folder by --config-dir",
    "--experimental-rerun": "it would load a pickle and ignore further overrides",
}
CODE = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
NUMBER = re.compile(r"[+-]?(\d[\d_]*(\.[\d_]*)?|\.\d+)([eE][+-]?\d+)?|true|false|inf|nan", re.IGNORECASE)


@dataclass
class Arguments:
    """What follows the verb."""

    options: list[str] = field(default_factory=list)
    overrides: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    config_dir: str | None = None
    given: list[str] = field(default_factory=list)  # as typed
    rerun_of: str | None = None  # the folder of the run that is done again

    @property
    def help(self) -> bool:
        """Whether our help page is asked for."""
        return "--help" in self.options

    @property
    def multirun(self) -> bool:
        """Whether the commas are a sweep."""
        return "--multirun" in self.options

    @property
    def only_shown(self) -> bool:
        """Whether the config is printed and nothing runs."""
        return bool({"--cfg", "--info", "--hydra-help", "--shell-completion"} & set(self.options))


def separate(verb: str, words: list[str]) -> Arguments:
    """Sort the words behind a verb; after ``--`` everything is an input."""
    found = Arguments(given=list(words))
    front, inputs = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    waiting = list(front)
    while waiting:
        word = waiting.pop(0)
        if word.startswith("-"):
            _option(verb, word, waiting, found)
        elif "=" in word or re.match(r"~[A-Za-z_]", word):
            found.overrides.append(word)
        else:
            found.inputs.append(word)
    found.inputs += inputs
    return found


def _option(verb: str, word: str, waiting: list[str], found: Arguments) -> None:
    name, given, value = word.partition("=")
    long = (FLAGS | VALUED | SHORT).get(name, name)
    if long in REFUSED:
        raise UserError(f"{name} is not offered: {REFUSED[long]}.")
    known = {*FLAGS.values(), *VALUED.values(), "--info"}
    if long not in known:
        hint = did_you_mean(name, known) or " An input that begins with - comes after --."
        raise UserError(f"Unknown option {name}.{hint} `sonar-slt {verb} --help` lists them.")
    if long == "--info":
        found.options += [long, value or (waiting.pop(0) if waiting and waiting[0] in INFO else "all")]
        return
    if long in FLAGS.values():
        found.options.append(long)
        return
    if not given and not waiting:
        raise UserError(f"{name} needs a value; see `sonar-slt {verb} --help`.")
    value = value if given else waiting.pop(0)
    if long == "--cfg" and value not in ("job", "hydra", "all"):
        raise UserError(f"{name} {value}: expected job, hydra or all.")
    if long == "--config-dir":
        found.config_dir = value
    found.options += [long, value]


def overrides(verb: str, found: Arguments, plan: Floorplan) -> list[str]:
    """The overrides as Hydra takes them, inputs quoted into ``inputs=[…]`` and short forms written out."""
    fields = {item.name: str(item.type) for item in dataclasses.fields(schema.of_verb(verb))}
    if found.inputs and "inputs" not in fields:
        word = found.inputs[0]
        raise UserError(f"{verb} takes key=value, not {word!r}; `sonar-slt {verb} --help` lists rooms and keys.")
    named = [word for word in found.overrides if word.startswith("inputs=") or _is_run(word, fields)]
    if len(named) + bool(found.inputs) > 1:
        raise UserError(f"Give the inputs of {verb} once: as words, as run=… or as inputs=[…].")
    rooms = plan.defaults(verb.replace("-", "_"))
    written = [_written(word, fields, rooms, plan, found.multirun) for word in found.overrides]
    listed = [f"inputs=[{','.join(quoted(text) for text in found.inputs)}]"] if found.inputs else []
    return [word for word in written if word] + listed


def _written(word: str, fields: dict[str, str], rooms: dict[str, object], plan: Floorplan, multirun: bool) -> str:
    key, equals, value = word.partition("=")
    if not equals:
        return word
    if value == "null" and (key in rooms or (plan.is_group(key) and key not in fields)):
        # Hydra knows no null on the command line, only leaving a room out
        return f"{key}=[]" if isinstance(rooms.get(key), list) else f"~{key}" if rooms.get(key, "") is not None else ""
    if key == "languages":
        return _languages(value, plan, multirun)
    if _is_run(word, fields):
        return _run(value, multirun)
    if key == "sweep" and "swept" in fields:  # Hydra would read sweep=… as a choice in the room of that name
        return _written(f"swept={value}", fields, rooms, plan, multirun)
    if key == "where" and "where" in fields:
        return f"where=[{','.join(map(_condition, _parts(value)))}]"
    kind = fields.get(key.lstrip("+"), "")
    if kind.startswith("list[") and value != "null" and not value.startswith("[") and "," not in value:
        return f"{key}=[{quoted(value) if kind == 'list[str]' and NUMBER.fullmatch(value) else value}]"
    if kind in ("str", "str | None") and NUMBER.fullmatch(value):
        return f"{key}={quoted(value)}"  # an id such as 12e5 is no number
    if kind in ("str", "str | None") and "=" in value and value[0] not in "'\"" and not multirun:
        return f"{key}={quoted(value)}"  # settings within a value: baseline=objective=[mse]
    return word


def _is_run(word: str, fields: dict[str, str]) -> bool:
    return word.startswith("run=") and "inputs" in fields and "run" not in fields


def _run(value: str, multirun: bool) -> str:
    """``run=`` names the run that a verb reads: another word for its one input, swept by commas, or a list of them."""
    if value.startswith("["):
        return f"inputs={value}"
    names = value.split(",") if multirun else [value]
    return "inputs=" + ",".join(f"[{quoted(name)}]" for name in names)


def _parts(value: str) -> list[str]:
    """The parts of a list as typed, with or without its brackets; a comma inside further brackets parts nothing."""
    inside = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    return [part for part in re.split(r",(?![^\[\]]*\])", inside) if part.strip()]


def _condition(part: str) -> str:
    """A condition such as `data=toy`, in quotes: Hydra takes no second = in a word."""
    return part if part[:1] in "'\"" else quoted(part.strip())


def _languages(value: str, plan: Floorplan, multirun: bool) -> str:
    """``languages=`` with codes or lists is about the key below the room; with a name it chooses an option."""
    if value.startswith("[") or value == "null":
        return f"languages.targets={value}"
    codes = value.split(",")
    if all(CODE.fullmatch(code) for code in codes) and not set(codes) & set(plan.options("languages")):
        if len(codes) > 1 and not multirun:
            raise UserError(
                f"languages={value} is a sweep: write languages=[{value}] for several, or add -m to run each."
            )
        return "languages.targets=" + ",".join(f"[{code}]" for code in codes)
    return f"languages={value}"


def quoted(text: str) -> str:
    """A text as one value of Hydra's grammar, with no character of special meaning left."""
    text = re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + "\\${", text)
    # A backslash counts only in front of a quote (or at the end, where the closing quote follows).
    return "'" + re.sub(r"(\\*)('|$)", lambda match: match[1] * 2 + ("\\'" if match[2] else ""), text) + "'"


def spelt(value: object) -> str:
    """A plain value in Hydra's grammar, which reads the very same value back."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}: {spelt(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(spelt, value))}]"
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    return str(value) if isinstance(value, int | float) else quoted(str(value))
