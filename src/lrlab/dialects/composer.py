"""MosaicML Composer's schedulers, by Composer's names, arguments and defaults.

Times are Composer's texts: ``"10ep"`` is 10 epochs, ``"20ba"`` 20 steps, ``"0.5dur"`` half of the
training and ``"1dur"`` all of it; other units are refused. Rates are factors of the base rate.
``t`` is the number of finished batches, Composer's ``timestamp.batch``. Composer's Trainer
computes the rate before it counts the batch, so it trains batch t at the rate of t - 1;
``.shift(1)`` does the same. ``scale_warmup`` is missing: it matters only with the Trainer's
``scale_schedule_ratio``, for which write ``.stretch(ratio)``.

Intended differences:

- Fractions of the training are rounded to the nearest step; Composer rounds them down. ``t_mult``
  must be at least 1; if it is not whole, neither are the cycles, which Composer rounds down.
- After a ``t_max`` of ``"1dur"`` the last rate holds; Composer's ConstantScheduler goes to 1.
- ``t_max`` may be shorter than the training; Composer's schedulers with a warm-up refuse that. With
  a warm-up it must be ``"1dur"``, or longer than ``t_warmup`` and in the same unit.
- Milestones must be ascending. Those within the warm-up wait for its end, as in Composer, if they
  have its unit; others act within it.
- ``gamma`` and ``power`` must be above 0, and factors 0 or more.

Every function raises ``ScheduleError`` if an argument breaks a rule of the schedule.
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

_TIME_PATTERN = re.compile(r"(\d+\.?\d*|\.\d+)((?:e[-+]?\d+)?)(ep|ba|dur)", re.IGNORECASE)


def StepScheduler(step_size: str, gamma: float = 0.1) -> Schedule:
    """Multiply the rate by ``gamma`` after every ``step_size``.

    >>> StepScheduler("30ep")
    Step("30ep")
    """
    return Step(_parse_time(step_size), gamma)


def MultiStepScheduler(milestones: Sequence[str], gamma: float = 0.1) -> Schedule:
    """Multiply the rate by ``gamma`` at each milestone.

    >>> MultiStepScheduler(["0.5dur", "0.75dur"])
    MultiStep(["50%", "75%"])
    """
    return MultiStep(_parse_times(milestones), gamma)


def ConstantScheduler(alpha: float = 1.0, t_max: str = "1dur") -> Schedule:
    """Multiply the base rate by ``alpha`` until ``t_max``.

    >>> ConstantScheduler(0.5, "10ep")
    Constant(0.5, over="10ep") >> Constant(1.0)
    """
    over = _parse_end(t_max)
    return Constant(alpha) if over is None else Constant(alpha, over=over) >> Constant(1.0)


def LinearScheduler(alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: str = "1dur") -> Schedule:
    """Change the factor linearly from ``alpha_i`` to ``alpha_f``.

    >>> LinearScheduler(t_max="100ba")
    Linear(1.0, 0.0, over=100)
    """
    return Linear(alpha_i, alpha_f, over=_parse_end(t_max))


def ExponentialScheduler(gamma: float, decay_period: str = "1ep") -> Schedule:
    """Multiply the rate by ``gamma`` over every ``decay_period``, smoothly.

    >>> ExponentialScheduler(0.9)
    Exponential(0.9, every="1ep")
    """
    return Exponential(gamma, every=_parse_time(decay_period))


def CosineAnnealingScheduler(t_max: str = "1dur", alpha_f: float = 0.0) -> Schedule:
    """Follow half a cosine to the factor ``alpha_f``.

    >>> CosineAnnealingScheduler(alpha_f=0.1)
    Cosine(end=0.1)
    """
    return Cosine(_parse_end(t_max), end=alpha_f)


def CosineAnnealingWarmRestartsScheduler(
    t_0: str, t_mult: float = 1.0, alpha_f: float = 0.0
) -> Schedule:
    """Repeat half a cosine to the factor ``alpha_f``, each ``t_mult`` times as long as the last.

    >>> CosineAnnealingWarmRestartsScheduler("10ep", t_mult=2)
    Cosine("10ep").repeat(growth=2.0)
    """
    return Cosine(_parse_time(t_0), end=alpha_f).repeat(growth=t_mult)


def PolynomialScheduler(power: float, t_max: str = "1dur", alpha_f: float = 0.0) -> Schedule:
    """Decay to the factor ``alpha_f`` by a power of the remaining time.

    >>> PolynomialScheduler(2, "50ep")
    Polynomial(2.0, over="50ep")
    """
    return Polynomial(power, over=_parse_end(t_max), end=alpha_f)


def MultiStepWithWarmupScheduler(
    t_warmup: str, milestones: Sequence[str], gamma: float = 0.1
) -> Schedule:
    """Warm up from 0 and multiply the rate by ``gamma`` at each milestone, counted from the start.

    >>> MultiStepWithWarmupScheduler("5ep", ["30ep", "60ep"])
    Warmup("5ep", start=0.0) * MultiStep(["30ep", "60ep"])
    """
    warmup = _parse_time(t_warmup)
    stairs = MultiStep([_select_later(at, warmup) for at in _parse_times(milestones)], gamma)
    return Warmup(warmup, start=0.0) * stairs if _is_positive(warmup) else stairs


def ConstantWithWarmupScheduler(t_warmup: str, alpha: float = 1.0, t_max: str = "1dur") -> Schedule:
    """Warm up from 0 to the factor ``alpha`` and stay there, after ``t_max`` too.

    >>> ConstantWithWarmupScheduler("5ep")
    Warmup("5ep", start=0.0) >> Constant(1.0)
    """
    _subtract_warmup(t_warmup, t_max)
    return _add_warmup(t_warmup, Constant(alpha), alpha)


def LinearWithWarmupScheduler(
    t_warmup: str, alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: str = "1dur"
) -> Schedule:
    """Warm up from 0 to the factor ``alpha_i``, then go linearly to ``alpha_f`` at ``t_max``.

    >>> LinearWithWarmupScheduler("5ep", t_max="90ep")
    Warmup("5ep", start=0.0) >> Linear(1.0, 0.0, over="85ep")
    """
    return _add_warmup(
        t_warmup, Linear(alpha_i, alpha_f, over=_subtract_warmup(t_warmup, t_max)), alpha_i
    )


def CosineAnnealingWithWarmupScheduler(
    t_warmup: str, t_max: str = "1dur", alpha_f: float = 0.0
) -> Schedule:
    """Warm up from 0, then follow half a cosine to the factor ``alpha_f`` at ``t_max``.

    >>> CosineAnnealingWithWarmupScheduler("0.1dur")
    Warmup("10%", start=0.0) >> Cosine()
    """
    return _add_warmup(t_warmup, Cosine(_subtract_warmup(t_warmup, t_max), end=alpha_f))


def PolynomialWithWarmupScheduler(
    t_warmup: str, power: float = 2.0, t_max: str = "1dur", alpha_f: float = 0.0
) -> Schedule:
    """Warm up from 0, then decay to ``alpha_f`` at ``t_max`` by a power of the remaining time.

    >>> PolynomialWithWarmupScheduler("100ba")
    Warmup(100, start=0.0) >> Polynomial(2.0)
    """
    return _add_warmup(
        t_warmup, Polynomial(power, over=_subtract_warmup(t_warmup, t_max), end=alpha_f)
    )


def _add_warmup(t_warmup: str, schedule: Schedule, level: float = 1.0) -> Schedule:
    """Put a line from 0 to ``level`` before ``schedule``."""
    over = _parse_time(t_warmup)
    if not _is_positive(over):
        return schedule
    if level == 1:
        return Warmup(over, start=0.0) >> schedule
    return Linear(0.0, level, over=over) >> schedule


def _subtract_warmup(t_warmup: str, t_max: str) -> float | str | None:
    """Return the duration from the warm-up to ``t_max``; None for the rest of the training."""
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
    """Parse a time as a duration; None for the rest of the training."""
    over = _parse_time(time_text)
    return None if over == "100%" else over


def _parse_times(time_texts: Sequence[str]) -> list[float | str]:
    """Parse several times as durations."""
    if isinstance(time_texts, str) or not isinstance(time_texts, Sequence):
        raise ScheduleError(f"composer: milestones must be a list of times, got {time_texts!r}.")
    return [_parse_time(time_text) for time_text in time_texts]


def _parse_time(time_text: str) -> float | str:
    """Convert Composer's text of a time to a duration."""
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
        f"batches, a fraction of the training up to 1), got {time_text!r}."
    )


def _is_positive(duration: float | str) -> bool:
    """Whether a duration is above 0."""
    return _split_unit(duration)[0] > 0


def _select_later(first: float | str, second: float | str) -> float | str:
    """Return the later of two durations, or the first if their units differ."""
    (a, unit), (b, second_unit) = _split_unit(first), _split_unit(second)
    return second if unit == second_unit and a < b else first


def _split_unit(duration: float | str) -> tuple[float, str]:
    """Split a duration into its number and unit."""
    if not isinstance(duration, str):
        return float(duration), ""
    unit = "%" if duration.endswith("%") else "ep"
    return float(duration.removesuffix(unit)), unit
