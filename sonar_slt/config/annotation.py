"""Does a value from yaml fit an annotation? One small judge for our sections and for every signature.

It knows numbers, text, truth values, None, lists, dicts, literals and unions of these. Anything else it lets pass:
what it cannot judge is for the class itself to refuse.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from typing import Any

LISTS = {"list", "List", "Sequence", "Iterable", "Collection", "tuple", "Tuple", "set", "frozenset"}
DICTS = {"dict", "Dict", "Mapping", "MutableMapping"}
MISSING = "???"


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
    """An annotation in words: the choices of a literal, else the type as written."""
    kind = parsed(annotation)
    if isinstance(kind, ast.Subscript) and _last(kind.value) == "Literal":
        parts = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
        return "one of " + ", ".join(str(ast.literal_eval(part)) for part in parts)
    return annotation
