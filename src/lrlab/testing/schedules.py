"""Checks of a schedule: pure, immutable, written and read back, bound, finite."""

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule, Primitive, from_json, parse, to_json, to_text
from lrlab.schedules.text import BUILTIN_BUILDERS
from lrlab.testing.check import Check, run_checks, require

_BASE_LR = 0.1


@dataclass(frozen=True)
class _ScheduleSubject:
    """A schedule and the training that it is checked in."""

    schedule: Schedule
    total_steps: int
    steps_per_epoch: int

    def bind(self) -> Schedule:
        return self.schedule.bind(total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch)

    def make_steps(self) -> NDArray[np.float64]:
        """Whole steps from the first to past the end, and some between them."""
        whole = np.arange(self.total_steps + 2, dtype=np.float64)
        return np.concatenate([whole, whole + 0.387])


def list_schedule_checks(schedule: Schedule, total_steps: int = 100, steps_per_epoch: int = 10) -> list[Check]:
    """The checks of a schedule, each to be called.

    Args:
        schedule: a shape of your own, or anything composed of some.
        total_steps: steps of the training that it is bound to.
        steps_per_epoch: steps of an epoch.

    >>> from lrlab import Cosine, Warmup
    >>> for check in list_schedule_checks(Warmup(5) >> Cosine())[:3]:
    ...     check()
    ...     print(check)
    binds to a training
    gives the same bits for numbers and arrays
    gives the same in any order
    """
    subject = _ScheduleSubject(schedule, total_steps, steps_per_epoch)
    rules: dict[str, Callable[[_ScheduleSubject], None]] = {
        "binds to a training": _check_binding,
        "gives the same bits for numbers and arrays": _check_scalar_and_array_agree,
        "gives the same in any order": _check_order_independent,
        "is finite and not negative": _check_finite_and_not_negative,
        "is relative where it says so": _check_is_relative,
        "cannot be changed": _check_immutable,
        "is equal to its copy": _check_pickled_copy_is_equal,
        "is read back from its text": _check_text_round_trip,
        "is read back from JSON": _check_json_round_trip,
        "observes without a trace": _check_metric_updates,
    }
    return [Check(name, partial(rule, subject)) for name, rule in rules.items()]


def check_schedule(schedule: Schedule, total_steps: int = 100, steps_per_epoch: int = 10) -> None:
    """All of ``list_schedule_checks``.

    Raises:
        AssertionError: one fails.
    """
    run_checks(list_schedule_checks(schedule, total_steps, steps_per_epoch))


def _check_binding(subject: _ScheduleSubject) -> None:
    bound = subject.bind()
    again = bound.bind(total_steps=7, steps_per_epoch=3)
    require(
        again == bound,
        f"a bound schedule needs no more binding, but {bound} bound once more is {again}; turn "
        "every duration into steps in within().",
    )
    bound(0, base=_BASE_LR)


def _check_scalar_and_array_agree(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    together = bound(steps, base=_BASE_LR)
    alone = np.array([bound(float(t), base=_BASE_LR) for t in steps])
    wrong = np.flatnonzero(together != alone)
    if len(wrong):
        t = steps[wrong[0]]
        raise AssertionError(
            f"a step must have the same rate alone and in an array, but at t = {t:g} it is "
            f"{alone[wrong[0]]!r} alone and {together[wrong[0]]!r} in one of {len(steps)}; let "
            "evaluate() treat every step by itself, in NumPy's functions."
        )


def _check_order_independent(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    before = bound(steps, base=_BASE_LR)
    backwards = bound(steps[::-1], base=_BASE_LR)[::-1]
    bound(steps, base=0.7)
    after = bound(steps, base=_BASE_LR)
    for other, how in ((backwards, "asked backwards"), (after, "asked once more")):
        wrong = np.flatnonzero(before != other)
        if len(wrong):
            at = wrong[0]
            raise AssertionError(
                f"a rate must depend on its step alone, but at t = {steps[at]:g} it is "
                f"{before[at]:g}, and {other[at]:g} when {how}; keep nothing between calls."
            )


def _check_finite_and_not_negative(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    rates = bound(steps, base=_BASE_LR)
    wrong = np.flatnonzero(~(np.isfinite(rates) & (rates >= 0)))
    if len(wrong):
        raise AssertionError(
            f"a rate must be finite and 0 or more, but at t = {steps[wrong[0]]:g} it is "
            f"{rates[wrong[0]]:g}; see what evaluate() does there, or .clip(0, 1) the schedule."
        )


def _check_is_relative(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    if bound.is_relative:
        require(
            bool(np.allclose(bound(steps, base=0.3), 0.3 * bound(steps), rtol=1e-12, atol=0)),
            f"a relative schedule is the base rate times a factor, but {bound} at base 0.3 is not "
            "0.3 of what it is without one; let `relative` say False, or multiply by `base`.",
        )


def _check_immutable(subject: _ScheduleSubject) -> None:
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


def _check_pickled_copy_is_equal(subject: _ScheduleSubject) -> None:
    schedule = subject.schedule
    schedule.bind(total_steps=subject.total_steps, steps_per_epoch=subject.steps_per_epoch)(0, base=_BASE_LR)  # leaves no trace
    copy = pickle.loads(pickle.dumps(schedule))
    for what, is_same in (
        ("==", copy == schedule),
        ("hash", hash(copy) == hash(schedule)),
        ("repr", repr(copy) == repr(schedule)),
    ):
        require(
            is_same,
            f"a schedule is a value, equal to its pickled copy, but {schedule!r} differs by "
            f"{what}; make its class a frozen dataclass whose fields are plain values.",
        )


def _check_text_round_trip(subject: _ScheduleSubject) -> None:
    schedule = subject.schedule
    try:
        text = to_text(schedule)
    except ScheduleError:  # it says itself that no text can hold it
        return
    classes = {type(part).__name__: type(part) for part in schedule.walk() if isinstance(part, Primitive)}
    read = parse(text, {**classes, **BUILTIN_BUILDERS})
    require(
        read == schedule,
        f"a schedule is read back from its text, but {text} is read as one that prints as {read!r} "
        "and is not equal; let repr() print every field that differs from its default.",
    )


def _check_json_round_trip(subject: _ScheduleSubject) -> None:
    schedule = subject.schedule
    try:
        text = to_json(schedule)
    except ScheduleError:
        return
    if all(type(part).__module__.startswith("lrlab.") for part in schedule.walk()):
        read = from_json(text)
        require(
            read == schedule,
            f"a schedule is read back from JSON, but {schedule!r} is read as {read!r}; its fields "
            "must be numbers, texts, tuples or schedules.",
        )


def _check_metric_updates(subject: _ScheduleSubject) -> None:
    bound = subject.bind()
    if not bound.needs_metric:
        return
    state = bound.init_state()
    for t, metric in enumerate((0.9, 0.5, 0.7, 0.7, 0.7)):
        once = bound.update_state(state, t, metric, base=_BASE_LR)
        again = bound.update_state(state, t, metric, base=_BASE_LR)
        require(
            once == again,
            f"observe() must be pure, but at t = {t} a metric of {metric} made {once} and then "
            f"{again} of one state; keep all that is remembered in the state.",
        )
        rate = bound.with_state(once)(t + 1, base=_BASE_LR)
        require(
            bool(np.isfinite(rate) and rate >= 0),
            f"a rate must be finite and 0 or more, but after a metric of {metric} it is {rate}; "
            "see what given() makes of the state.",
        )
        state = once
