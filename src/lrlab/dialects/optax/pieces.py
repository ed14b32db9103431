"""optax's schedules through products of scales at boundaries, one-cycle among them."""

from collections.abc import Mapping
from typing import Any

from lrlab.dialects.arguments import Fraction, check_absolute, check_choice, check_argument
from lrlab.dialects.parts import Level
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, PiecewiseInterpolate, PiecewiseConstant, Schedule
from lrlab.schedules.numbers import to_int_if_whole
from lrlab.schedules.parameters import NonNegative, Positive


def piecewise_constant_schedule(
    init_value: float, boundaries_and_scales: Mapping[int, float] | None = None
) -> Schedule:
    """Multiplied by each scale (0 or more) from its boundary on.

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
    """From one such product of scales to the next, ``"linear"`` or ``"cosine"``.

    >>> piecewise_interpolate_schedule("linear", 0.5, {4: 0.5, 8: 0.5})
    PiecewiseInterpolate([0, 4, 8], [Absolute(0.5), Absolute(0.25), Absolute(0.125)])
    """
    func_name = "piecewise_interpolate_schedule"
    curve = check_choice(func_name, "linear", "cosine", interpolate_type=interpolate_type)
    at, rates = _multiply_scales(func_name, init_value, boundaries_and_scales)
    return PiecewiseInterpolate([0, *at], rates, curve=curve) if at else Constant(rates[0])


def linear_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Straight lines up to the peak, back, and on to the first rate over ``final_div_factor``.

    >>> linear_onecycle_schedule(100, 1.0, div_factor=4, final_div_factor=2)
    PiecewiseInterpolate([0, 30, 85, 100], [Absolute(0.25), Absolute(1.0), Absolute(0.25), Absolute(0.125)])
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


def cosine_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Half a cosine up to the peak, and one down to the first rate over ``final_div_factor``.

    >>> cosine_onecycle_schedule(100, 1.0, div_factor=4, final_div_factor=2)
    PiecewiseInterpolate([0, 30, 100], [Absolute(0.25), Absolute(1.0), Absolute(0.125)], curve="cosine")
    """
    func_name = "cosine_onecycle_schedule"
    steps = check_argument(func_name, Positive, transition_steps=transition_steps)
    rise = check_argument(func_name, Fraction, pct_start=pct_start)
    div = check_argument(func_name, Positive, div_factor=div_factor)
    final = check_argument(func_name, Positive, final_div_factor=final_div_factor)
    scales = {int(rise * steps): div, int(steps): 1 / (div * final)}
    peak = check_argument(func_name, NonNegative, peak_value=peak_value)
    return piecewise_interpolate_schedule("cosine", peak / div, scales)


def _multiply_scales(
    func_name: str, init_value: Any, boundaries_and_scales: Any
) -> tuple[list[float], list[Level]]:
    """The boundaries in order, and the rates from the first on."""
    scales = {} if boundaries_and_scales is None else boundaries_and_scales
    if not isinstance(scales, Mapping):
        raise ScheduleError(
            f"{func_name}: boundaries_and_scales must be a dict such as {{100: 0.1}}, got {scales!r}."
        )
    pairs = sorted(
        (check_argument(func_name, NonNegative, boundary=at), check_argument(func_name, NonNegative, scale=scale))
        for at, scale in scales.items()
    )
    rates = [check_argument(func_name, NonNegative, init_value=init_value)]
    for _, scale in pairs:
        rates.append(rates[-1] * scale)
    return [to_int_if_whole(at) for at, _ in pairs], [check_absolute(func_name, rate=rate) for rate in rates]
