"""How the learning rate moves over a training of a known number of steps."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from sonar_slt.errors import UserError


class Schedule(ABC):
    """Rise linearly over the first `warmup` of the steps; what comes after is the subclass's.

    Below 1 `warmup` is a fraction of the training, from 1 on a number of steps.
    """

    def __init__(self, *, warmup: float = 0.05) -> None:
        if warmup < 0:
            raise UserError(f"schedule.warmup={warmup}: a fraction of the training below 1, or a number of steps.")
        self.warmup = warmup

    def factor(self, step: int, total: int) -> float:
        """What the learning rate is multiplied with at `step` of `total`."""
        rising = max(1, min(total, round(self.warmup * total if self.warmup < 1 else self.warmup)))
        if step < rising:
            return (step + 1) / rising
        return self.after(min(1.0, (step - rising) / max(1, total - rising)))

    @abstractmethod
    def after(self, progress: float) -> float:
        """The factor when the fraction `progress` of the steps after the warm-up is done."""


class WarmupCosine(Schedule):
    """After the warm-up, fall along a cosine to `floor`."""

    def __init__(self, *, warmup: float = 0.05, floor: float = 0.0) -> None:
        super().__init__(warmup=warmup)
        self.floor = floor

    def after(self, progress: float) -> float:
        """From 1 to `floor`."""
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))


class Constant(Schedule):
    """After the warm-up, stay."""

    def after(self, progress: float) -> float:
        """Always 1."""
        return 1.0


class Polynomial(Schedule):
    """After the warm-up, fall to `floor` as the power `power` of what is left."""

    def __init__(self, *, warmup: float = 0.05, power: float = 2.0, floor: float = 0.0) -> None:
        super().__init__(warmup=warmup)
        if power <= 0:
            raise UserError(f"schedule.power={power}: expected a number above 0.")
        self.power, self.floor = power, floor

    def after(self, progress: float) -> float:
        """From 1 to `floor`."""
        return self.floor + (1 - self.floor) * float((1 - progress) ** self.power)


class Linear(Polynomial):
    """After the warm-up, fall evenly to `floor`."""

    def __init__(self, *, warmup: float = 0.05, floor: float = 0.0) -> None:
        super().__init__(warmup=warmup, power=1.0, floor=floor)


class WarmupStableDecay(Schedule):
    """After the warm-up, stay; over the last `decay` fraction of what is left, fall linearly to 0."""

    def __init__(self, *, warmup: float = 0.05, decay: float = 0.3) -> None:
        super().__init__(warmup=warmup)
        if not 0 < decay <= 1:
            raise UserError(f"schedule.decay={decay}: it is a fraction of the training, above 0 and at most 1.")
        self.decay = decay

    def after(self, progress: float) -> float:
        """1 until the decay begins."""
        return min(1.0, (1 - progress) / self.decay)
