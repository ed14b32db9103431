"""optax's schedules along one curve."""

from typing import Any

from lrlab.dialects.arguments import check_absolute, check_argument
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    Polynomial,
    Schedule,
    Step,
)
from lrlab.schedules.numbers import to_finite_float
from lrlab.schedules.parameters import NonNegative, Period, Positive


def constant_schedule(value: float) -> Schedule:
    """One rate throughout.

    >>> constant_schedule(0.1)
    Constant(Absolute(0.1))
    """
    return Constant(check_absolute("constant_schedule", value=value))


def linear_schedule(
    init_value: float, end_value: float, transition_steps: float, transition_begin: float = 0
) -> Schedule:
    """A straight line over ``transition_steps``, begun after ``transition_begin``.

    Without steps of 1 or more, ``init_value`` throughout.

    >>> linear_schedule(0.1, 0.0, 90, transition_begin=10)
    Linear(Absolute(0.1), 0.0, over=90).shift(10)
    """
    func_name = "linear_schedule"
    start = check_absolute(func_name, init_value=init_value)
    end = check_absolute(func_name, end_value=end_value)
    if _has_no_transition(transition_steps):
        return Constant(start)
    steps = check_argument(func_name, Period, transition_steps=transition_steps)
    return _delay(Linear(start, end, over=steps), transition_begin)


def polynomial_schedule(
    init_value: float,
    end_value: float,
    power: float,
    transition_steps: float,
    transition_begin: float = 0,
) -> Schedule:
    """``end + (init - end) * (1 - p)**power`` over ``transition_steps``, p from 0 to 1.

    >>> polynomial_schedule(0.1, 0.01, power=2, transition_steps=100)
    Polynomial(2.0, over=100, start=Absolute(0.1), end=Absolute(0.01))
    """
    func_name = "polynomial_schedule"
    start = check_absolute(func_name, init_value=init_value)
    end = check_absolute(func_name, end_value=end_value)
    if _has_no_transition(transition_steps):
        return Constant(start)
    steps = check_argument(func_name, Period, transition_steps=transition_steps)
    falling = Polynomial(power, over=steps, start=start, end=end)
    return _delay(falling, transition_begin)


def exponential_decay(
    init_value: float,
    transition_steps: float,
    decay_rate: float,
    transition_begin: float = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Schedule:
    """Multiplied by ``decay_rate`` (above 0) every ``transition_steps``, down or up to a bound.

    >>> exponential_decay(0.1, 100, 0.5, end_value=0.001)
    (Constant(Absolute(0.1)) * Exponential(0.5, every=100)).clip(Absolute(0.001))
    """
    func_name = "exponential_decay"
    start = Constant(check_absolute(func_name, init_value=init_value))
    if _has_no_transition(transition_steps) or to_finite_float(decay_rate) == 0:
        return start
    every = check_argument(func_name, Period, transition_steps=transition_steps)
    gamma = check_argument(func_name, Positive, decay_rate=decay_rate)
    factor = Step(every, gamma) if staircase else Exponential(gamma, every=every)
    decay = start * _delay(factor, transition_begin)
    if end_value is None:
        return decay
    bound = check_absolute(func_name, end_value=end_value)
    return decay.clip(bound) if gamma < 1 else decay.clip(None, bound)


def cosine_decay_schedule(
    init_value: float, decay_steps: float, alpha: float = 0.0, exponent: float = 1.0
) -> Schedule:
    """Half a cosine down to ``alpha * init_value`` over ``decay_steps``.

    >>> cosine_decay_schedule(0.5, 100, alpha=0.5)
    Cosine(100, start=Absolute(0.5), end=Absolute(0.25))
    """
    func_name = "cosine_decay_schedule"
    steps = check_argument(func_name, Period, decay_steps=decay_steps)
    start = check_argument(func_name, NonNegative, init_value=init_value)
    end = check_argument(func_name, NonNegative, alpha=alpha) * start
    power = check_argument(func_name, Positive, exponent=exponent)
    return Cosine(
        steps, start=check_absolute(func_name, init_value=start), end=check_absolute(func_name, alpha=end), power=power
    )


def _has_no_transition(transition_steps: Any) -> bool:
    """Whether optax gives up a transition of so many steps and stays where it is."""
    number = to_finite_float(transition_steps)
    return number is not None and number <= 0


def _delay(schedule: Schedule, transition_begin: Any) -> Schedule:
    """``schedule`` begun later, if at all."""
    number = to_finite_float(transition_begin)
    return schedule if number is not None and number <= 0 else schedule.shift(transition_begin)
