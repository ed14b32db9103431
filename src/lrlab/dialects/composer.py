"""MosaicML Composer's schedulers, by Composer's names, arguments and defaults.

A time is Composer's text: ``"10ep"`` is 10 epochs, ``"20ba"`` 20 steps, ``"0.5dur"`` half of the
training, ``"1dur"`` all of it; other units are no durations here. Rates are factors of the base
rate. ``t`` is the number of batches behind, Composer's ``timestamp.batch``, and the rate at t is
that of Composer's formula there. Composer's Trainer works the rate out before it counts the batch,
so that it trains batch t at the rate of t - 1; ``.shift(1)`` does the same. ``scale_warmup`` is
missing, because it matters only with the Trainer's ``scale_schedule_ratio``, which is
``.stretch(ratio)``.

Where they differ on purpose:

- Shares of the training are rounded to the nearest step; Composer cuts them. A ``t_mult`` must be 1
  or more, and one that is not whole makes cycles of such lengths, which Composer cuts.
- After a ``t_max`` of ``"1dur"`` the last rate holds; Composer's ConstantScheduler then goes to 1.
- A ``t_max`` that is shorter than the training is taken; Composer's schedulers with a warm-up
  refuse it. Theirs must be ``"1dur"`` or have the unit of ``t_warmup``, and be longer.
- Milestones must be ascending. Those within the warm-up wait for its end as in Composer, if their
  units are alike; others act within it.
- ``gamma`` and ``power`` must be above 0, and factors 0 or more.

Every function raises ``ScheduleError`` where an argument is out of its domain.
"""

import re
from collections.abc import Sequence

from lrlab._checks import to_int_if_whole
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    MultiStep,
    Polynomial,
    Schedule,
    Step,
    Warmup,
)
from lrlab.schedules.durations import convert_duration

__all__ = [
    "ConstantScheduler",
    "ConstantWithWarmupScheduler",
    "CosineAnnealingScheduler",
    "CosineAnnealingWarmRestartsScheduler",
    "CosineAnnealingWithWarmupScheduler",
    "ExponentialScheduler",
    "LinearScheduler",
    "LinearWithWarmupScheduler",
    "MultiStepScheduler",
    "MultiStepWithWarmupScheduler",
    "PolynomialScheduler",
    "PolynomialWithWarmupScheduler",
    "StepScheduler",
]


def StepScheduler(step_size: str, gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` after every ``step_size``.

    >>> StepScheduler("30ep")
    Step("30ep")
    """
    return Step(_parse_time(step_size), gamma)


def MultiStepScheduler(milestones: Sequence[str], gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` at each milestone.

    >>> MultiStepScheduler(["0.5dur", "0.75dur"])
    MultiStep(["50%", "75%"])
    """
    return MultiStep(_parse_times(milestones), gamma)


def ConstantScheduler(alpha: float = 1.0, t_max: str = "1dur") -> Schedule:
    """The factor ``alpha`` until ``t_max``, then the base rate.

    >>> ConstantScheduler(0.5, "10ep")
    Constant(0.5, over="10ep") >> Constant(1.0)
    """
    over = _parse_end(t_max)
    return Constant(alpha) if over is None else Constant(alpha, over=over) >> Constant(1.0)


def LinearScheduler(alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: str = "1dur") -> Schedule:
    """A line between two factors.

    >>> LinearScheduler(t_max="100ba")
    Linear(1.0, 0.0, over=100)
    """
    return Linear(alpha_i, alpha_f, over=_parse_end(t_max))


def ExponentialScheduler(gamma: float, decay_period: str = "1ep") -> Schedule:
    """Multiplied by ``gamma`` over every ``decay_period``.

    >>> ExponentialScheduler(0.9)
    Exponential(0.9, every="1ep")
    """
    return Exponential(gamma, every=_parse_time(decay_period))


def CosineAnnealingScheduler(t_max: str = "1dur", alpha_f: float = 0.0) -> Schedule:
    """Half a cosine to a factor.

    >>> CosineAnnealingScheduler(alpha_f=0.1)
    Cosine(end=0.1)
    """
    return Cosine(_parse_end(t_max), end=alpha_f)


def CosineAnnealingWarmRestartsScheduler(
    t_0: str, t_mult: float = 1.0, alpha_f: float = 0.0
) -> Schedule:
    """Half a cosine to a factor again and again, each time ``t_mult`` times as long.

    >>> CosineAnnealingWarmRestartsScheduler("10ep", t_mult=2)
    Cosine("10ep").repeat(growth=2.0)
    """
    return Cosine(_parse_time(t_0), end=alpha_f).repeat(growth=t_mult)


def PolynomialScheduler(power: float, t_max: str = "1dur", alpha_f: float = 0.0) -> Schedule:
    """A power of the time that is left, to a factor.

    >>> PolynomialScheduler(2, "50ep")
    Polynomial(2.0, over="50ep")
    """
    return Polynomial(power, over=_parse_end(t_max), end=alpha_f)


def MultiStepWithWarmupScheduler(
    t_warmup: str, milestones: Sequence[str], gamma: float = 0.1
) -> Schedule:
    """A warm-up from 0, then multiplied by ``gamma`` at each milestone, counted from the start.

    >>> MultiStepWithWarmupScheduler("5ep", ["30ep", "60ep"])
    Warmup("5ep", start=0.0) * MultiStep(["30ep", "60ep"])
    """
    warmup = _parse_time(t_warmup)
    stairs = MultiStep([_select_later(at, warmup) for at in _parse_times(milestones)], gamma)
    return Warmup(warmup, start=0.0) * stairs if _is_positive(warmup) else stairs


def ConstantWithWarmupScheduler(t_warmup: str, alpha: float = 1.0, t_max: str = "1dur") -> Schedule:
    """A line from 0 to the factor ``alpha``, which holds, after ``t_max`` too.

    >>> ConstantWithWarmupScheduler("5ep")
    Warmup("5ep", start=0.0) >> Constant(1.0)
    """
    _subtract_warmup(t_warmup, t_max)
    return _add_warmup(t_warmup, Constant(alpha), alpha)


def LinearWithWarmupScheduler(
    t_warmup: str, alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: str = "1dur"
) -> Schedule:
    """A line from 0 to the factor ``alpha_i``, then one to ``alpha_f`` at ``t_max``.

    >>> LinearWithWarmupScheduler("5ep", t_max="90ep")
    Warmup("5ep", start=0.0) >> Linear(1.0, 0.0, over="85ep")
    """
    return _add_warmup(
        t_warmup, Linear(alpha_i, alpha_f, over=_subtract_warmup(t_warmup, t_max)), alpha_i
    )


def CosineAnnealingWithWarmupScheduler(
    t_warmup: str, t_max: str = "1dur", alpha_f: float = 0.0
) -> Schedule:
    """A warm-up from 0, then half a cosine to the factor ``alpha_f`` at ``t_max``.

    >>> CosineAnnealingWithWarmupScheduler("0.1dur")
    Warmup("10%", start=0.0) >> Cosine()
    """
    return _add_warmup(t_warmup, Cosine(_subtract_warmup(t_warmup, t_max), end=alpha_f))


def PolynomialWithWarmupScheduler(
    t_warmup: str, power: float = 2.0, t_max: str = "1dur", alpha_f: float = 0.0
) -> Schedule:
    """A warm-up from 0, then a power of the time that is left until ``t_max``, to a factor.

    >>> PolynomialWithWarmupScheduler("100ba")
    Warmup(100, start=0.0) >> Polynomial(2.0)
    """
    return _add_warmup(
        t_warmup, Polynomial(power, over=_subtract_warmup(t_warmup, t_max), end=alpha_f)
    )


def _add_warmup(t_warmup: str, schedule: Schedule, level: float = 1.0) -> Schedule:
    """``schedule`` after a line from 0 to ``level``."""
    over = _parse_time(t_warmup)
    if not _is_positive(over):
        return schedule
    if level == 1:
        return Warmup(over, start=0.0) >> schedule
    return Linear(0.0, level, over=over) >> schedule


def _subtract_warmup(t_warmup: str, t_max: str) -> float | str | None:
    """What the warm-up leaves of ``t_max``; None where that is the rest of the training."""
    end = _parse_end(t_max)
    if end is None:
        return None
    (warmup, unit), (total, end_unit) = _split_unit(_parse_time(t_warmup)), _split_unit(end)
    if unit != end_unit or total <= warmup:
        raise ScheduleError(
            'composer: t_max must be "1dur", or longer than t_warmup and in its unit, got '
            f"{t_max!r} and {t_warmup!r}."
        )
    remaining = to_int_if_whole(total - warmup)
    return f"{remaining:.12g}{unit}" if unit else remaining


def _parse_end(time_text: str) -> float | str | None:
    """A time as a duration; None for the whole training, which is the rest of it."""
    over = _parse_time(time_text)
    return None if over == "100%" else over


def _parse_times(time_texts: Sequence[str]) -> list[float | str]:
    """Several times as durations."""
    if isinstance(time_texts, str) or not isinstance(time_texts, Sequence):
        raise ScheduleError(f"composer: milestones must be a list of times, got {time_texts!r}.")
    return [_parse_time(time_text) for time_text in time_texts]


def _parse_time(time_text: str) -> float | str:
    """A time of Composer's as a duration of lrlab's."""
    match = (
        _TIME_PATTERN.fullmatch(time_text.strip())
        if isinstance(time_text, str) and len(time_text) < 40
        else None
    )
    if match is not None:
        number, unit = float(match[1] + match[2]), match[3].lower()
        amount = f"{100 * number if unit == 'dur' else number:.12g}"
        parsed = convert_duration({"ep": f"{amount}ep", "dur": f"{amount}%"}.get(unit, number))
        if parsed is not None and (unit == "dur" or number.is_integer()):
            return parsed
    raise ScheduleError(
        'composer: a time must be a text such as "10ep", "20ba" or "0.5dur" (whole epochs, whole '
        f"batches, a share of the training up to 1), got {time_text!r}."
    )


_TIME_PATTERN = re.compile(r"(\d+\.?\d*|\.\d+)((?:e[-+]?\d+)?)(ep|ba|dur)", re.IGNORECASE)


def _is_positive(duration: float | str) -> bool:
    """Whether a duration is above 0."""
    return _split_unit(duration)[0] > 0


def _select_later(first: float | str, second: float | str) -> float | str:
    """The later of two durations, or the first where their units differ."""
    (a, unit), (b, second_unit) = _split_unit(first), _split_unit(second)
    return second if unit == second_unit and a < b else first


def _split_unit(duration: float | str) -> tuple[float, str]:
    """A duration as a number and its unit."""
    if not isinstance(duration, str):
        return float(duration), ""
    unit = "%" if duration.endswith("%") else "ep"
    return float(duration.removesuffix(unit)), unit
