"""Packages of the extra `cluster`, which only those need who run jobs elsewhere."""

from __future__ import annotations

import importlib
from types import ModuleType

from sonar_slt.errors import UserError


def needed(package: str, launcher: str) -> ModuleType:
    """The package, or a UserError that says how to come by it."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise UserError(
            f"launcher={launcher} needs {package}, which is not installed: pip install 'sonar-slt[cluster]'."
        ) from None
