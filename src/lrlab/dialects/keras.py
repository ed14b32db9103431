"""keras.optimizers.schedules and the ReduceLROnPlateau callback, by Keras' names and defaults.

Rates are absolute. The value at t is the rate of the update at which the optimizer's
``iterations`` is t, from 0 on; a boundary at b acts at t = b + 1, one step later than torch's.
``name`` and ``verbose`` are left out; the parameters after them are keyword-only here. Keras itself
is not imported.

Intended differences:

- Keras computes in float32 by default; these are float64.
- ``power``, ``decay_rate`` and ``m_mul`` must be above 0, and ``t_mul`` 1 or more: other values
  give a constant, 0 or NaN. ``alpha`` of ``CosineDecayRestarts`` must be at most 1.
- For ``ReduceLROnPlateau`` NaN is a bad metric; in Keras, a NaN that comes first counts as the best
  metric, and nothing improves on it.
- ``CosineDecayRestarts`` restarts at every multiple of its period; Keras' logarithm misses some by
  rounding, and stays at the end for that one step.
- ``mode="auto"`` of ``ReduceLROnPlateau`` infers the direction from the metric's name alone.

Every function raises ``ScheduleError`` if an argument breaks a rule of the schedule.
"""

from collections.abc import Sequence
from math import floor

from lrlab.dialects.arguments import Fraction, check_absolute, check_argument, check_choice
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    Linear,
    PiecewiseConstant,
    Plateau,
    Polynomial,
    PolynomialCycle,
    Schedule,
    Step,
)
from lrlab.schedules.fields import (
    AtLeastOne,
    Milestones,
    NonNegative,
    NonNegativeInteger,
    Number,
    Period,
    Positive,
)

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "ReduceLROnPlateau",
]


def ExponentialDecay(
    initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False
) -> Schedule:
    """Multiply the rate by ``decay_rate`` (above 0) every ``decay_steps``.

    >>> ExponentialDecay(0.1, 1000, 0.96)
    Constant(Absolute(0.1)) * Exponential(0.96, every=1000)
    >>> ExponentialDecay(0.1, 1000, 0.96, staircase=True)
    Constant(Absolute(0.1)) * Step(1000, 0.96)
    """
    func_name = "ExponentialDecay"
    every = check_argument(func_name, Period, decay_steps=decay_steps)
    factor = check_argument(func_name, Positive, decay_rate=decay_rate)
    decay = Step(every, factor) if staircase else Exponential(factor, every=every)
    return Constant(check_absolute(func_name, initial_learning_rate=initial_learning_rate)) * decay


def PiecewiseConstantDecay(boundaries: Sequence[int], values: Sequence[float]) -> Schedule:
    """Take one rate up to and including each boundary, and the last one after that.

    >>> PiecewiseConstantDecay([100, 110], [1.0, 0.5, 0.1])
    PiecewiseConstant([101, 111], [Absolute(1.0), Absolute(0.5), Absolute(0.1)])
    """
    func_name = "PiecewiseConstantDecay"
    at = check_argument(func_name, Milestones, boundaries=boundaries)
    if any(isinstance(boundary, str) for boundary in at):
        raise ScheduleError(
            f"{func_name}: boundaries must be numbers of steps, got {boundaries!r}."
        )
    if not isinstance(values, Sequence):
        raise ScheduleError(f"{func_name}: values must be a list of rates, got {values!r}.")
    # Keras compares whole steps, so a boundary at 2.5 acts like one at 2.
    levels = [check_absolute(func_name, values=rate) for rate in values]
    return PiecewiseConstant([floor(boundary) + 1 for boundary in at], levels)


def PolynomialDecay(
    initial_learning_rate: float,
    decay_steps: float,
    end_learning_rate: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
) -> Schedule:
    """Compute ``end + (initial - end) * (1 - t / decay_steps)**power``.

    With ``cycle``, ``decay_steps`` grows to its first multiple that is t or more.

    >>> PolynomialDecay(0.1, 100)
    Polynomial(1.0, over=100, start=Absolute(0.1), end=Absolute(0.0001))
    >>> PolynomialDecay(0.1, 100, cycle=True)
    PolynomialCycle(1.0, period=100, start=Absolute(0.1), end=Absolute(0.0001))
    """
    func_name = "PolynomialDecay"
    steps = check_argument(func_name, Period, decay_steps=decay_steps)
    start = check_absolute(func_name, initial_learning_rate=initial_learning_rate)
    end = check_absolute(func_name, end_learning_rate=end_learning_rate)
    if cycle:
        return PolynomialCycle(power, period=steps, start=start, end=end)
    return Polynomial(power, over=steps, start=start, end=end)


def InverseTimeDecay(
    initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False
) -> Schedule:
    """Compute ``initial / (1 + decay_rate * t / decay_steps)``.

    With ``staircase``, ``t / decay_steps`` is rounded down.

    >>> InverseTimeDecay(0.1, 100, 0.5, staircase=True)
    Constant(Absolute(0.1)) * InverseTime(0.5, every=100).staircase(100)
    """
    func_name = "InverseTimeDecay"
    every = check_argument(func_name, Period, decay_steps=decay_steps)
    alpha = check_argument(func_name, Positive, decay_rate=decay_rate)
    decay: Schedule = InverseTime(alpha, every=every)
    stairs = decay.staircase(every) if staircase else decay
    return Constant(check_absolute(func_name, initial_learning_rate=initial_learning_rate)) * stairs


def CosineDecay(
    initial_learning_rate: float,
    decay_steps: float,
    alpha: float = 0.0,
    *,
    warmup_target: float | None = None,
    warmup_steps: float = 0,
) -> Schedule:
    """Follow half a cosine from the initial rate down to ``alpha`` times that.

    With a ``warmup_target``, a line leads to that rate first, and the cosine starts there.

    >>> CosineDecay(0.1, 90)
    Cosine(90, start=Absolute(0.1))
    >>> CosineDecay(0.0, 90, warmup_target=0.1, warmup_steps=10)
    Linear(0.0, Absolute(0.1), over=10) >> Cosine(90, start=Absolute(0.1))
    """
    func_name = "CosineDecay"
    steps = check_argument(func_name, Period, decay_steps=decay_steps)
    fraction = check_argument(func_name, NonNegative, alpha=alpha)
    initial = check_argument(func_name, NonNegative, initial_learning_rate=initial_learning_rate)
    peak = initial if warmup_target is None else warmup_target
    peak = check_argument(func_name, NonNegative, warmup_target=peak)
    decay = Cosine(
        steps,
        start=check_absolute(func_name, warmup_target=peak),
        end=check_absolute(func_name, alpha=fraction * peak),
    )
    if warmup_target is None:
        return decay
    warmup = Linear(
        check_absolute(func_name, initial_learning_rate=initial),
        check_absolute(func_name, warmup_target=peak),
        over=warmup_steps,
    )
    return warmup >> decay if warmup.over else decay


def CosineDecayRestarts(
    initial_learning_rate: float,
    first_decay_steps: float,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
) -> Schedule:
    """Repeat half a cosine to ``alpha * initial``, each ``t_mul`` times as long as the last.

    The height of each above its end is ``m_mul`` times that of the last.

    >>> CosineDecayRestarts(0.1, 100)
    Cosine(100, start=Absolute(0.1)).repeat(growth=2.0)
    >>> CosineDecayRestarts(0.5, 100, m_mul=0.9, alpha=0.5)
    Constant(Absolute(0.25)) + Cosine(100, start=Absolute(0.25)).repeat(growth=2.0, decay=0.9)
    """
    func_name = "CosineDecayRestarts"
    steps = check_argument(func_name, Period, first_decay_steps=first_decay_steps)
    initial = check_argument(func_name, NonNegative, initial_learning_rate=initial_learning_rate)
    fraction = check_argument(func_name, Fraction, alpha=alpha)
    growth = check_argument(func_name, AtLeastOne, t_mul=t_mul)
    lowest = check_absolute(func_name, alpha=fraction * initial)
    height_factor = check_argument(func_name, Positive, m_mul=m_mul)
    if height_factor == 1:
        return Cosine(
            steps, start=check_absolute(func_name, initial_learning_rate=initial), end=lowest
        ).repeat(growth=growth)
    # m_mul multiplies the height above the end.
    height = Cosine(steps, start=check_absolute(func_name, alpha=(1 - fraction) * initial))
    falling = height.repeat(growth=growth, decay=height_factor)
    return Constant(lowest) + falling if lowest else falling


def ReduceLROnPlateau(
    monitor: str = "val_loss",
    factor: float = 0.1,
    patience: int = 10,
    *,
    mode: str = "auto",
    min_delta: float = 1e-4,
    cooldown: int = 0,
    min_lr: float = 0.0,
) -> Schedule:
    """Multiply the rate by ``factor`` at the ``patience``-th metric in a row without improvement.

    An improvement must be more than ``min_delta``. The last metric of Keras' cooldown counts again,
    so a cooldown of 1 has no effect. ``min_lr`` is an absolute rate.

    >>> ReduceLROnPlateau(factor=0.2, patience=5, cooldown=3, min_lr=0.001).patience
    5
    """
    func_name = "ReduceLROnPlateau"
    difference = abs(check_argument(func_name, Number, min_delta=min_delta))
    return Plateau(
        factor,
        patience=patience,
        mode=_infer_mode(monitor, check_choice(func_name, "auto", "min", "max", mode=mode)),
        threshold=difference,
        threshold_mode="abs",
        cooldown=max(0, check_argument(func_name, NonNegativeInteger, cooldown=cooldown) - 1),
        low=check_absolute(func_name, min_lr=min_lr),
        at_patience=True,
    )


_MINIMIZED_SUFFIXES = ("loss", "error", "crossentropy", "hinge")

_MAXIMIZED_SUFFIXES = ("accuracy", "acc", "auc", "precision", "recall", "score", "iou")


def _infer_mode(monitor: str, mode: str) -> str:
    """Infer from a metric's name whether lower or higher values are better."""
    name = monitor.lower() if isinstance(monitor, str) else ""
    if mode != "auto":
        return mode
    for inferred_mode, suffixes in (("min", _MINIMIZED_SUFFIXES), ("max", _MAXIMIZED_SUFFIXES)):
        if name.endswith(suffixes):
            return inferred_mode
    raise ScheduleError(
        "ReduceLROnPlateau: monitor must be a name that shows the metric's direction, such as "
        f'"val_loss" or "accuracy", got {monitor!r}; give mode="min" or mode="max".'
    )
