"""optax's schedules that begin with a warm-up, alone and one after another."""

from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

from lrlab.dialects.arguments import absolute, read
from lrlab.dialects.optax.plain import exponential_decay, linear_schedule
from lrlab.errors import ScheduleError
from lrlab.schedules import Cosine, Linear, Schedule, joins
from lrlab.schedules.parameters import NotNegative, Positive


def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: float) -> Schedule:
    """A straight line to ``peak_value``, which holds; as in optax, without steps ``init_value``.

    >>> warmup_constant_schedule(0.0, 0.1, 10)
    Linear(0.0, Rate(0.1), over=10)
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
    Linear(0.0, Rate(0.1), over=10) >> Cosine(90, start=Rate(0.1))
    """
    where = "warmup_cosine_decay_schedule"
    warmup = read(where, NotNegative, warmup_steps=warmup_steps)
    total = read(where, NotNegative, decay_steps=decay_steps)
    if total <= warmup:
        raise ScheduleError(
            f"{where}: decay_steps must be above warmup_steps, which it includes, got "
            f"{decay_steps!r} and {warmup_steps!r}."
        )
    peak = absolute(where, peak_value=peak_value)
    # optax takes the end for a share of the peak.
    end = absolute(where, end_value=end_value) if peak else 0.0
    power = read(where, Positive, exponent=exponent)
    decay = Cosine(total - warmup, start=peak, end=end, power=power)
    return _warmed(where, init_value, peak_value, warmup, decay)


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
    Linear(0.0, Rate(0.1), over=10) >> Constant(Rate(0.1)) * Exponential(0.5, every=100)
    """
    where = "warmup_exponential_decay_schedule"
    warmup = read(where, NotNegative, warmup_steps=warmup_steps)
    decay = exponential_decay(
        peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value
    )
    return _warmed(where, init_value, peak_value, warmup, decay)


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    """One ``warmup_cosine_decay_schedule`` after another, each with its own arguments.

    >>> once = {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 0, "decay_steps": 50}
    >>> sgdr_schedule([once, {**once, "decay_steps": 100}])
    Cosine(50, start=Rate(0.1)) >> Cosine(100, start=Rate(0.1))
    """
    where = "sgdr_schedule"
    known = signature(warmup_cosine_decay_schedule).parameters
    needed = [name for name, parameter in known.items() if parameter.default is parameter.empty]
    if not isinstance(cosine_kwargs, Iterable) or not (cycles := list(cosine_kwargs)):
        raise ScheduleError(f"{where}: cosine_kwargs must be dicts, got {cosine_kwargs!r}.")
    for words in cycles:
        if not isinstance(words, Mapping) or not set(needed) <= set(words) <= set(known):
            raise ScheduleError(
                f"{where}: each of cosine_kwargs must be a dict of the arguments of "
                f"warmup_cosine_decay_schedule ({', '.join(known)}), got {words!r}."
            )
    parts = [warmup_cosine_decay_schedule(**words) for words in cycles]
    return parts[0] if len(parts) == 1 else joins.Sequence(tuple(parts))


def _warmed(where: str, init: Any, peak: Any, warmup: float, decay: Schedule) -> Schedule:
    """``decay`` after a line over ``warmup`` steps, or at once where there are none."""
    start = absolute(where, init_value=init)  # which is checked though it may never be reached
    end = absolute(where, peak_value=peak)
    return Linear(start, end, over=warmup) >> decay if warmup else decay
