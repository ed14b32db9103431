"""optax's schedules that begin with a warm-up, alone and one after another."""

from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

from lrlab.dialects.arguments import check_absolute, check_argument
from lrlab.dialects.optax.plain import exponential_decay, linear_schedule
from lrlab.errors import ScheduleError
from lrlab.schedules import Cosine, Linear, Schedule, joins
from lrlab.schedules.parameters import NonNegative, Positive


def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: float) -> Schedule:
    """A straight line to ``peak_value``, which holds; as in optax, without steps ``init_value``.

    >>> warmup_constant_schedule(0.0, 0.1, 10)
    Linear(0.0, Absolute(0.1), over=10)
    """
    return linear_schedule(init_value, peak_value, warmup_steps)


def warmup_cosine_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: float,
    decay_steps: float,
    end_value: float = 0.0,
    exponent: float = 1.0,
) -> Schedule:
    """A straight line to ``peak_value``, then half a cosine to ``end_value``.

    ``decay_steps`` counts both, and must be above ``warmup_steps``.

    >>> warmup_cosine_decay_schedule(0.0, 0.1, 10, 100)
    Linear(0.0, Absolute(0.1), over=10) >> Cosine(90, start=Absolute(0.1))
    """
    func_name = "warmup_cosine_decay_schedule"
    warmup = check_argument(func_name, NonNegative, warmup_steps=warmup_steps)
    total = check_argument(func_name, NonNegative, decay_steps=decay_steps)
    if total <= warmup:
        raise ScheduleError(
            f"{func_name}: decay_steps must be above warmup_steps, which it includes, got "
            f"{decay_steps!r} and {warmup_steps!r}."
        )
    peak = check_absolute(func_name, peak_value=peak_value)
    # optax takes the end for a share of the peak.
    end = check_absolute(func_name, end_value=end_value) if peak else 0.0
    power = check_argument(func_name, Positive, exponent=exponent)
    decay = Cosine(total - warmup, start=peak, end=end, power=power)
    return _add_warmup(func_name, init_value, peak_value, warmup, decay)


def warmup_exponential_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: float,
    transition_steps: float,
    decay_rate: float,
    transition_begin: float = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Schedule:
    """A straight line to ``peak_value``, then ``exponential_decay`` from it.

    >>> warmup_exponential_decay_schedule(0.0, 0.1, 10, 100, 0.5)
    Linear(0.0, Absolute(0.1), over=10) >> Constant(Absolute(0.1)) * Exponential(0.5, every=100)
    """
    func_name = "warmup_exponential_decay_schedule"
    warmup = check_argument(func_name, NonNegative, warmup_steps=warmup_steps)
    decay = exponential_decay(
        peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value
    )
    return _add_warmup(func_name, init_value, peak_value, warmup, decay)


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    """One ``warmup_cosine_decay_schedule`` after another, each with its own arguments.

    >>> once = {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 0, "decay_steps": 50}
    >>> sgdr_schedule([once, {**once, "decay_steps": 100}])
    Cosine(50, start=Absolute(0.1)) >> Cosine(100, start=Absolute(0.1))
    """
    func_name = "sgdr_schedule"
    parameters = signature(warmup_cosine_decay_schedule).parameters
    required = [name for name, parameter in parameters.items() if parameter.default is parameter.empty]
    if not isinstance(cosine_kwargs, Iterable) or not (cycles := list(cosine_kwargs)):
        raise ScheduleError(f"{func_name}: cosine_kwargs must be dicts, got {cosine_kwargs!r}.")
    for kwargs in cycles:
        if not isinstance(kwargs, Mapping) or not set(required) <= set(kwargs) <= set(parameters):
            raise ScheduleError(
                f"{func_name}: each of cosine_kwargs must be a dict of the arguments of "
                f"warmup_cosine_decay_schedule ({', '.join(parameters)}), got {kwargs!r}."
            )
    parts = [warmup_cosine_decay_schedule(**words) for words in cycles]
    return parts[0] if len(parts) == 1 else joins.Sequential(tuple(parts))


def _add_warmup(func_name: str, init_value: Any, peak_value: Any, warmup_steps: float, decay: Schedule) -> Schedule:
    """``decay`` after a line over ``warmup_steps`` steps, or at once where there are none."""
    start = check_absolute(func_name, init_value=init_value)  # which is checked though it may never be reached
    end = check_absolute(func_name, peak_value=peak_value)
    return Linear(start, end, over=warmup_steps) >> decay if warmup_steps else decay
