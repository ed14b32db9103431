"""Composer's times, such as ``"10ep"``, as durations of lrlab's."""

import re
from collections.abc import Sequence

from lrlab.errors import ScheduleError
from lrlab.schedules.durations import read_duration
from lrlab.schedules.numbers import tidy

_TIME = re.compile(r"(\d+\.?\d*|\.\d+)((?:e[-+]?\d+)?)(ep|ba|dur)", re.IGNORECASE)


def duration(time: str) -> float | str:
    """A time of Composer's as a duration of lrlab's."""
    match = _TIME.fullmatch(time.strip()) if isinstance(time, str) and len(time) < 40 else None
    if match is not None:
        number, unit = float(match[1] + match[2]), match[3].lower()
        amount = f"{100 * number if unit == 'dur' else number:.12g}"
        read = read_duration({"ep": f"{amount}ep", "dur": f"{amount}%"}.get(unit, number))
        if read is not None and (unit == "dur" or number.is_integer()):
            return read
    raise ScheduleError(
        'composer: a time must be a text such as "10ep", "20ba" or "0.5dur" (whole epochs, whole '
        f"batches, a share of the training up to 1), got {time!r}."
    )


def durations(times: Sequence[str]) -> list[float | str]:
    """Several times as durations."""
    if isinstance(times, str) or not isinstance(times, Sequence):
        raise ScheduleError(f"composer: milestones must be a list of times, got {times!r}.")
    return [duration(time) for time in times]


def rest(time: str) -> float | str | None:
    """A time as a duration; None for the whole training, which is the rest of it."""
    over = duration(time)
    return None if over == "100%" else over


def lasts(over: float | str) -> bool:
    """Whether a duration is above 0."""
    return _amount(over)[0] > 0


def later(one: float | str, other: float | str) -> float | str:
    """The later of two durations, or the first where their units differ."""
    (a, unit), (b, of_other) = _amount(one), _amount(other)
    return other if unit == of_other and a < b else one


def after(t_warmup: str, t_max: str) -> float | str | None:
    """What the warm-up leaves of ``t_max``; None where that is the rest of the training."""
    end = rest(t_max)
    if end is None:
        return None
    (warmup, unit), (whole, of_end) = _amount(duration(t_warmup)), _amount(end)
    if unit != of_end or whole <= warmup:
        raise ScheduleError(
            'composer: t_max must be "1dur", or longer than t_warmup and in its unit, got '
            f"{t_max!r} and {t_warmup!r}."
        )
    left = tidy(whole - warmup)
    return f"{left:.12g}{unit}" if unit else left


def _amount(over: float | str) -> tuple[float, str]:
    """A duration as a number and its unit."""
    if not isinstance(over, str):
        return float(over), ""
    unit = "%" if over.endswith("%") else "ep"
    return float(over.removesuffix(unit)), unit
