"""Well-known schedules that are compositions (one-cycle, WSD ...): each function returns one.

Texts may call them, but name what they return: ``repr(one_cycle())`` is a sequence of cosines.
Levels are factors of the base rate, which is the peak rate. Invalid arguments raise the
``ScheduleError`` of the part that gets them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from lrlab._checks import to_finite_float
from lrlab.errors import ScheduleError
from lrlab.schedules.combinators import Sequential
from lrlab.schedules.core import Constant, Schedule, register_builder
from lrlab.schedules.decays import InverseSqrt
from lrlab.schedules.fields import Absolute
from lrlab.schedules.ramps import (
    Cooldown,
    Cosine,
    ExponentialWarmup,
    Geometric,
    Linear,
    Warmup,
)

__all__ = [
    "flat_cosine",
    "infinite",
    "noam",
    "one_cycle",
    "range_test",
    "restarts",
    "rsqrt",
    "slanted_triangular",
    "tri_stage",
    "triangular",
    "triangular2",
    "untuned_exponential_warmup",
    "untuned_linear_warmup",
    "wsd",
]

DurationLike = float | str
"""Steps, ``"5ep"`` or ``"10%"``."""

Recipe = TypeVar("Recipe", bound=Callable[..., Schedule])


def register_recipe(gallery_example: str) -> Callable[[Recipe], Recipe]:
    """Let texts call the decorated function, and the gallery draw an example of it."""

    def register(recipe: Recipe) -> Recipe:
        vars(recipe)["gallery_example"] = gallery_example
        return register_builder(recipe)

    return register


@register_recipe("one_cycle()")
def one_cycle(
    rise: DurationLike = "30%",
    fall: DurationLike | None = None,
    *,
    start: float = 0.04,
    end: float = 4e-6,
) -> Schedule:
    """One-cycle: up to the peak and far down, along cosines.

    torch's OneCycleLR is one step ahead, because it reaches its end at the last step
    (``dialects.torch.OneCycleLR``).

    Args:
        rise: duration of the way up.
        fall: duration of the way back to ``start``, which a last phase to ``end`` follows; if
            omitted, there are two phases.
        start, end: the first and last factor; by default torch's, 1/25 and 1e-4 / 25.

    Source: Smith and Topin 2018, arXiv:1708.07120; the cosines are fastai's.

    >>> one_cycle()
    Cosine("30%", start=0.04, end=1.0) >> Cosine(end=4e-06)
    """
    up = Cosine(rise, start=start, end=1.0)
    if fall is None:
        return up >> Cosine(end=end)
    return up >> Cosine(fall, end=start) >> Cosine(start=start, end=end)


@register_recipe("wsd()")
def wsd(
    warmup: DurationLike = "5%",
    stable: DurationLike = "75%",
    *,
    curve: str | float = "sqrt",
    end: float = 0.0,
) -> Schedule:
    """Warm-up, stable, decay (trapezoidal): the cooldown fills the rest of the training.

    Args:
        warmup, stable: durations.
        curve, end: arguments of ``Cooldown``.

    Source: Hu et al. 2024, arXiv:2404.06395; Hägele et al. 2024, arXiv:2405.18392.

    >>> wsd()
    Warmup("5%") >> Constant(1.0, over="75%") >> Cooldown()
    """
    return Warmup(warmup) >> Constant(1.0, over=stable) >> Cooldown(curve=curve, end=end)


@register_recipe("noam(20)")
def noam(warmup: DurationLike) -> Schedule:
    """The Transformer's schedule: a linear warm-up, then one over the square root of the step.

    With the base rate (d * warmup) ** -0.5 this is the paper's
    d**-0.5 * min(n**-0.5, n * warmup**-1.5) at its step n = t + 1, which counts from 1.

    Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 3.

    >>> noam(4000)
    (Warmup(4000, start=0.0) >> InverseSqrt(4000)).shift(-1)
    """
    return (Warmup(warmup, start=0.0) >> InverseSqrt(warmup)).shift(-1)


@register_recipe('rsqrt(10, 20, stable="80%")')
def rsqrt(warmup: DurationLike, tau: DurationLike, *, stable: DurationLike) -> Schedule:
    """big_vision's schedule: a warm-up, an inverse square root, and a line to 0 at the end.

    Args:
        warmup: duration of the warm-up, which starts at 0.
        tau: time scale of the square root, which starts after the warm-up.
        stable: duration before the cooldown, which fills the rest of the training.

    Source: Zhai et al. 2022, arXiv:2106.04560, section 3.5.

    >>> rsqrt(10, 100, stable="80%").bind(total_steps=200)([0, 5, 10, 110, 160, 180, 200]).round(3)
    array([0.   , 0.5  , 1.   , 0.707, 0.632, 0.304, 0.   ])
    """
    ramps = Warmup(warmup, start=0.0) >> InverseSqrt(tau)
    return ramps * (Constant(1.0, over=stable) >> Linear(1.0, 0.0))


@register_recipe("infinite(10, 30, 30)")
def infinite(
    warmup: DurationLike,
    decay: DurationLike,
    stable: DurationLike,
    *,
    level: float = 0.375,
    end: float = 0.01,
) -> Schedule:
    """Warm-up, cosine to a level that may last arbitrarily long, then annealing.

    Args:
        warmup, decay, stable: durations; the annealing fills the rest of the training.
        level, end: the factors of the stable phase and of the end.

    Source: Singh et al. 2025, arXiv:2503.02844.

    >>> infinite(10, 40, 40)
    Warmup(10) >> Cosine(40, end=0.375) >> Constant(0.375, over=40) >> Geometric(0.375, 0.01)
    """
    falling = Warmup(warmup) >> Cosine(decay, end=level)
    return falling >> Constant(level, over=stable) >> Geometric(level, end)


@register_recipe("flat_cosine()")
def flat_cosine(flat: DurationLike = "75%") -> Schedule:
    """A constant rate, then a cosine to 0; fastai's ``fit_flat_cos``.

    >>> flat_cosine()
    Constant(1.0, over="75%") >> Cosine()
    """
    return Constant(1.0, over=flat) >> Cosine()


@register_recipe('tri_stage("10%", "40%")')
def tri_stage(
    warmup: DurationLike, hold: DurationLike, *, start: float = 0.01, end: float = 0.01
) -> Schedule:
    """fairseq's: a line up, a constant, and an exponential way down for the rest of the training.

    Source: Park et al. 2019, arXiv:1904.08779, section 3.2.

    >>> tri_stage("10%", "40%")
    Linear(0.01, 1.0, over="10%") >> Constant(1.0, over="40%") >> Geometric(1.0, 0.01)
    """
    rising = Linear(start, 1.0, over=warmup)
    return rising >> Constant(1.0, over=hold) >> Geometric(1.0, end)


@register_recipe("slanted_triangular()")
def slanted_triangular(rise: DurationLike = "10%", *, ratio: float = 32) -> Schedule:
    """ULMFiT's schedule: a short line up from 1/ratio and a long one back.

    Source: Howard and Ruder 2018, arXiv:1801.06146, eq. 3.

    >>> slanted_triangular()
    Linear(0.03125, 1.0, over="10%") >> Linear(1.0, 0.03125)
    """
    if not (to_finite_float(ratio) or 0) >= 1:
        raise ScheduleError(f"slanted_triangular: ratio must be at least 1, got {ratio!r}.")
    return Linear(1 / ratio, 1.0, over=rise) >> Linear(1.0, 1 / ratio)


@register_recipe("triangular(15)")
def triangular(half: DurationLike, *, low: float = 0.1, decay: float = 1.0) -> Schedule:
    """Cyclical rates: a line up and a line down, repeated.

    Args:
        half: duration of the way up, and of the way down.
        low: the lowest factor.
        decay: height of each triangle above ``low`` divided by that of the one before.

    Source: Smith 2017, arXiv:1506.01186.

    >>> triangular(4)
    (Linear(0.1, 1.0, over=4) >> Linear(1.0, 0.1, over=4)).repeat()
    >>> triangular(4, decay=0.5)
    0.1 + (Linear(0.0, 0.9, over=4) >> Linear(0.9, 0.0, over=4)).repeat(decay=0.5)
    """
    if decay == 1:
        return (Linear(low, 1.0, over=half) >> Linear(1.0, low, over=half)).repeat()
    number = to_finite_float(low)
    if number is None or not 0 <= number <= 1:
        raise ScheduleError(f"triangular: low must be a factor from 0 to 1, got {low!r}.")
    height = 1 - low
    triangle = Linear(0.0, height, over=half) >> Linear(height, 0.0, over=half)
    return low + triangle.repeat(decay=decay)


@register_recipe("triangular2(15)")
def triangular2(half: DurationLike, *, low: float = 0.1) -> Schedule:
    """``triangular`` with half the height after each cycle.

    >>> triangular2(4, low=0.0)
    0.0 + (Linear(0.0, 1.0, over=4) >> Linear(1.0, 0.0, over=4)).repeat(decay=0.5)
    """
    return triangular(half, low=low, decay=0.5)


@register_recipe("range_test(1e-3, 1.0)")
def range_test(low: float, high: float, *, stairs: DurationLike | None = None) -> Schedule:
    """From a low rate to a high one by equal factors, to find the rates at which a model learns.

    Args:
        low, high: absolute rates above 0.
        stairs: the duration of each rate; a new rate at every step if omitted.

    Source: Smith 2017, arXiv:1506.01186, section 3.3; with a straight line instead,
    ``Linear(Absolute(low), Absolute(high))``.

    >>> range_test(1e-6, 1.0)
    Geometric(Absolute(1e-06), Absolute(1.0))
    >>> range_test(1e-6, 1.0, stairs=10).bind(total_steps=100)([0, 9, 10, 50], base=0.1).round(7)
    array([1.e-06, 1.e-06, 4.e-06, 1.e-03])
    """
    ramp = Geometric(Absolute(low), Absolute(high))
    return ramp if stairs is None else ramp.staircase(stairs)


@register_recipe("restarts([20, 30, 50], [1.0, 0.8, 0.6])")
def restarts(periods: Sequence[DurationLike], weights: Sequence[float] | None = None) -> Schedule:
    """Cosines with given periods and heights, one after another.

    Args:
        periods: durations, one or more.
        weights: their heights, factors of the base rate; 1 each if omitted.

    Source: mmengine's CosineRestartLR.

    >>> restarts([10, 20], [1.0, 0.5])
    Cosine(10) >> Cosine(20, start=0.5)
    """
    lengths = _to_list("periods", periods)
    heights = [1.0] * len(lengths) if weights is None else _to_list("weights", weights)
    if not lengths:
        raise ScheduleError("restarts: periods must be one duration or more, got none.")
    if len(heights) != len(lengths):
        raise ScheduleError(
            "restarts: weights must have one entry per period, got "
            f"{len(heights)} for {len(lengths)}."
        )
    cosines = [Cosine(p, start=w) for p, w in zip(lengths, heights, strict=True)]
    return cosines[0] if len(cosines) == 1 else Sequential(tuple(cosines))


def _to_list(name: str, values: Iterable[Any]) -> list[Any]:
    try:
        return list(values)
    except TypeError:
        raise ScheduleError(f"restarts: {name} must be a list, got {values!r}.") from None


@register_recipe("untuned_linear_warmup(0.95)")
def untuned_linear_warmup(beta2: float = 0.999) -> Schedule:
    """Adam's untuned warm-up: a line over 2 / (1 - beta2) steps; for products.

    The number of steps is rounded; pytorch_warmup rounds it down, to 1999 instead of 2000 for Adam.

    Source: Ma and Yarats 2021, arXiv:1910.04209, eq. 6.

    >>> untuned_linear_warmup(0.99)
    Warmup(199)
    """
    return Warmup(max(0, round(2 / _subtract_from_one(beta2)) - 1))


@register_recipe("untuned_exponential_warmup(0.95)")
def untuned_exponential_warmup(beta2: float = 0.999) -> Schedule:
    """Adam's untuned warm-up: 1 - exp(-(t + 1) * (1 - beta2)); for products.

    Source: Ma and Yarats 2021, arXiv:1910.04209, eq. 5.

    >>> untuned_exponential_warmup(0.75)
    ExponentialWarmup(4)
    """
    return ExponentialWarmup(1 / _subtract_from_one(beta2))


def _subtract_from_one(beta2: float) -> float:
    number = to_finite_float(beta2)
    if number is None or not 0 <= number < 1:
        raise ScheduleError(f"beta2 must be from 0 to below 1, got {beta2!r}.")
    return 1 - number
