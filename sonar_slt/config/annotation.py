"""Does a value from yaml fit an annotation? One small judge for our sections and for every signature.

It knows numbers, text, truth values, None, lists, dicts, literals and unions of these. Anything else it lets pass:
what it cannot judge is for the class itself to refuse.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from typing import Any

from sonar_slt.languages import LANGUAGES

LISTS = {"list", "List", "Sequence", "Iterable", "Collection", "tuple", "Tuple", "set", "frozenset"}
DICTS = {"dict", "Dict", "Mapping", "MutableMapping"}
MISSING = "???"
NAMED = {
    "Count": "whole number from 0 on",
    "Positive": "whole number from 1 on",
    "Language": "language code",
}
"""The kinds of ``schema`` that are narrower than their Python type, in words."""


class Mismatch(ValueError):
    """The value does not fit the annotation."""


@cache
def parsed(annotation: str) -> ast.expr:
    """The syntax of an annotation; an empty one accepts everything."""
    return ast.parse(annotation or "Any", mode="eval").body


def fit(value: Any, annotation: str) -> Any:
    """The value as ``annotation`` wants it (a number becomes text where text is asked for), or a Mismatch."""
    if value == MISSING or (isinstance(value, Mapping) and "_target_" in value):
        return value
    return _fit(value, parsed(annotation))


def _fit(value: Any, kind: ast.expr) -> Any:
    if isinstance(kind, ast.Constant):
        if isinstance(kind.value, str):
            return _fit(value, parsed(kind.value))
        return _keep(value, value is None)
    if isinstance(kind, ast.BinOp):
        return _any(value, [kind.left, kind.right])
    if isinstance(kind, ast.Subscript):
        return _fit_generic(value, kind)
    return _fit_plain(value, _last(kind))


def _fit_plain(value: Any, name: str) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "str" and number:
        return str(value)
    if name in LISTS | DICTS:
        return _keep(value, isinstance(value, list if name in LISTS else Mapping))
    judged = {
        "int": number and not isinstance(value, float),
        "float": number,
        "bool": isinstance(value, bool),
        "str": isinstance(value, str),
        "Path": isinstance(value, str),
        "Count": number and not isinstance(value, float) and value >= 0,
        "Positive": number and not isinstance(value, float) and value >= 1,
        "Language": isinstance(value, str) and value in LANGUAGES,
        "None": value is None,
        "NoneType": value is None,
    }
    return _keep(value, judged.get(name, True))


def _fit_generic(value: Any, kind: ast.Subscript) -> Any:
    name, inner = _last(kind.value), kind.slice
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Literal":
        return _keep(value, any(ast.literal_eval(part) == value for part in parts))
    if name == "Optional":
        return value if value is None else _fit(value, inner)
    if name == "Union":
        return _any(value, parts)
    if name == "Annotated":
        return _fit(value, parts[0])
    if name in LISTS:
        return _fit_list(_keep(value, isinstance(value, list)), name, parts)
    if name in DICTS:
        entries = _keep(value, isinstance(value, Mapping))
        return {key: _entry(item, parts[-1]) for key, item in entries.items()}
    return value


def _fit_list(value: list[Any], name: str, parts: list[ast.expr]) -> list[Any]:
    fixed = name in ("tuple", "Tuple") and not (isinstance(parts[-1], ast.Constant) and parts[-1].value is ...)
    if not fixed:
        return [_entry(item, parts[0]) for item in value]
    _keep(value, len(value) == len(parts))
    return [_entry(item, part) for item, part in zip(value, parts, strict=True)]


def _entry(value: Any, kind: ast.expr) -> Any:
    return fit(value, ast.unparse(kind))


def _any(value: Any, kinds: list[ast.expr]) -> Any:
    """The first member of a union that takes the value as it is; a number becomes text only when none does."""
    changed: list[Any] = []
    for kind in kinds:
        try:
            fitted = _fit(value, kind)
        except Mismatch:
            continue
        if fitted == value and type(fitted) is type(value):
            return fitted
        changed.append(fitted)
    if changed:
        return changed[0]
    raise Mismatch


def _keep(value: Any, fits: bool) -> Any:
    if not fits:
        raise Mismatch
    return value


def _last(kind: ast.expr) -> str:
    return kind.attr if isinstance(kind, ast.Attribute) else kind.id if isinstance(kind, ast.Name) else ""


def wanted(annotation: str) -> str:
    """An annotation in words: the choices of a literal, what our own names stand for, else the type as written."""
    kind = parsed(annotation)
    if several := choices(annotation):
        listed = _last(getattr(kind, "value", kind)) in LISTS
        return ("a list of " if listed else "one of ") + ", ".join(several)
    told = [_told(member) for member in _members(kind)]
    return " or ".join(word or "null" for word in told) if any(told) else annotation


def _told(kind: ast.expr) -> str:
    """One of our own names, or a list of them, in words; nothing for another kind."""
    if isinstance(kind, ast.Subscript) and _last(kind.value) in LISTS and _last(kind.slice) in NAMED:
        return f"a list of {NAMED[_last(kind.slice)]}s"
    return f"a {NAMED[_last(kind)]}" if _last(kind) in NAMED else ""


def choices(annotation: str) -> list[str]:
    """What a literal, a list of one, or a union of these alone, can be; nothing for other kinds."""
    found: list[str] = []
    for kind in _members(parsed(annotation)):
        name = _last(kind.value) if isinstance(kind, ast.Subscript) else _last(kind)
        if name == "NoneType" or (isinstance(kind, ast.Constant) and kind.value is None):
            found.append("null")
        elif isinstance(kind, ast.Subscript) and name == "Literal":
            parts = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
            found += [str(ast.literal_eval(part)) for part in parts]
        elif isinstance(kind, ast.Subscript) and name in LISTS:
            found += choices(ast.unparse(kind.slice))
        else:
            return []
    return list(dict.fromkeys(found)) if found != ["null"] else []


def _members(kind: ast.expr) -> list[ast.expr]:
    """The kinds that a union is made of; the kind itself where it is none."""
    if isinstance(kind, ast.BinOp):
        return [*_members(kind.left), *_members(kind.right)]
    if isinstance(kind, ast.Subscript) and _last(kind.value) in ("Union", "Optional"):
        parts = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
        null: list[ast.expr] = [ast.Constant(None)] if _last(kind.value) == "Optional" else []
        return [member for part in parts for member in _members(part)] + null
    return [kind]
