"""The house as its own sources say it: which module imports which, how large it is, what stands in it twice.

The figures in docs/decisions.md, of this checkout or of another one:

    python tests/house.py [CHECKOUT]
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = 6
"""So many equal lines, one after the other, are a repeated block."""
TOO_COMMON = 8
"""A block that stands in more places than this is a habit, and not a copy."""
THIN = re.compile(r"[\W_]*|(from|import) .*|#.*")
"""Lines that do not count as equal."""

Graph = Mapping[str, set[str]]


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a module takes from another."""

    name: str  # the module, with the name behind it where one is taken
    late: bool  # not when the module itself is imported: inside a function, or for types alone


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    paths = {path: path.relative_to(root).with_suffix("").parts for path in (root / "sonar_slt").rglob("*.py")}
    return {".".join(parts[:-1] if parts[-1] == "__init__" else parts): path for path, parts in paths.items()}


def imports(path: Path) -> Iterator[Import]:
    """All that a file imports: at its top, under `TYPE_CHECKING`, and inside its functions."""
    yield from _imports(ast.parse(path.read_text(encoding="utf-8")), late=False)


def _imports(node: ast.AST, *, late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, late) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield from (Import(f"{child.module}.{alias.name}", late) for alias in child.names)
        yield from _imports(child, late=late or _waits(child))


def _waits(node: ast.AST) -> bool:
    """Whether what stands inside a node is not run when the module is imported."""
    typing = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return typing or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def graph(root: Path = ROOT) -> Graph:
    """Which modules of the package each one imports, at its top or later."""
    known = modules(root)
    found: dict[str, set[str]] = {name: set() for name in known}
    for name, path in known.items():
        for one in imports(path):
            module = one.name if one.name in known else one.name.rpartition(".")[0]
            if module in known and module != name:
                found[name].add(module)
    return found


def circles(arrows: Graph) -> list[list[str]]:
    """The groups of modules that import each other, by whatever way round."""
    reached = {name: _reachable(name, arrows) for name in arrows}
    groups = {frozenset({name, *(other for other in reached[name] if name in reached[other])}) for name in arrows}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def _reachable(name: str, arrows: Graph) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = arrows[waiting.pop()] - found
        found |= new
        waiting += new
    return found - {name}


def repeated(paths: Iterable[Path]) -> int:
    """Pairs of places that share at least BLOCK lines; a longer run counts once."""
    places = defaultdict(list)
    for path in paths:
        lines = [
            text for line in path.read_text(encoding="utf-8").splitlines() if not THIN.fullmatch(text := line.strip())
        ]
        for start in range(len(lines) - BLOCK + 1):
            places["\n".join(lines[start : start + BLOCK])].append((str(path), start))
    pairs = defaultdict(set)
    for found in places.values():
        if len(found) <= TOO_COMMON:
            for (one, first), (other, second) in combinations(sorted(found), 2):
                pairs[one, other, second - first].add(first)
    return sum(1 + sum(b - a > 1 for a, b in pairwise(sorted(starts))) for starts in pairs.values())


def figures(root: Path = ROOT) -> dict[str, str]:
    """Files, lines, the longest of them, circles, repeated blocks, public names."""
    known = modules(root)
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in known.items()}
    spans = dict(_functions(known))
    long, longest = max(lines, key=lambda name: lines[name]), max(spans, key=lambda name: spans[name])
    flat = defaultdict(int)
    for path in known.values():
        flat[path.parent.relative_to(root).as_posix()] += path.name != "__init__.py"
    crowded = max(flat, key=lambda name: flat[name])
    surface = [root / "sonar_slt" / name for name in ("__init__.py", "metrics/__init__.py")]
    return {
        "files": f"{len(lines)}",
        "lines": f"{sum(lines.values()):,}",
        "median file": f"{statistics.median(lines.values()):g}",
        "longest file": f"{lines[long]} ({long})",
        "functions": f"{len(spans):,}",
        "median function": f"{statistics.median(spans.values()):g}",
        "longest function": f"{spans[longest]} ({longest})",
        "functions over 25 lines": f"{sum(span > 25 for span in spans.values())}",
        "files in the fullest folder": f"{flat[crowded]} ({crowded})",
        "circles of imports": f"{len(circles(graph(root)))}",
        "repeated blocks, in pairs": f"{repeated(known.values())}",
        "public names": f"{sum(len(_offered(path)) for path in surface)}",
    }


def _functions(known: Mapping[str, Path]) -> Iterator[tuple[str, int]]:
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}.{node.name}:{node.lineno}", (node.end_lineno or node.lineno) - node.lineno + 1


def _offered(path: Path) -> list[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


if __name__ == "__main__":
    for name, figure in figures(Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT).items():
        print(f"{name:28}{figure}")
