"""Which ``_target_`` may be built: our public classes, a short list of others, and packages named on the command line.

A config can come with a model from a stranger, so the answer is decided by the text of the target before anything is
imported, and again by where the object that it leads to was defined.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from typing import Any

from sonar_slt.errors import UserError

FIRST_PARTY = "sonar_slt"
THIRD_PARTY = (
    "torch.optim",
    "torch.nn",
    "pytorch_lightning.callbacks",
    "pytorch_lightning.loggers",
    "pytorch_lightning.strategies",
)
SINGLE = {"pytorch_lightning.Trainer": "pytorch_lightning"}
NOBODYS = sys.stdlib_module_names | {name.partition(".")[0] for name in (FIRST_PARTY, *THIRD_PARTY, "peft")}
"""Packages that no user can have written."""

_named: set[str] = set()


def permit(packages: Iterable[str]) -> None:
    """Let the classes of these packages be built in this process; only the command line may call this."""
    for package in packages:
        if not isinstance(package, str) or not all(part.isidentifier() for part in package.split(".")):
            raise UserError(f"allow={package!r} is no package name; expected allow=[my_package].")
        _named.add(package)


def permitted() -> frozenset[str]:
    """The packages that the command line named with ``allow=[…]``."""
    return frozenset(_named)


def home(target: str) -> str | None:
    """The package in which the object behind ``target`` must be defined, or None when the text alone is refused."""
    parts = target.split(".")
    if len(parts) < 2 or not all(part.isidentifier() and not part.startswith("_") for part in parts):
        return None
    if target in SINGLE:
        return SINGLE[target]
    if len(parts) == 2 and parts[0] == "peft" and parts[1].endswith("Config"):
        return "peft"
    for package in (FIRST_PARTY, *THIRD_PARTY, *sorted(_named)):
        if target.startswith(package + "."):
            return package
    return None


def refusal(target: str) -> str:
    """The sentence that says why ``target`` is not built and what would be."""
    package = target.partition(".")[0]
    unnamed = not any(target.startswith(name + ".") for name in _named)
    if "." in target and package.isidentifier() and package not in NOBODYS and unnamed:
        return (
            f"_target_ {target} may not be built: if {package} is a package of yours, say so by allow=[{package}] on "
            "the command line."
        )
    return (
        f"_target_ {target} may not be built: allowed are public classes of {FIRST_PARTY}, "
        f"{', '.join((*THIRD_PARTY, *SINGLE))}, peft's configs, and packages named by allow=[my_package] "
        "on the command line."
    )


def check_origin(target: str, found: Any) -> None:
    """Refuse anything but a class, or a classmethod of one, that is defined in the package ``target`` belongs to."""
    package = home(target)
    if package is None or not _is_class_of(found, package):
        raise UserError(refusal(target))


def _is_class_of(found: Any, package: str) -> bool:
    if isinstance(found, type):
        return _within(found.__module__, package)
    owner = getattr(found, "__self__", None)
    if not inspect.ismethod(found) or not isinstance(owner, type) or not _within(owner.__module__, package):
        return False
    # The class that wrote the method counts: an inherited loader of a library is not ours to vouch for.
    writer = next((parent for parent in owner.__mro__ if found.__name__ in vars(parent)), None)
    return writer is not None and package not in THIRD_PARTY and _within(writer.__module__, package)


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")
