"""Composer's times, such as ``"10ep"``, as durations of lrlab's."""

import re
from collections.abc import Sequence

from lrlab.errors import ScheduleError
from lrlab.schedules.durations import convert_duration
from lrlab.schedules.numbers import to_int_if_whole

_TIME_PATTERN = re.compile(r"(\d+\.?\d*|\.\d+)((?:e[-+]?\d+)?)(ep|ba|dur)", re.IGNORECASE)


def _parse_time(time_text: str) -> float | str:
    """A time of Composer's as a duration of lrlab's."""
    match = _TIME_PATTERN.fullmatch(time_text.strip()) if isinstance(time_text, str) and len(time_text) < 40 else None
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


def _parse_times(time_texts: Sequence[str]) -> list[float | str]:
    """Several times as durations."""
    if isinstance(time_texts, str) or not isinstance(time_texts, Sequence):
        raise ScheduleError(f"composer: milestones must be a list of times, got {time_texts!r}.")
    return [_parse_time(time_text) for time_text in time_texts]


def _parse_end(time_text: str) -> float | str | None:
    """A time as a duration; None for the whole training, which is the rest of it."""
    over = _parse_time(time_text)
    return None if over == "100%" else over


def _is_positive(duration: float | str) -> bool:
    """Whether a duration is above 0."""
    return _split_unit(duration)[0] > 0


def _select_later(first: float | str, second: float | str) -> float | str:
    """The later of two durations, or the first where their units differ."""
    (a, unit), (b, second_unit) = _split_unit(first), _split_unit(second)
    return second if unit == second_unit and a < b else first


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


def _split_unit(duration: float | str) -> tuple[float, str]:
    """A duration as a number and its unit."""
    if not isinstance(duration, str):
        return float(duration), ""
    unit = "%" if duration.endswith("%") else "ep"
    return float(duration.removesuffix(unit)), unit
