"""Paddle's one-cycle and cyclic schedulers."""

from collections.abc import Callable

from lrlab.dialects.arguments import Fraction, absolute, one_of, read
from lrlab.dialects.parts import RAMPS
from lrlab.dialects.waves import WAVES, of_function
from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule
from lrlab.schedules.parameters import NotNegative, Positive


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
    Cosine(5, start=Rate(0.1), end=Rate(0.5)) >> Cosine(14, start=Rate(0.5), end=Rate(0.0001))
    """
    where = "OneCycleLR"
    peak = read(where, NotNegative, max_learning_rate=max_learning_rate)
    steps = read(where, Positive, total_steps=total_steps)
    low = peak / read(where, Positive, divide_factor=divide_factor)
    rise = read(where, Fraction, phase_pct=phase_pct) * steps - 1
    most = steps / 2 if three_phase else steps
    if not 0 < rise < most - 1:
        raise ScheduleError(
            f"{where}: phase_pct must give the first phase more than 1 and fewer than {most:g} "
            f"steps, got {phase_pct!r} of {total_steps!r}."
        )
    ramp = RAMPS[one_of(where, *RAMPS, anneal_strategy=anneal_strategy)]
    first, high = absolute(where, divide_factor=low), absolute(where, max_learning_rate=peak)
    end = absolute(where, end_learning_rate=end_learning_rate)
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
    (Linear(Rate(0.125), Rate(0.5), over=4) >> Linear(Rate(0.5), Rate(0.125), over=4)).repeat()
    >>> CyclicLR(0.0, 0.5, 4, mode="triangular2")
    (Linear(0.0, Rate(0.5), over=4) >> Linear(Rate(0.5), 0.0, over=4)).repeat(decay=0.5)
    """
    where = "CyclicLR"
    low = read(where, NotNegative, base_learning_rate=base_learning_rate)
    high = read(where, NotNegative, max_learning_rate=max_learning_rate)
    if high < low:
        raise ScheduleError(
            f"{where}: max_learning_rate must be at least base_learning_rate, got "
            f"{max_learning_rate!r} and {base_learning_rate!r}."
        )
    up = read(where, Positive, step_size_up=step_size_up)
    down = up if step_size_down is None else read(where, Positive, step_size_down=step_size_down)
    one_of(where, "cycle", "iterations", scale_mode=scale_mode)
    wave = WAVES[one_of(where, *WAVES, mode=mode)](up, down, exp_gamma)
    if scale_fn is not None:
        wave = of_function(where, up, down, scale_fn, scale_mode)
    return wave(low, high)
