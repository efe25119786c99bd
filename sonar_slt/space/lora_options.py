"""What a LoRA may be told: its rank, alpha, dropout and targets, wherever it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeGuard

from sonar_slt.errors import UserError


def require_options(origin: str, *, rank: object, alpha: object, dropout: object, targets: object) -> None:
    """Refuse options of another type or size than LoRA's; `origin` begins the sentence."""
    if not isinstance(rank, int) or isinstance(rank, bool) or rank < 1:
        raise UserError(f"{origin} asks for rank {rank!r}: expected a whole number of at least 1.")
    if not _is_finite(alpha) or alpha <= 0:
        raise UserError(f"{origin} asks for alpha {alpha!r}: expected a number above 0.")
    if not _is_finite(dropout) or not 0 <= dropout < 1:
        raise UserError(f"{origin} asks for dropout {dropout!r}: expected a number from 0 to below 1.")
    named = isinstance(targets, Sequence) and not isinstance(targets, str) and all(isinstance(t, str) for t in targets)
    if not named or not targets:
        raise UserError(f"{origin} asks for targets {targets!r}: expected a list of names of projections.")


def _is_finite(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
