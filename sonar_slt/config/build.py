"""The one place that turns a config node into an object.

A node is a plain dict with a ``_target_``; its other keys are built first and handed over by name, beside the parts
that only the running program has. Nothing outside the list in ``permission`` is ever built.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from typing import Any

from sonar_slt.config import permission
from sonar_slt.errors import UserError

TARGET, PARTIAL = "_target_", "_partial_"


def build(node: Any, /, **parts: Any) -> Any:
    """Build what ``node`` describes; ``parts`` go to its class by name, beside the keys of the node.

    A dict without ``_target_`` gives a dict of built values, a list a list, None None, a plain value itself.
    ``_partial_: true`` gives a ``functools.partial`` that waits for the rest.
    """
    if isinstance(node, Mapping):
        if TARGET in node:
            return _construct(node, parts)
        if PARTIAL in node:
            raise UserError("_partial_ needs a _target_ beside it.")
        if not parts:
            return {key: build(value) for key, value in node.items()}
    if parts and node is not None:
        raise TypeError(f"parts {sorted(parts)} are given to a node without {TARGET}: {node!r}")
    return [build(value) for value in node] if isinstance(node, list) else node


def _construct(node: Mapping[str, Any], parts: dict[str, Any]) -> Any:
    target, partial = node[TARGET], node.get(PARTIAL, False)
    made = resolve(target)
    settings = {key: value for key, value in node.items() if key not in (TARGET, PARTIAL)}
    reserved = [key for key in settings if key.startswith("_")]
    if reserved or not isinstance(partial, bool):
        raise UserError(f"{target}: only {TARGET} and {PARTIAL}: true|false are understood, not {reserved or partial}.")
    twice = sorted(settings.keys() & parts.keys())
    if twice:
        raise UserError(f"{target}: {', '.join(twice)} is decided by the program and cannot be set in a config.")
    arguments = {key: build(value) for key, value in settings.items()} | parts
    return functools.partial(made, **arguments) if partial else made(**arguments)


def resolve(target: Any) -> Any:
    """The class, or classmethod of a class, that ``target`` names, once it is allowed."""
    if not isinstance(target, str) or permission.home(target) is None:
        raise UserError(permission.refusal(str(target)))
    found: Any = None
    for depth, name in enumerate(target.split(".")):
        if depth == 0 or (not hasattr(found, name) and hasattr(found, "__path__")):
            found = _imported(".".join(target.split(".")[: depth + 1]), target)
        elif hasattr(found, name):
            found = getattr(found, name)
        else:
            raise UserError(f"_target_ {target}: {getattr(found, '__name__', found)} has no {name}.")
    permission.check_origin(target, found)
    return found


def _imported(module: str, target: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise UserError(f"_target_ {target}: there is no {module} to import.") from None
