"""Signatures read from source: what a class takes, found by parsing its file instead of importing it.

Importing our rooms would load torch; parsing one file takes a millisecond, so a typo is answered at once.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sonar_slt.errors import did_you_mean


@dataclass(frozen=True)
class Signature:
    """The keyword parameters of a class, each with its annotation as written ("" where it has none)."""

    parameters: dict[str, str]
    open: bool = False  # takes any further keyword


@dataclass(frozen=True)
class Foreign:
    """A name that leads out of the packages whose source is read."""

    target: str


@dataclass(frozen=True)
class Definition:
    """Where a name is defined: the module, and the statement in it."""

    module: str
    node: ast.stmt


class NotFound(LookupError):
    """The target names something that is not there, or that is no class."""


def file_of(module: str) -> Path | None:
    """The source file of a module, found without importing it or its parents."""
    root, *rest = module.split(".")
    spec = importlib.util.find_spec(root)
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        path = Path(folder, *rest)
        for file in (path / "__init__.py", path.with_name(path.name + ".py")):
            if file.is_file():
                return file
    return None


@cache
def parse(module: str) -> ast.Module | None:
    """The syntax tree of a module, None where it has no source file."""
    file = file_of(module)
    return None if file is None else ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def find(target: str) -> Definition | Foreign:
    """Follow a dotted name to the statement that defines it, through the imports on the way."""
    parts = target.split(".")
    depth = next((n for n in range(len(parts), 0, -1) if file_of(".".join(parts[:n])) is not None), 0)
    if depth == 0:
        raise NotFound(f"there is no package {parts[0]}; install it, or put the folder that it lies in on PYTHONPATH")
    if depth == len(parts):
        raise NotFound(f"{target} is a module; a class is expected")
    found: Definition | Foreign = bound(".".join(parts[:depth]), parts[depth])
    for name in parts[depth + 1 :]:
        if isinstance(found, Foreign):
            return Foreign(f"{found.target}.{name}")
        found = _member(found, name)
    return found


def bound(module: str, name: str, through: frozenset[str] = frozenset()) -> Definition | Foreign:
    """What ``name`` means at the top level of ``module``; star imports and computed names are not followed."""
    tree = parse(module)
    for node in _statements(tree.body if tree else []):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name and module not in through:
                    return _imported(_absolute(module, node), alias.name, module, through | {module})
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) == name:
                    return Foreign(alias.name if alias.asname else name)
        elif name in _defined(node):
            return Definition(module, node)
    names = [defined for node in _statements(tree.body if tree else []) for defined in _defined(node)]
    raise NotFound(f"{module} has no {name}.{did_you_mean(name, names)}".rstrip("."))


def collects(module: str) -> bool:
    """Whether a module takes in names that its source does not show: by a star, or by a function of its own."""
    tree = parse(module)
    body = list(_statements(tree.body if tree else []))
    stars = any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in body)
    return stars or any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in body)


def _imported(source: str, name: str, by: str, through: frozenset[str]) -> Definition | Foreign:
    same_package = source.partition(".")[0] == by.partition(".")[0]
    return bound(source, name, through) if same_package else Foreign(f"{source}.{name}")


def _absolute(module: str, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    file = file_of(module)
    inside = file is not None and file.name == "__init__.py"
    parts = module.split(".")
    front = parts[: len(parts) - node.level + (1 if inside else 0)]
    return ".".join([*front, *([node.module] if node.module else [])])


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The top-level statements, with those inside ``if TYPE_CHECKING`` and ``try``."""
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from _statements([*node.body, *node.orelse])
        else:
            yield node


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", getattr(node, "name", None))]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _member(owner: Definition, name: str) -> Definition:
    if isinstance(owner.node, ast.ClassDef):
        for base in lineage(owner):
            if isinstance(base, Definition) and isinstance(base.node, ast.ClassDef):
                for node in base.node.body:
                    if name in _defined(node):
                        return Definition(base.module, node)
    raise NotFound(f"{getattr(owner.node, 'name', owner.module)} has no {name}")


def lineage(owner: Definition) -> Iterator[Definition | Foreign]:
    """The class itself, then its bases from left to right, each followed to its source where that can be read."""
    yield owner
    bases = owner.node.bases if isinstance(owner.node, ast.ClassDef) else []
    for base in bases:
        plain = base.value if isinstance(base, ast.Subscript) else base
        try:
            found = _named(owner.module, ast.unparse(plain))
        except NotFound:
            continue
        if isinstance(found, Definition):
            yield from lineage(found)
        else:
            yield found


def _named(module: str, dotted: str) -> Definition | Foreign:
    first, *rest = dotted.split(".")
    found = bound(module, first)
    for name in rest:
        found = Foreign(f"{found.target}.{name}") if isinstance(found, Foreign) else _member(found, name)
    return found
