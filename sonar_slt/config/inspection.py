"""A composed config held against sections and signatures; every fault is found, none stops the search.

What comes back is the config with its values as their annotations want them, and the list of faults.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from sonar_slt.config import permission, schema
from sonar_slt.config.annotation import MISSING, Mismatch, choices, fit, wanted
from sonar_slt.config.problem import Problem, missing_value, unknown_key
from sonar_slt.config.signature import signature
from sonar_slt.config.source import NotFound, Signature
from sonar_slt.errors import did_you_mean
from sonar_slt.languages import LANGUAGES, nearest

TARGET, PARTIAL = "_target_", "_partial_"


class Inspection:
    """Collects the faults of one config of a verb whose rooms are ``rooms``."""

    def __init__(self, verb: str, rooms: list[str]) -> None:
        self.section = schema.of_verb(verb)
        self.rooms = rooms
        self.problems: list[Problem] = []
        self.known: set[str] = set()

    def of(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The config as its schema wants it; a room that nothing fills is None."""
        self.known = names(config) | {field.name for field in dataclasses.fields(self.section)} | set(self.rooms)
        fields = {field.name: str(field.type) for field in dataclasses.fields(self.section)}
        checked: dict[str, Any] = {}
        for key, value in config.items():
            if key in fields:
                checked[key] = self._value(value, fields[key], key)
            elif key in self.rooms:
                checked[key] = self._room(value, key) or None
            else:
                self._add(unknown_key(key, self.known))
        for key in fields.keys() - config.keys() - set(self.rooms):
            self._add(Problem(key, f"Missing key {key}: {key}=… ({wanted(fields[key])}) has no default."))
        return dict.fromkeys(self.rooms) | checked

    def _add(self, problem: Problem) -> None:
        self.problems.append(problem)

    def _value(self, value: Any, annotation: str, where: str) -> Any:
        """A value of a section: a section inside it is looked into, the rest is held against its annotation."""
        if value == MISSING:
            self._add(missing_value(where, wanted(annotation)))
            return value
        inner = schema.section(annotation.removesuffix(" | None"))
        if inner is not None and isinstance(value, Mapping) and TARGET not in value:
            return self._section(value, inner, where)
        if inner is not None and (value is not None or "None" not in annotation):
            self._add(Problem(where, f"{where} is a section with keys of its own; it cannot be {value!r}."))
            return value
        return self._fitted(value, annotation, where)

    def _section(self, values: Mapping[str, Any], section: type, where: str) -> dict[str, Any]:
        fields = {field.name: str(field.type) for field in dataclasses.fields(section)}
        self.known |= {f"{where}.{name}" for name in fields}
        checked: dict[str, Any] = {}
        for key, value in values.items():
            if key in fields:
                checked[key] = self._value(value, fields[key], f"{where}.{key}")
            else:
                self._add(unknown_key(f"{where}.{key}", self.known))
        for key in fields.keys() - values.keys():
            self._add(Problem(f"{where}.{key}", f"Missing key {where}.{key} ({wanted(fields[key])}) has no default."))
        return checked

    def _room(self, node: Any, where: str) -> Any:
        """A room: one ``_target_``, or several by name; a plain value between them is read by nothing."""
        if isinstance(node, Mapping) and TARGET not in node:
            return {key: self._room(value, f"{where}.{key}") for key, value in node.items()}
        if node is not None and not isinstance(node, Mapping | list):
            self._add(unknown_key(where, self.known))
        return self._node(node, where)

    def _node(self, node: Any, where: str) -> Any:
        """Any value below a room: every ``_target_`` in it is checked, other data is left as it is."""
        if isinstance(node, list):
            return [self._node(value, f"{where}.{place}") for place, value in enumerate(node)]
        if isinstance(node, Mapping):
            if TARGET in node:
                return self._target(node, where)
            return {key: self._node(value, f"{where}.{key}") for key, value in node.items()}
        if node == MISSING:
            self._add(missing_value(where))
        return node

    def _target(self, node: Mapping[str, Any], where: str) -> dict[str, Any]:
        taken = self._signature(node[TARGET], where)
        settings = {key: value for key, value in node.items() if key not in (TARGET, PARTIAL)}
        checked = {key: value for key, value in node.items() if key in (TARGET, PARTIAL)}
        if taken:
            self.known |= {f"{where}.{name}" for name in taken.parameters}
        for key, value in settings.items():
            name = f"{where}.{key}"
            if taken and key not in taken.parameters and not taken.open:
                stem = str(node[TARGET]).rpartition(".")[2]
                self._add(unknown_key(name, (f"{where}.{known}" for known in taken.parameters), f" ({stem})"))
            annotation = taken.parameters.get(key, "") if taken else ""
            checked[key] = self._fitted(self._node(value, name), annotation, name)
        return checked

    def _signature(self, target: Any, where: str) -> Signature | None:
        if not isinstance(target, str) or permission.home(target) is None:
            self._add(Problem(f"{where}.{TARGET}", f"{where}: {permission.refusal(str(target))}"))
            return None
        try:
            return signature(target)
        except NotFound as error:
            told = str(error) if str(error).endswith("?") else f"{error}."
            self._add(Problem(f"{where}.{TARGET}", f"{where}: _target_ {target}: {told}"))
            return None

    def _fitted(self, value: Any, annotation: str, where: str) -> Any:
        try:
            return fit(value, annotation)
        except Mismatch:
            told = f"{where} expects {wanted(annotation)}, got {_typed(value)}.{_near(value, annotation)}"
            self._add(Problem(where, told))
            return value


def _near(value: Any, annotation: str) -> str:
    """The choice, or the code of a language, that the first wrong value may have meant."""
    given = [str(one) for one in (value if isinstance(value, list) else [value])]
    if "Language" in annotation:
        wrong = next((one for one in given if one not in LANGUAGES), "")
        return f" Did you mean {found[0].code} ({found[0].name})?" if (found := nearest(wrong)) else ""
    known = choices(annotation)
    return did_you_mean(next((one for one in given if one not in known), ""), known)


def _typed(value: Any) -> str:
    """A value as one types it; text is in quotes, unless it is one of several."""
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else repr(value)


def names(config: Any, where: str = "") -> set[str]:
    """Every dotted key of a config, and what the signatures of its nodes would take beside them."""
    if not isinstance(config, Mapping):
        return set()
    found: set[str] = set()
    for key, value in config.items():
        if not str(key).startswith("_"):
            found |= {f"{where}{key}"} | names(value, f"{where}{key}.")
    try:
        taken = signature(config[TARGET]) if isinstance(config.get(TARGET), str) else None
    except NotFound:
        taken = None
    return found | {f"{where}{name}" for name in (taken.parameters if taken else ())}
