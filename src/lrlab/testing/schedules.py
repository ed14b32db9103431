"""Checks of a schedule: pure, immutable, written and read back, bound, finite."""

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule, Shape, from_json, parse, to_json, to_text
from lrlab.schedules.text import SHAPES
from lrlab.testing.check import Check, call_all, demand

_BASE = 0.1


@dataclass(frozen=True)
class _Subject:
    """A schedule and the training that it is checked in."""

    schedule: Schedule
    total: int
    epoch: int

    def bound(self) -> Schedule:
        return self.schedule.bind(total=self.total, epoch=self.epoch)

    def steps(self) -> NDArray[np.float64]:
        """Whole steps from the first to past the end, and some between them."""
        whole = np.arange(self.total + 2, dtype=np.float64)
        return np.concatenate([whole, whole + 0.387])


def schedule_checks(schedule: Schedule, total: int = 100, epoch: int = 10) -> list[Check]:
    """The checks of a schedule, each to be called.

    Args:
        schedule: a shape of your own, or anything composed of some.
        total: steps of the training that it is bound to.
        epoch: steps of an epoch.

    >>> from lrlab import Cosine, Warmup
    >>> for check in schedule_checks(Warmup(5) >> Cosine())[:3]:
    ...     check()
    ...     print(check)
    binds to a training
    gives the same bits for numbers and arrays
    gives the same in any order
    """
    subject = _Subject(schedule, total, epoch)
    rules: dict[str, Callable[[_Subject], None]] = {
        "binds to a training": _binds,
        "gives the same bits for numbers and arrays": _same_bits,
        "gives the same in any order": _no_memory,
        "is finite and not negative": _is_a_rate,
        "is relative where it says so": _is_relative,
        "cannot be changed": _immutable,
        "is equal to its copy": _is_a_value,
        "is read back from its text": _reads_text,
        "is read back from JSON": _reads_json,
        "observes without a trace": _observes,
    }
    return [Check(name, partial(rule, subject)) for name, rule in rules.items()]


def check_schedule(schedule: Schedule, total: int = 100, epoch: int = 10) -> None:
    """All of ``schedule_checks``.

    Raises:
        AssertionError: one fails.
    """
    call_all(schedule_checks(schedule, total, epoch))


def _binds(subject: _Subject) -> None:
    bound = subject.bound()
    again = bound.bind(total=7, epoch=3)
    demand(
        again == bound,
        f"a bound schedule needs no more binding, but {bound} bound once more is {again}; turn "
        "every duration into steps in within().",
    )
    bound(0, base=_BASE)


def _same_bits(subject: _Subject) -> None:
    bound, steps = subject.bound(), subject.steps()
    together = bound(steps, base=_BASE)
    alone = np.array([bound(float(t), base=_BASE) for t in steps])
    wrong = np.flatnonzero(together != alone)
    if len(wrong):
        t = steps[wrong[0]]
        raise AssertionError(
            f"a step must have the same rate alone and in an array, but at t = {t:g} it is "
            f"{alone[wrong[0]]!r} alone and {together[wrong[0]]!r} in one of {len(steps)}; let "
            "evaluate() treat every step by itself, in NumPy's functions."
        )


def _no_memory(subject: _Subject) -> None:
    bound, steps = subject.bound(), subject.steps()
    before = bound(steps, base=_BASE)
    backwards = bound(steps[::-1], base=_BASE)[::-1]
    bound(steps, base=0.7)
    after = bound(steps, base=_BASE)
    for other, how in ((backwards, "asked backwards"), (after, "asked once more")):
        wrong = np.flatnonzero(before != other)
        if len(wrong):
            at = wrong[0]
            raise AssertionError(
                f"a rate must depend on its step alone, but at t = {steps[at]:g} it is "
                f"{before[at]:g}, and {other[at]:g} when {how}; keep nothing between calls."
            )


def _is_a_rate(subject: _Subject) -> None:
    bound, steps = subject.bound(), subject.steps()
    rates = bound(steps, base=_BASE)
    wrong = np.flatnonzero(~(np.isfinite(rates) & (rates >= 0)))
    if len(wrong):
        raise AssertionError(
            f"a rate must be finite and 0 or more, but at t = {steps[wrong[0]]:g} it is "
            f"{rates[wrong[0]]:g}; see what evaluate() does there, or .clip(0, 1) the schedule."
        )


def _is_relative(subject: _Subject) -> None:
    bound, steps = subject.bound(), subject.steps()
    if bound.relative:
        demand(
            bool(np.allclose(bound(steps, base=0.3), 0.3 * bound(steps), rtol=1e-12, atol=0)),
            f"a relative schedule is the base rate times a factor, but {bound} at base 0.3 is not "
            "0.3 of what it is without one; let `relative` say False, or multiply by `base`.",
        )


def _immutable(subject: _Subject) -> None:
    schedule = subject.schedule
    for part in schedule.walk():
        names = [f.name for f in fields(part)] if is_dataclass(part) else list(vars(part))
        for name in names:
            try:
                setattr(part, name, getattr(part, name))
            except FrozenInstanceError:
                continue
            raise AssertionError(
                f"a schedule cannot be changed, but {type(part).__name__}.{name} can be set; "
                "make its class a @dataclass(frozen=True, repr=False)."
            )


def _is_a_value(subject: _Subject) -> None:
    schedule = subject.schedule
    schedule.bind(total=subject.total, epoch=subject.epoch)(0, base=_BASE)  # leaves no trace
    copy = pickle.loads(pickle.dumps(schedule))
    for what, same in (
        ("==", copy == schedule),
        ("hash", hash(copy) == hash(schedule)),
        ("repr", repr(copy) == repr(schedule)),
    ):
        demand(
            same,
            f"a schedule is a value, equal to its pickled copy, but {schedule!r} differs by "
            f"{what}; make its class a frozen dataclass whose fields are plain values.",
        )


def _reads_text(subject: _Subject) -> None:
    schedule = subject.schedule
    try:
        text = to_text(schedule)
    except ScheduleError:  # it says itself that no text can hold it
        return
    own = {type(part).__name__: type(part) for part in schedule.walk() if isinstance(part, Shape)}
    read = parse(text, {**own, **SHAPES})
    demand(
        read == schedule,
        f"a schedule is read back from its text, but {text} is read as one that prints as {read!r} "
        "and is not equal; let repr() print every field that differs from its default.",
    )


def _reads_json(subject: _Subject) -> None:
    schedule = subject.schedule
    try:
        text = to_json(schedule)
    except ScheduleError:
        return
    if all(type(part).__module__.startswith("lrlab.") for part in schedule.walk()):
        read = from_json(text)
        demand(
            read == schedule,
            f"a schedule is read back from JSON, but {schedule!r} is read as {read!r}; its fields "
            "must be numbers, texts, tuples or schedules.",
        )


def _observes(subject: _Subject) -> None:
    bound = subject.bound()
    if not bound.reactive:
        return
    state = bound.initial()
    for t, metric in enumerate((0.9, 0.5, 0.7, 0.7, 0.7)):
        once = bound.observe(state, t, metric, base=_BASE)
        again = bound.observe(state, t, metric, base=_BASE)
        demand(
            once == again,
            f"observe() must be pure, but at t = {t} a metric of {metric} made {once} and then "
            f"{again} of one state; keep all that is remembered in the state.",
        )
        rate = bound.given(once)(t + 1, base=_BASE)
        demand(
            bool(np.isfinite(rate) and rate >= 0),
            f"a rate must be finite and 0 or more, but after a metric of {metric} it is {rate}; "
            "see what given() makes of the state.",
        )
        state = once
