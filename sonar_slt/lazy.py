"""Names that a package offers but imports only when they are asked for, so that whoever wants others does not wait.

The package shows them to type checkers by imports under TYPE_CHECKING.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package; `homes` says in which module a name lies, or that it is a module."""

    def asked(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = import_module(homes[name])
        return home if home.__name__ == f"{package}.{name}" else getattr(home, name)

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return asked, listed
