"""optax's schedules, by optax's names, arguments and defaults; optax itself is not imported.

Rates are absolute. The value at t is the rate of the update at which optax's count is t, from 0 on;
a boundary at b acts at t = b.

Intended differences:

- ``power``, ``exponent`` and ``decay_rate`` must be above 0, except for ``decay_rate=0``, which
  means a constant in optax. Boundaries and durations must not be negative, unless optax gives that
  a meaning.
- ``join_schedules`` needs one boundary fewer than schedules, in ascending order; optax ignores
  surplus ones.
- ``reduce_on_plateau`` takes a relative or an absolute tolerance, not both, and does not average
  metrics. ``patience`` must be at least 1, because with 0 optax reduces after good metrics.

Every function raises ``ScheduleError`` if an argument breaks a rule of the schedule.
"""

from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from typing import Any

from lrlab._checks import to_finite_float, to_int_if_whole
from lrlab.dialects.arguments import (
    Fraction,
    check_absolute,
    check_argument,
    check_choice,
    check_schedule,
)
from lrlab.dialects.building_blocks import truncate
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    PiecewiseConstant,
    PiecewiseInterpolate,
    Plateau,
    Polynomial,
    Schedule,
    Sequential,
    Step,
)
from lrlab.schedules.fields import (
    Level,
    Milestones,
    NonNegative,
    NonNegativeInteger,
    Period,
    Positive,
)

__all__ = [
    "constant_schedule",
    "cosine_decay_schedule",
    "cosine_onecycle_schedule",
    "exponential_decay",
    "join_schedules",
    "linear_onecycle_schedule",
    "linear_schedule",
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "polynomial_schedule",
    "reduce_on_plateau",
    "sgdr_schedule",
    "warmup_constant_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_exponential_decay_schedule",
]


def constant_schedule(value: float) -> Schedule:
    """Keep one rate throughout.

    >>> constant_schedule(0.1)
    Constant(Absolute(0.1))
    """
    return Constant(check_absolute("constant_schedule", value=value))


def cosine_decay_schedule(
    init_value: float, decay_steps: float, alpha: float = 0.0, exponent: float = 1.0
) -> Schedule:
    """Follow half a cosine down to ``alpha * init_value`` in ``decay_steps``.

    >>> cosine_decay_schedule(0.5, 100, alpha=0.5)
    Cosine(100, start=Absolute(0.5), end=Absolute(0.25))
    """
    func_name = "cosine_decay_schedule"
    steps = check_argument(func_name, Period, decay_steps=decay_steps)
    start = check_argument(func_name, NonNegative, init_value=init_value)
    end = check_argument(func_name, NonNegative, alpha=alpha) * start
    power = check_argument(func_name, Positive, exponent=exponent)
    return Cosine(
        steps,
        start=check_absolute(func_name, init_value=start),
        end=check_absolute(func_name, alpha=end),
        power=power,
    )


def cosine_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Follow half a cosine up to the peak, and one to the first rate over ``final_div_factor``.

    >>> cosine_onecycle_schedule(100, 1.0, div_factor=4, final_div_factor=2)([0, 30, 100], base=1.0)
    array([0.25 , 1.   , 0.125])
    """
    func_name = "cosine_onecycle_schedule"
    steps = check_argument(func_name, Positive, transition_steps=transition_steps)
    rise = check_argument(func_name, Fraction, pct_start=pct_start)
    div = check_argument(func_name, Positive, div_factor=div_factor)
    final = check_argument(func_name, Positive, final_div_factor=final_div_factor)
    scales = {int(rise * steps): div, int(steps): 1 / (div * final)}
    peak = check_argument(func_name, NonNegative, peak_value=peak_value)
    return piecewise_interpolate_schedule("cosine", peak / div, scales)


def exponential_decay(
    init_value: float,
    transition_steps: float,
    decay_rate: float,
    transition_begin: float = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Schedule:
    """Multiply the rate by ``decay_rate`` (above 0) every ``transition_steps``.

    ``end_value`` bounds it: from below if it decays, from above if it grows.

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


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[float]) -> Schedule:
    """Run each schedule on its own clock from its boundary on.

    >>> from lrlab.schedules import Cosine, Exponential, Warmup
    >>> join_schedules([Warmup(5), Exponential(0.9), Cosine(30)], [5, 20])
    Warmup(5) >> Exponential(0.9).until(15) >> Cosine(30)
    """
    func_name = "join_schedules"
    if not isinstance(schedules, Iterable) or not (parts := list(schedules)):
        raise ScheduleError(
            f"{func_name}: schedules must be a list of schedules, got {schedules!r}."
        )
    parts = [check_schedule(func_name, schedules=part) for part in parts]
    if len(parts) == 1 and not boundaries:
        return parts[0]
    boundary_steps = check_argument(func_name, Milestones, boundaries=boundaries)
    if len(boundary_steps) != len(parts) - 1 or any(
        isinstance(step, str) for step in boundary_steps
    ):
        raise ScheduleError(
            f"{func_name}: boundaries must be numbers of steps, one fewer than schedules, got "
            f"{boundaries!r} for {len(parts)}."
        )
    lengths = [
        end - start for start, end in zip([0, *boundary_steps], boundary_steps, strict=False)
    ]
    truncated_parts = [truncate(part, span) for part, span in zip(parts, lengths, strict=False)]
    return Sequential((*truncated_parts, parts[-1]))


def linear_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Go on lines up to the peak, back, and on to the first rate over ``final_div_factor``.

    >>> linear_onecycle_schedule(100, 1.0, div_factor=4, final_div_factor=2)([0, 30, 85, 100], 1.0)
    array([0.25 , 1.   , 0.25 , 0.125])
    """
    func_name = "linear_onecycle_schedule"
    steps = check_argument(func_name, Positive, transition_steps=transition_steps)
    rise = check_argument(func_name, Fraction, pct_start=pct_start)
    back = check_argument(func_name, Fraction, pct_final=pct_final)
    div = check_argument(func_name, Positive, div_factor=div_factor)
    final = check_argument(func_name, Positive, final_div_factor=final_div_factor)
    scales = {int(rise * steps): div, int(back * steps): 1 / div, steps: 1 / final}
    peak = check_argument(func_name, NonNegative, peak_value=peak_value)
    return piecewise_interpolate_schedule("linear", peak / div, scales)


def linear_schedule(
    init_value: float, end_value: float, transition_steps: float, transition_begin: float = 0
) -> Schedule:
    """Go to ``end_value`` on a line of ``transition_steps``, which begins at ``transition_begin``.

    If ``transition_steps`` is 0 or less, ``init_value`` stays.

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


def piecewise_constant_schedule(
    init_value: float, boundaries_and_scales: Mapping[int, float] | None = None
) -> Schedule:
    """Multiply the rate by each scale (0 or more) from its boundary on.

    >>> piecewise_constant_schedule(0.5, {100: 0.5, 200: 0.5})
    PiecewiseConstant([100, 200], [Absolute(0.5), Absolute(0.25), Absolute(0.125)])
    """
    func_name = "piecewise_constant_schedule"
    at, rates = _multiply_scales(func_name, init_value, boundaries_and_scales)
    return PiecewiseConstant(at, rates) if at else Constant(rates[0])


def piecewise_interpolate_schedule(
    interpolate_type: str,
    init_value: float,
    boundaries_and_scales: Mapping[int, float] | None = None,
) -> Schedule:
    """Interpolate between the rates at boundaries, where each scale (0 or more) multiplies.

    ``interpolate_type`` is ``"linear"`` or ``"cosine"``.

    >>> piecewise_interpolate_schedule("linear", 0.5, {4: 0.5, 8: 0.5})
    PiecewiseInterpolate([0, 4, 8], [Absolute(0.5), Absolute(0.25), Absolute(0.125)])
    """
    func_name = "piecewise_interpolate_schedule"
    curve = check_choice(func_name, "linear", "cosine", interpolate_type=interpolate_type)
    at, rates = _multiply_scales(func_name, init_value, boundaries_and_scales)
    return PiecewiseInterpolate([0, *at], rates, curve=curve) if at else Constant(rates[0])


def polynomial_schedule(
    init_value: float,
    end_value: float,
    power: float,
    transition_steps: float,
    transition_begin: float = 0,
) -> Schedule:
    """Compute ``end + (init - end) * (1 - p)**power``; p goes to 1 in ``transition_steps``.

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


def reduce_on_plateau(
    factor: float = 0.1,
    patience: int = 10,
    rtol: float = 1e-4,
    atol: float = 0.0,
    cooldown: int = 0,
    accumulation_size: int = 1,
    min_scale: float = 0.0,
) -> Schedule:
    """Multiply the rate by ``factor`` at the ``patience``-th metric in a row without improvement.

    In optax, the metric of a step already scales the update of that step.

    >>> reduce_on_plateau(0.5, patience=3, rtol=0.0, atol=0.01)
    Plateau(0.5, patience=3, threshold=0.01, threshold_mode="abs", at_patience=True)
    """
    func_name = "reduce_on_plateau"
    relative = check_argument(func_name, Fraction, rtol=rtol)
    difference = check_argument(func_name, NonNegative, atol=atol)
    for is_broken, rule in (
        (
            not check_argument(func_name, Positive, factor=factor) < 1,
            f"factor must be below 1, got {factor!r}.",
        ),
        (
            not check_argument(func_name, NonNegativeInteger, patience=patience),
            f"patience must be at least 1, got {patience}.",
        ),
        (
            (relative > 0) == (difference > 0),
            f"exactly one of rtol and atol must be above 0, got {rtol!r} and {atol!r}.",
        ),
        (
            accumulation_size != 1,
            f"accumulation_size must be 1, got {accumulation_size!r}: average the metrics "
            "before you pass them to observe.",
        ),
    ):
        if is_broken:
            raise ScheduleError(f"{func_name}: {rule}")
    return Plateau(
        factor,
        patience=patience,
        threshold=relative or difference,
        threshold_mode="rel" if relative else "abs",
        cooldown=cooldown,
        low=check_argument(func_name, Fraction, min_scale=min_scale),
        at_patience=True,
    )


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    """Run one ``warmup_cosine_decay_schedule`` per dict of its arguments.

    >>> once = {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 0, "decay_steps": 50}
    >>> sgdr_schedule([once, {**once, "decay_steps": 100}])
    Cosine(50, start=Absolute(0.1)) >> Cosine(100, start=Absolute(0.1))
    """
    func_name = "sgdr_schedule"
    parameters = signature(warmup_cosine_decay_schedule).parameters
    required = [
        name for name, parameter in parameters.items() if parameter.default is parameter.empty
    ]
    if not isinstance(cosine_kwargs, Iterable) or not (cycles := list(cosine_kwargs)):
        raise ScheduleError(
            f"{func_name}: cosine_kwargs must be a list of dicts, got {cosine_kwargs!r}."
        )
    for kwargs in cycles:
        if not isinstance(kwargs, Mapping) or not set(required) <= set(kwargs) <= set(parameters):
            raise ScheduleError(
                f"{func_name}: each of cosine_kwargs must be a dict of the arguments of "
                f"warmup_cosine_decay_schedule ({', '.join(parameters)}), got {kwargs!r}."
            )
    parts = [warmup_cosine_decay_schedule(**kwargs) for kwargs in cycles]
    return parts[0] if len(parts) == 1 else Sequential(tuple(parts))


def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: float) -> Schedule:
    """Warm up to ``peak_value`` and stay there; as in optax, at ``init_value`` with 0 steps.

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
    """Warm up to ``peak_value``, then follow half a cosine to ``end_value``.

    ``decay_steps`` includes ``warmup_steps`` and must be above it.

    >>> warmup_cosine_decay_schedule(0.0, 0.1, 10, 100)
    Linear(0.0, Absolute(0.1), over=10) >> Cosine(90, start=Absolute(0.1))
    """
    func_name = "warmup_cosine_decay_schedule"
    warmup = check_argument(func_name, NonNegative, warmup_steps=warmup_steps)
    total = check_argument(func_name, NonNegative, decay_steps=decay_steps)
    if total <= warmup:
        raise ScheduleError(
            f"{func_name}: decay_steps includes warmup_steps and must be above it, got "
            f"{decay_steps!r} and {warmup_steps!r}."
        )
    peak = check_absolute(func_name, peak_value=peak_value)
    # optax turns the end into a fraction of the peak.
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
    """Warm up to ``peak_value``, then decay from it by ``exponential_decay``.

    >>> warmup_exponential_decay_schedule(0.0, 0.1, 10, 100, 0.5)
    Linear(0.0, Absolute(0.1), over=10) >> Constant(Absolute(0.1)) * Exponential(0.5, every=100)
    """
    func_name = "warmup_exponential_decay_schedule"
    warmup = check_argument(func_name, NonNegative, warmup_steps=warmup_steps)
    decay = exponential_decay(
        peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value
    )
    return _add_warmup(func_name, init_value, peak_value, warmup, decay)


def _add_warmup(
    func_name: str, init_value: Any, peak_value: Any, warmup_steps: float, decay: Schedule
) -> Schedule:
    """Put a line of ``warmup_steps`` steps before ``decay``, unless it has 0 steps."""
    start = check_absolute(func_name, init_value=init_value)  # checked even if it is not used
    end = check_absolute(func_name, peak_value=peak_value)
    return Linear(start, end, over=warmup_steps) >> decay if warmup_steps else decay


def _has_no_transition(transition_steps: Any) -> bool:
    """Whether optax keeps the initial rate for this number of steps."""
    number = to_finite_float(transition_steps)
    return number is not None and number <= 0


def _delay(schedule: Schedule, transition_begin: Any) -> Schedule:
    """Shift ``schedule`` by ``transition_begin``; optax ignores a negative one."""
    number = to_finite_float(transition_begin)
    return schedule if number is not None and number <= 0 else schedule.shift(transition_begin)


def _multiply_scales(
    func_name: str, init_value: Any, boundaries_and_scales: Any
) -> tuple[list[float], list[Level]]:
    """Return the boundaries in order, and the rates before and after each."""
    scales = {} if boundaries_and_scales is None else boundaries_and_scales
    if not isinstance(scales, Mapping):
        raise ScheduleError(
            f"{func_name}: boundaries_and_scales must be a dict such as {{100: 0.1}}, got "
            f"{scales!r}."
        )
    pairs = sorted(
        (
            check_argument(func_name, NonNegative, boundary=at),
            check_argument(func_name, NonNegative, scale=scale),
        )
        for at, scale in scales.items()
    )
    rates = [check_argument(func_name, NonNegative, init_value=init_value)]
    for _, scale in pairs:
        rates.append(rates[-1] * scale)
    return [to_int_if_whole(at) for at, _ in pairs], [
        check_absolute(func_name, rate=rate) for rate in rates
    ]
