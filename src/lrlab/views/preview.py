"""The data behind every view of schedules: their rates, numbers, parts, and the steps to draw."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrlab._checks import to_finite_float
from lrlab.errors import ScheduleError, ViewError, pluralize
from lrlab.schedules import Affine, Clip, Continued, Product, Schedule, Sequential, Sum, Until
from lrlab.schedules.core import Array
from lrlab.schedules.durations import Horizon

MAX_STEPS = 10_000_000
MAX_LINES = 35
_DEFAULT_LR = 0.1
_MAX_RATE = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class RateSummary:
    """The numbers of one schedule over all its steps, drawn or not.

    Args:
        first: the rate of step 0.
        peak: the highest rate, and ``peak_step`` the first step that has it.
        last: the last rate used, that of step N - 1.
        area: the sum of all rates.
        mean: the area divided by N.
        jump: the largest change from one step to the next, with its sign, and ``jump_step`` the
            first step with the new rate; None for a constant.
    """

    first: float
    peak: float
    peak_step: int
    last: float
    area: float
    mean: float
    jump: float | None
    jump_step: int | None


@dataclass(frozen=True)
class Part:
    """A part of a sequence, and the first step at which it gives the rate."""

    start_step: int
    schedule: Schedule


@dataclass(frozen=True, eq=False)
class Line:
    """One bound schedule with label, rates of shape (steps,), numbers and parts."""

    label: str
    schedule: Schedule
    rates: Array
    summary: RateSummary
    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Preview:
    """Several schedules over the same steps.

    Args:
        lines: one for each schedule.
        total_steps: number of steps N, t = 0 ... N - 1.
        base: the base rate; 1 if factors are shown.
        is_relative: whether the rates are factors of the base rate.
        steps_per_epoch: steps per epoch, if known.
    """

    lines: tuple[Line, ...]
    total_steps: int
    base: float
    is_relative: bool
    steps_per_epoch: float | None

    @property
    def title(self) -> str:
        """How many schedules and steps are shown, and at which base rate."""
        rates = "factors of the base rate" if self.is_relative else f"base rate {self.base:g}"
        counts = pluralize(len(self.lines), "schedule"), pluralize(self.total_steps, "step")
        return " · ".join((*counts, rates))

    @property
    def unit(self) -> str:
        """The label of the axis of rates."""
        return "rate, as a factor of the base rate" if self.is_relative else "rate"


def compute_preview(
    schedules: Mapping[str, Schedule],
    total_steps: float | None = None,
    base: float | None = None,
    steps_per_epoch: float | None = None,
) -> Preview:
    """Compute the rates and numbers of ``schedules``.

    Args:
        schedules: 1 to 35 schedules by their labels.
        total_steps: number of steps; by default until the longest schedule ends, if all do.
        base: the base rate; by default factors of it are shown, or rates at base 0.1 if a level is
            ``Absolute``.
        steps_per_epoch: needed if a duration counts epochs.

    Raises:
        ViewError: there are no schedules or too many, ``total_steps`` or ``steps_per_epoch`` is
            missing, or a rate exceeds float32.
        ScheduleError: a schedule cannot be bound or evaluated.

    >>> from lrlab import Cosine, Warmup
    >>> compute_preview({"mine": Warmup(5) >> Cosine(45)}).lines[0].summary.peak_step
    5
    """
    if not 1 <= len(schedules) <= MAX_LINES:
        raise ViewError(f"between 1 and {MAX_LINES} schedules can be shown, got {len(schedules)}.")
    for schedule in schedules.values():
        _require_steps_per_epoch(schedule, steps_per_epoch)
    checked_total_steps = _check_total_steps(
        _find_longest_end(schedules.values(), steps_per_epoch)
        if total_steps is None
        else total_steps
    )
    is_relative = all(schedule.is_relative for schedule in schedules.values())
    base_rate = (1.0 if is_relative else _DEFAULT_LR) if base is None else base
    lines = tuple(
        _make_line(
            label,
            schedule.bind(total_steps=checked_total_steps, steps_per_epoch=steps_per_epoch),
            checked_total_steps,
            base_rate,
        )
        for label, schedule in schedules.items()
    )
    return Preview(
        lines, checked_total_steps, float(base_rate), is_relative and base is None, steps_per_epoch
    )


def label_schedules(
    schedules: "Schedule | Iterable[Schedule] | Mapping[str, Schedule]",
) -> dict[str, Schedule]:
    """Return one schedule or several by their labels, which are their texts by default.

    Raises:
        ViewError: one of them is not a schedule.
    """
    if isinstance(schedules, Mapping):
        labeled_schedules = [(str(label), schedule) for label, schedule in schedules.items()]
    elif isinstance(schedules, Schedule):
        labeled_schedules = [(repr(schedules), schedules)]
    elif isinstance(schedules, Iterable) and not isinstance(schedules, str):
        labeled_schedules = [(repr(schedule), schedule) for schedule in schedules]
    else:
        labeled_schedules = [("", schedules)]  # refused below
    schedules_by_label: dict[str, Schedule] = {}
    for label, schedule in labeled_schedules:
        if not isinstance(schedule, Schedule):
            raise ViewError(
                f"only schedules can be shown, got {schedule!r}; use lrlab.parse for a text."
            )
        # Different functions may have the same text.
        namesake_count = sum(known.partition(" #")[0] == label for known in schedules_by_label)
        if schedules_by_label.get(label) != schedule:
            schedules_by_label[f"{label} #{namesake_count + 1}" if namesake_count else label] = (
                schedule
            )
    return schedules_by_label


def select_steps_to_draw(rates: Array, buckets: int = 1500) -> NDArray[np.int64]:
    """Return the steps to draw, in order: all of them, or a selection that looks the same.

    The selection has the first and last step of each bucket and those of its lowest and highest
    rate, so that no spike gets lost.

    >>> select_steps_to_draw(np.array([0, 0, 0, 9, 0, 0, 0, 0]), buckets=1).tolist()
    [0, 3, 7]
    """
    if len(rates) <= 4 * buckets:
        return np.arange(len(rates))
    edges = np.arange(buckets + 1) * len(rates) // buckets
    selected = {0}
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = rates[low:high]
        selected |= {low, high - 1, low + int(part.argmin()), low + int(part.argmax())}
    return np.array(sorted(selected))


def _require_steps_per_epoch(schedule: Schedule, steps_per_epoch: float | None) -> None:
    """Raise an error if a schedule counts epochs whose length is unknown."""
    if steps_per_epoch is None and not _can_bind(schedule, None) and _can_bind(schedule, 1e6):
        raise ViewError(f"{schedule} counts epochs: give `steps_per_epoch`.")


def _can_bind(schedule: Schedule, steps_per_epoch: float | None) -> bool:
    try:
        schedule.bind(total_steps=1e9, steps_per_epoch=steps_per_epoch)
    except ScheduleError:
        return False
    return True


def _find_longest_end(schedules: Iterable[Schedule], steps_per_epoch: float | None) -> float:
    ends = []
    for schedule in schedules:
        try:
            end = schedule.compute_length(Horizon(steps_per_epoch=steps_per_epoch))
        except ScheduleError:  # a percentage of an unknown length
            end = math.inf
        if math.isinf(end):
            reason = "depends on the length of the training" if schedule.has_end else "has no end"
            raise ViewError(
                f"{schedule} {reason}: give `total_steps`, the number of steps to show."
            )
        ends.append(end)
    return max(1, math.ceil(max(ends)))


def _check_total_steps(total_steps: float) -> int:
    number = to_finite_float(total_steps)
    if number is None or not number.is_integer() or not 1 <= number <= MAX_STEPS:
        text = f"{number:.15g}" if number is not None else repr(total_steps)
        raise ViewError(f"total_steps must be a whole number from 1 to {MAX_STEPS}, got {text}.")
    return int(number)


def _make_line(label: str, schedule: Schedule, total_steps: int, base: float) -> Line:
    rates = schedule(np.arange(total_steps), base=base)
    is_too_high = ~(rates <= _MAX_RATE)
    if is_too_high.any():
        step = int(is_too_high.argmax())
        raise ViewError(
            f"{schedule} gives {rates[step]:g} at step {step}, above float32's maximum "
            f"{_MAX_RATE:.2g}: use a lower base rate."
        )
    return Line(label, schedule, rates, summarize_rates(rates), find_parts(schedule, total_steps))


def summarize_rates(rates: Array) -> RateSummary:
    """Return the numbers of a schedule with these rates."""
    peak = _find_first_maximum(rates, rates)
    area = float(rates.sum())
    changes = np.diff(rates)
    jump, jump_step = None, None
    if changes.any():
        at = _find_first_maximum(np.abs(changes), rates)
        jump, jump_step = float(changes[at]), at + 1
    return RateSummary(
        first=float(rates[0]),
        peak=float(rates[peak]),
        peak_step=peak,
        last=float(rates[-1]),
        area=area,
        mean=area / len(rates),
        jump=jump,
        jump_step=jump_step,
    )


def _find_first_maximum(values: Array, rates: Array) -> int:
    """Return the first index of the highest of ``values``, up to rounding errors of ``rates``."""
    slack = 4 * float(np.spacing(rates.max()))
    return int(np.argmax(values >= values.max() - slack))


def find_parts(schedule: Schedule, total_steps: int) -> tuple[Part, ...]:
    """Return the parts of a bound sequence that begin within ``total_steps``; else none."""
    started_parts = (
        (start, part) for start, part in _iterate_parts(schedule) if start < total_steps
    )
    return tuple(Part(math.ceil(start), part) for start, part in started_parts)


def _iterate_parts(schedule: Schedule) -> Iterator[tuple[float, Schedule]]:
    """Yield start and schedule of each part of a sequence, also if it is scaled, clipped or cut."""
    match schedule:
        case Sequential():
            for start, part in zip(schedule.starts.tolist(), schedule.schedules, strict=True):
                yield from _iterate_inner_parts(part, start)
        case Continued():
            yield from _iterate_inner_parts(schedule.first, 0.0)
            yield from _iterate_inner_parts(
                schedule.second, schedule.first.compute_length(Horizon())
            )
        case Product() | Sum() | Clip() | Affine():
            for child in schedule.children():
                yield from _iterate_parts(child)
        case Until():
            end = schedule.compute_length(Horizon())
            yield from (part for part in _iterate_parts(schedule.schedule) if part[0] < end)


def _iterate_inner_parts(part: Schedule, start: float) -> Iterator[tuple[float, Schedule]]:
    """Yield a part, or the parts of which it is a plain sequence itself."""
    has_parts = isinstance(part, Sequential | Continued | Until)
    inner_parts = list(_iterate_parts(part)) if has_parts else []
    yield from [(start + at, inner) for at, inner in inner_parts] or [(start, part)]
