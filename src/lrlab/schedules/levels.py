"""Levels: factors of the base rate (plain numbers) and absolute rates (``Absolute``)."""

from dataclasses import dataclass

from lrlab.errors import ScheduleError
from lrlab.schedules.numbers import to_finite_float

__all__ = ["Absolute"]


@dataclass(frozen=True, repr=False)
class Absolute:
    """An absolute rate, where a plain number would be a factor of the base rate.

    Args:
        value: the rate itself, 0 or more, whatever the base rate is.

    Raises:
        ScheduleError: ``value`` is negative or not a finite number.

    >>> from lrlab.schedules import Linear
    >>> Linear(1.0, Absolute(0.001), over=10)(10, base=0.1)
    0.001
    """

    value: float

    def __post_init__(self) -> None:
        number = to_finite_float(self.value)
        if number is None or number < 0:
            raise ScheduleError(f"Rate: value must be a rate of 0 or more, got {self.value!r}.")
        object.__setattr__(self, "value", number)

    def __repr__(self) -> str:
        return f"Absolute({self.value!r})"


def resolve_level(level: float | Absolute, base: float) -> float:
    """The rate that a level stands for, given the base rate."""
    return level.value if isinstance(level, Absolute) else base * level
