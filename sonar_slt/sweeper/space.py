"""What may be chosen for a key: one of several values, or a number between two.

Values leave here as the words of a command, which is what a trial is.
"""

from __future__ import annotations

from dataclasses import dataclass

DIGITS = 6
"""Of a drawn number; more would only make the command longer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these values, as they are typed; none lies between others."""

    values: tuple[str, ...]

    def word(self, key: str, value: object) -> str:
        """The value of a key as it is typed."""
        return f"{key}={value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number from `low` to `high`, both included; only each `step` of it, on a logarithmic scale with `log`."""

    low: float
    high: float
    step: float | None = None
    whole: bool = False
    log: bool = False

    def word(self, key: str, value: float) -> str:
        """The value of a key as it is typed."""
        return f"{key}={value}" if self.whole else f"{key}={float(f'{value:.{DIGITS}g}')!r}"


Space = dict[str, Choice | Number]
"""Key to what may be chosen for it; a key has the signs in front that the words have."""
