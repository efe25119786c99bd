"""Numbers from a record, which anyone may have written: which are any, and with how many digits they are shown."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

UNIT = frozenset({"bleurt", "bertscore"})
"""Scores on a scale of about 0 to 1, not 0 to 100."""


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a value is a number that one can reckon with: no truth value, and neither NaN nor infinite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf


def score_text(value: Any, name: str = "") -> str:
    """A score as it is shown; nothing where there is none."""
    return "" if not is_number(value) else f"{value:.3f}" if name in UNIT else f"{value:.1f}"


def digits_of(size: float) -> int | None:
    """Decimals that figures of this size need; None for three digits that count, wherever they stand."""
    return next((digits for least, digits in ((10, 1), (1, 2), (0.1, 3)) if size >= least), None)


def rounded(value: float, digits: int | None) -> str:
    """A figure with so many decimals."""
    return f"{value:.3g}" if digits is None else f"{value:.{digits}f}"
