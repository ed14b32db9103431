"""optax's schedules through products of scales at boundaries, one-cycle among them."""

from collections.abc import Mapping
from typing import Any

from lrlab.dialects.arguments import Fraction, absolute, one_of, read
from lrlab.dialects.parts import Level
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Knots, Piecewise, Schedule
from lrlab.schedules.numbers import tidy
from lrlab.schedules.parameters import NotNegative, Positive


def piecewise_constant_schedule(
    init_value: float, boundaries_and_scales: Mapping[int, float] | None = None
) -> Schedule:
    """Multiplied by each scale (0 or more) from its boundary on.

    >>> piecewise_constant_schedule(0.5, {100: 0.5, 200: 0.5})
    Piecewise([100, 200], [Rate(0.5), Rate(0.25), Rate(0.125)])
    """
    where = "piecewise_constant_schedule"
    at, rates = _scaled(where, init_value, boundaries_and_scales)
    return Piecewise(at, rates) if at else Constant(rates[0])


def piecewise_interpolate_schedule(
    interpolate_type: str,
    init_value: float,
    boundaries_and_scales: Mapping[int, float] | None = None,
) -> Schedule:
    """From one such product of scales to the next, ``"linear"`` or ``"cosine"``.

    >>> piecewise_interpolate_schedule("linear", 0.5, {4: 0.5, 8: 0.5})
    Knots([0, 4, 8], [Rate(0.5), Rate(0.25), Rate(0.125)])
    """
    where = "piecewise_interpolate_schedule"
    curve = one_of(where, "linear", "cosine", interpolate_type=interpolate_type)
    at, rates = _scaled(where, init_value, boundaries_and_scales)
    return Knots([0, *at], rates, curve=curve) if at else Constant(rates[0])


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
    Knots([0, 30, 85, 100], [Rate(0.25), Rate(1.0), Rate(0.25), Rate(0.125)])
    """
    where = "linear_onecycle_schedule"
    steps = read(where, Positive, transition_steps=transition_steps)
    rise = read(where, Fraction, pct_start=pct_start)
    back = read(where, Fraction, pct_final=pct_final)
    div = read(where, Positive, div_factor=div_factor)
    final = read(where, Positive, final_div_factor=final_div_factor)
    scales = {int(rise * steps): div, int(back * steps): 1 / div, steps: 1 / final}
    peak = read(where, NotNegative, peak_value=peak_value)
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
    Knots([0, 30, 100], [Rate(0.25), Rate(1.0), Rate(0.125)], curve="cosine")
    """
    where = "cosine_onecycle_schedule"
    steps = read(where, Positive, transition_steps=transition_steps)
    rise = read(where, Fraction, pct_start=pct_start)
    div = read(where, Positive, div_factor=div_factor)
    final = read(where, Positive, final_div_factor=final_div_factor)
    scales = {int(rise * steps): div, int(steps): 1 / (div * final)}
    peak = read(where, NotNegative, peak_value=peak_value)
    return piecewise_interpolate_schedule("cosine", peak / div, scales)


def _scaled(
    where: str, init_value: Any, boundaries_and_scales: Any
) -> tuple[list[float], list[Level]]:
    """The boundaries in order, and the rates from the first on."""
    scales = {} if boundaries_and_scales is None else boundaries_and_scales
    if not isinstance(scales, Mapping):
        raise ScheduleError(
            f"{where}: boundaries_and_scales must be a dict such as {{100: 0.1}}, got {scales!r}."
        )
    pairs = sorted(
        (read(where, NotNegative, boundary=at), read(where, NotNegative, scale=scale))
        for at, scale in scales.items()
    )
    rates = [read(where, NotNegative, init_value=init_value)]
    for _, scale in pairs:
        rates.append(rates[-1] * scale)
    return [tidy(at) for at, _ in pairs], [absolute(where, rate=rate) for rate in rates]
