"""The conf folder as text: rooms, options, keys and the comment that explains each.

Read with a plain yaml parser, so that ``--help`` and the list of choices need no Hydra.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same plain values; where yaml was built with C a tenth of the time."""
KEY = re.compile(r"^([A-Za-z_][\w-]*):(?:\s|$)")
NESTED = re.compile(r"^  ([A-Za-z_][\w-]*):(?:\s|$)")
ROOM = re.compile(r"^\s+- (?:optional )?/?([\w/]+)(?:@\w+)?:\s.*?(?:\s#\s*(.*))?$")

DEPTHS = ("*.yaml", "*/*.yaml")


class Floorplan:
    """One or more conf folders, the first one winning, as Hydra searches them."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = [folder for folder in folders if folder.is_dir()]

    def file(self, name: str) -> Path | None:
        """The yaml called ``name`` (``train``, ``adapter/keypoint``) in the first folder that has it."""
        name = name.removesuffix(".yaml").strip("/")
        return next((path for folder in self.folders if (path := folder / f"{name}.yaml").is_file()), None)

    def is_group(self, name: str) -> bool:
        """Whether ``name`` is a room, that is a folder with options."""
        return bool(re.fullmatch(r"\w[\w/-]*", name)) and bool(self.options(name))

    def options(self, group: str) -> list[str]:
        """The names of the options of a room; those in a folder of it (``paper/csl_mono``) come last.

        No deeper folder is looked into: a user's own, such as ``data``, may hold a whole corpus.
        """
        homes = [folder / group for folder in self.folders]
        files = [path.relative_to(home) for home in homes for each in DEPTHS for path in home.glob(each)]
        return sorted({path.with_suffix("").as_posix() for path in files}, key=lambda name: ("/" in name, name))

    def inside(self, group: str, folder: str) -> list[str]:
        """The options that lie in a folder of a room; none if ``folder`` is none."""
        return [name for name in self.options(group) if name.startswith(f"{folder.rstrip('/')}/")]

    def groups(self) -> list[str]:
        """Every room there is, chosen by a verb or not."""
        found = {path.parent.name for folder in self.folders for path in folder.glob("*/*.yaml")}
        return sorted(found - {"hydra"})

    def defaults(self, primary: str) -> dict[str, Any]:
        """The rooms of a primary config in its order, with the option that is chosen by default."""
        file = self.file(primary)
        rooms: dict[str, Any] = {}
        for entry in _load(file).get("defaults", []) if file else []:
            if isinstance(entry, str) and entry != "_self_":
                rooms |= self.defaults(entry)
            elif isinstance(entry, dict):
                for name, option in entry.items():
                    word = str(name).removeprefix("optional ").lstrip("/").partition("@")[0]
                    if not word.startswith(("override ", "hydra/")):
                        rooms[word] = option
        return rooms

    def rooms(self, primary: str) -> list[str]:
        """The rooms of a verb whose options have a key of their own; presets that spread are left out."""
        names = [name for name in self.defaults(primary) if self.is_group(name)]
        return [name for name in names if any(not self._spreads(name, option) for option in self.options(name))]

    def described(self, group: str) -> dict[str, str]:
        """The options of a room with their first comment line."""
        return {option: headline(self.file(f"{group}/{option}")) for option in self.options(group)}

    def explained_rooms(self, primary: str) -> dict[str, str]:
        """The rooms of a primary config with the comment beside each."""
        rooms = {name: "" for name in self.defaults(primary)}
        for line in self._lines(primary):
            match = ROOM.match(line)
            if match and match[1] in rooms:
                rooms[match[1]] = match[2] or ""
        return rooms

    def explained_keys(self, primary: str) -> dict[str, tuple[str, str]]:
        """The keys of a primary config, each with its value as written and its comment; those of a section by dots."""
        found: dict[str, tuple[str, str]] = {}
        section = ""
        for line in self._lines(primary):
            if match := KEY.match(line):
                section, name = match[1], match[1]
            elif match := NESTED.match(line):
                name = f"{section}.{match[1]}"
            if match and section not in ("", "defaults", "hydra"):
                value, _, comment = line[match.end() :].partition("# ")
                found[name] = value.strip(), comment.strip()
        return found

    def _lines(self, primary: str) -> list[str]:
        """The lines of a primary config, behind those of the primaries that it builds on."""
        file = self.file(primary)
        below = [entry for entry in _load(file).get("defaults", []) if isinstance(entry, str) and entry != "_self_"]
        own = file.read_text(encoding="utf-8").splitlines() if file else []
        return [line for entry in below for line in self._lines(entry)] + own

    def writes(self, option: str, key: str) -> bool:
        """Whether the file ``option`` (``experiment/mine``) sets the dotted ``key``."""
        file = self.file(option)
        if file is None:
            return False
        text = file.read_text(encoding="utf-8")
        package = _package(text)
        place = option.rpartition("/")[0].replace("/", ".") if package is None else package
        node: Any = _load(file)
        inside = key if place in ("", "_global_") else key.removeprefix(place + ".")
        for part in inside.split("."):
            if not isinstance(node, dict) or part not in node:
                return False
            node = node[part]
        return True

    def beside(self, group: str) -> list[str]:
        """The options of a room that have a key of their own in it, as objective.mse, and so can stand side by side."""
        files = {option: self.file(f"{group}/{option}") for option in self.options(group)}
        texts = {option: file.read_text(encoding="utf-8") for option, file in files.items() if file}
        return [option for option, text in texts.items() if _package(text) == f"{group.replace('/', '.')}.{option}"]

    def package(self, group: str, option: str) -> str | None:
        """Under which key the file of one class puts it, "" where it does not say; None for files of another kind."""
        file = self.file(f"{group}/{option}")
        return (_package(file.read_text(encoding="utf-8")) or "") if file and "_target_" in _load(file) else None

    def foundations(self, group: str, option: str) -> list[str]:
        """The files that an option is built on by its defaults list, the one that counts more first."""
        found: list[str] = []
        for entry in _load(self.file(f"{group}/{option}")).get("defaults") or ():
            if isinstance(entry, str) and entry != "_self_":
                name = entry.lstrip("/") if entry.startswith("/") else f"{group}/{entry}"
                folder, _, file = name.rpartition("/")
                found = [name, *self.foundations(folder, file), *found]
        return found

    def _spreads(self, group: str, option: str) -> bool:
        file = self.file(f"{group}/{option}")
        if file is None or _package(file.read_text(encoding="utf-8")) != "_global_":
            return False
        return group not in _load(file)


def _load(file: Path | None) -> dict[str, Any]:
    return _parse(file.read_text(encoding="utf-8")) if file else {}


@cache
def _parse(text: str) -> dict[str, Any]:
    try:
        content = yaml.load(text, Loader=LOADER)
    except yaml.YAMLError:  # Hydra reports it with the file and the line once it composes
        return {}
    return content if isinstance(content, dict) else {}


def _package(text: str) -> str | None:
    match = re.search(r"^#\s*@package\s+(\S+)", text, re.MULTILINE)
    return match[1] if match else None


def headline(file: Path | None) -> str:
    """The first comment of a yaml file that is no Hydra header."""
    lines: Sequence[str] = file.read_text(encoding="utf-8").splitlines() if file else ()
    comments = [line.lstrip("# ").strip() for line in lines if line.startswith("#")]
    return next((line for line in comments if line and not line.startswith("@package")), "")
