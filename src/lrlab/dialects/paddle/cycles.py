"""Paddle's one-cycle and cyclic schedulers."""

from collections.abc import Callable

from lrlab.dialects.arguments import Fraction, check_absolute, check_choice, check_argument
from lrlab.dialects.parts import ANNEAL_RAMPS
from lrlab.dialects.waves import TRIANGLES_BY_MODE, build_function_scaled_triangles
from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule
from lrlab.schedules.parameters import NonNegative, Positive


def OneCycleLR(
    max_learning_rate: float,
    total_steps: int,
    divide_factor: float = 25.0,
    end_learning_rate: float = 0.0001,
    phase_pct: float = 0.3,
    anneal_strategy: str = "cos",
    three_phase: bool = False,
) -> Schedule:
    """Up to the peak and down to ``end_learning_rate``, reached at ``total_steps - 1``.

    With ``three_phase``, back to the first rate in between. The first phase ends one step before
    ``phase_pct`` of all.

    >>> OneCycleLR(0.5, 20, divide_factor=5.0)
    Cosine(5, start=Absolute(0.1), end=Absolute(0.5)) >> Cosine(14, start=Absolute(0.5), end=Absolute(0.0001))
    """
    func_name = "OneCycleLR"
    peak = check_argument(func_name, NonNegative, max_learning_rate=max_learning_rate)
    steps = check_argument(func_name, Positive, total_steps=total_steps)
    low = peak / check_argument(func_name, Positive, divide_factor=divide_factor)
    rise = check_argument(func_name, Fraction, phase_pct=phase_pct) * steps - 1
    max_rise = steps / 2 if three_phase else steps
    if not 0 < rise < max_rise - 1:
        raise ScheduleError(
            f"{func_name}: phase_pct must give the first phase more than 1 and fewer than {max_rise:g} "
            f"steps, got {phase_pct!r} of {total_steps!r}."
        )
    ramp = ANNEAL_RAMPS[check_choice(func_name, *ANNEAL_RAMPS, anneal_strategy=anneal_strategy)]
    first, high = check_absolute(func_name, divide_factor=low), check_absolute(func_name, max_learning_rate=peak)
    end = check_absolute(func_name, end_learning_rate=end_learning_rate)
    up = ramp(first, high, rise)
    if three_phase:
        return up >> ramp(high, first, rise) >> ramp(first, end, steps - 1 - 2 * rise)
    return up >> ramp(high, end, steps - 1 - rise)


def CyclicLR(
    base_learning_rate: float,
    max_learning_rate: float,
    step_size_up: int,
    step_size_down: int | None = None,
    mode: str = "triangular",
    exp_gamma: float = 1.0,
    scale_fn: Callable[[float], float] | None = None,
    scale_mode: str = "cycle",
) -> Schedule:
    """A line up and a line down, again and again; ``mode`` or ``scale_fn`` scales their height.

    ``scale_fn`` is given the number of the cycle, from 1, or with ``scale_mode="iterations"`` t.

    >>> CyclicLR(0.125, 0.5, 4)
    (Linear(Absolute(0.125), Absolute(0.5), over=4) >> Linear(Absolute(0.5), Absolute(0.125), over=4)).repeat()
    >>> CyclicLR(0.0, 0.5, 4, mode="triangular2")
    (Linear(0.0, Absolute(0.5), over=4) >> Linear(Absolute(0.5), 0.0, over=4)).repeat(decay=0.5)
    """
    func_name = "CyclicLR"
    low = check_argument(func_name, NonNegative, base_learning_rate=base_learning_rate)
    high = check_argument(func_name, NonNegative, max_learning_rate=max_learning_rate)
    if high < low:
        raise ScheduleError(
            f"{func_name}: max_learning_rate must be at least base_learning_rate, got "
            f"{max_learning_rate!r} and {base_learning_rate!r}."
        )
    up = check_argument(func_name, Positive, step_size_up=step_size_up)
    down = up if step_size_down is None else check_argument(func_name, Positive, step_size_down=step_size_down)
    check_choice(func_name, "cycle", "iterations", scale_mode=scale_mode)
    build_triangles = TRIANGLES_BY_MODE[check_choice(func_name, *TRIANGLES_BY_MODE, mode=mode)](up, down, exp_gamma)
    if scale_fn is not None:
        build_triangles = build_function_scaled_triangles(func_name, up, down, scale_fn, scale_mode)
    return build_triangles(low, high)
