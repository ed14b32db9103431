"""torch.optim.lr_scheduler's schedules, by torch's names, arguments and defaults.

Each function takes what torch's class takes after the optimizer and returns a schedule with the
same rates at the same counts of ``step()``. Counts are of steps, factors are of the base rate,
``eta_min`` is an absolute rate. What torch calls ``last_epoch`` is the scheduler's business and no
argument here. torch itself is not imported.

Where they differ on purpose:

- torch multiplies its rates up step by step, which differs from these closed forms in the last
  bits.
- ``CosineAnnealingLR`` holds its last rate past its end; torch climbs back to the base rate.
- A factor may be any number of 0 or more; torch refuses a ``factor``, ``start_factor`` or
  ``end_factor`` above 1, and a ``start_factor`` of 0.
- A ``gamma`` must be above 0; torch takes 0 and negative ones, which give no rate to train with.

Every function raises ``ScheduleError`` where the schedule it returns refuses an argument.
"""

from collections.abc import Callable
from typing import Any

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Custom,
    Exponential,
    Linear,
    Rate,
    Schedule,
    Step,
)

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "StepLR",
]


def LambdaLR(lr_lambda: Callable[[int], float]) -> Schedule:
    """The base rate times ``lr_lambda(t)``, t an int.

    A list of functions, one per parameter group, is several schedules and is refused.

    >>> LambdaLR(lambda epoch: 0.95**epoch)(2)
    0.9025
    """
    if not callable(lr_lambda):
        raise ScheduleError(
            f"LambdaLR: lr_lambda must be one function, got {_short(lr_lambda)}; in a text write "
            'a formula instead: Formula("1 / (1 + 0.01*t)").'
        )
    return Custom(lr_lambda)


def ConstantLR(factor: float = 1 / 3, total_iters: int = 5) -> Schedule:
    """``factor`` (0 or more) for ``total_iters`` steps, then the base rate.

    >>> ConstantLR(factor=0.5, total_iters=4)
    Constant(0.5, over=4) >> Constant(1.0)
    """
    return Constant(factor, over=total_iters) >> Constant(1.0)


def LinearLR(
    start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
) -> Schedule:
    """A straight line between two factors (0 or more) over ``total_iters`` steps, then the second.

    >>> LinearLR(start_factor=1.0, end_factor=0.5, total_iters=30)
    Linear(1.0, 0.5, over=30)
    """
    return Linear(start_factor, end_factor, over=total_iters)


def ExponentialLR(gamma: float) -> Schedule:
    """Multiplied by ``gamma`` (above 0) every step.

    >>> ExponentialLR(gamma=0.99)
    Exponential(0.99)
    """
    return Exponential(gamma)


def StepLR(step_size: int, gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` (above 0) every ``step_size`` steps (above 0).

    >>> StepLR(step_size=30)
    Step(30)
    """
    return Step(step_size, gamma)


def CosineAnnealingLR(T_max: int, eta_min: float = 0.0) -> Schedule:
    """Half a cosine from the base rate to the absolute rate ``eta_min`` over ``T_max`` steps.

    Different on purpose past ``T_max``: this stays at ``eta_min``, torch climbs back to the base
    rate by ``2 * T_max``.

    >>> CosineAnnealingLR(T_max=45, eta_min=1e-5)
    Cosine(45, end=Rate(1e-05))
    """
    # An absolute 0 is a factor of 0; the factor keeps the schedule relative.
    return Cosine(T_max, end=Rate(eta_min) if eta_min else 0.0)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
