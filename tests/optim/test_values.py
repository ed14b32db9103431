"""Precomputed or not, an optimizer has the values of its schedules at each step, to the bit."""

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as torch_schedulers

from lrlab import Cosine, Custom, Formula, InverseTime, LRScheduler, Schedule
from lrlab.dialects import torch as dialect
from lrlab.errors import ScheduleError
from lrlab.optim.values import MIN_TABLE_STEPS
from tests.optim.factories import make_optimizer
from tests.raising import raises
from tests.schedules.strategies import schedules

bases = st.floats(1e-4, 2)
scheduled_bases = st.tuples(schedules, bases)
"""A schedule and its base value."""


def get_lrs(optimizer: torch.optim.Optimizer) -> list[Any]:
    return [group["lr"] for group in optimizer.param_groups]


@settings(max_examples=50)
@given(groups=st.lists(scheduled_bases, min_size=1, max_size=4), decay=scheduled_bases)
def test_every_value_has_the_bits_of_its_schedule(
    groups: list[tuple[Schedule, float]], decay: tuple[Schedule, float]
) -> None:
    optimizer = make_optimizer(*[base for _, base in groups], weight_decay=decay[1])
    scheduler = LRScheduler(
        optimizer,
        groups[0][0],
        weight_decay=decay[0],
        groups={i: schedule for i, (schedule, _) in enumerate(groups)},
    )
    # Far enough for the second table, which is longer than the first.
    for t in range(3 * MIN_TABLE_STEPS + 2):
        assert get_lrs(optimizer) == [schedule(t, base=base) for schedule, base in groups]
        for group in optimizer.param_groups:
            assert group["weight_decay"] == decay[0](t, base=decay[1])
        scheduler.step()


class ReferenceScheduler:
    """A slow scheduler of one hyperparameter that computes every step from scratch."""

    def __init__(self, schedule: Schedule, base: float) -> None:
        self.schedule = schedule
        self.t = 0
        self.bases = [base]
        self.used = self.current = self.compute_values()
        self.group_count = 1  # number of groups at the last step

    def compute_values(self) -> list[float]:
        return [self.schedule(self.t, base=base) for base in self.bases]

    def add_group(self, base: float) -> None:
        self.bases = [*self.bases, base]
        self.used, self.current = [*self.used, base], [*self.current, base]

    def step(self, t: int) -> None:
        self.used, self.t = self.current, t
        self.current, self.group_count = self.compute_values(), len(self.bases)


actions = st.one_of(
    st.tuples(st.just("step"), st.integers(1, 70)),
    st.tuples(st.just("go to"), st.integers(0, 400)),
    st.tuples(st.just("change a base lr"), bases),
    st.tuples(st.just("replace the base lrs"), bases),
    st.tuples(st.just("add a group"), bases),
    st.tuples(st.just("read"), st.none()),
)


@settings(max_examples=150)
@given(start=scheduled_bases, steps=st.lists(actions, max_size=12))
def test_jumps_changed_base_lrs_and_new_groups_in_any_order(
    start: tuple[Schedule, float], steps: list[tuple[str, Any]]
) -> None:
    optimizer = make_optimizer(start[1])
    scheduler, reference = LRScheduler(optimizer, start[0]), ReferenceScheduler(*start)
    for action, value in steps:
        match action:
            case "step":
                for _ in range(value):
                    scheduler.step()
                    reference.step(reference.t + 1)
            case "go to":
                scheduler.step(epoch=value)
                reference.step(value)
            case "change a base lr":
                # An added group has a base from the next step on.
                scheduler.base_lrs[0] = reference.bases[0] = value
            case "replace the base lrs":
                lrs = [value * i for i in range(1, len(scheduler.base_lrs) + 1)]
                scheduler.base_lrs = lrs
                reference.bases[: len(lrs)] = lrs
            case "add a group":
                optimizer.add_param_group({"params": [torch.zeros(1)], "lr": value})
                reference.add_group(value)
            case "read":
                # Reading them changes nothing, and they are what the optimizer has.
                assert scheduler.used_lrs == reference.used[: reference.group_count]
                assert (
                    scheduler.next_lrs
                    == scheduler.get_last_lr()
                    == reference.current[: reference.group_count]
                )
        assert get_lrs(optimizer) == reference.current
        assert scheduler.last_epoch == reference.t
    scheduler.step()
    reference.step(reference.t + 1)
    assert get_lrs(optimizer) == scheduler.next_lrs == reference.current
    assert scheduler.used_lrs == reference.used


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a cumulative product"])
def test_a_function_is_never_called_ahead_of_its_step(inside: bool) -> None:
    called: list[float] = []

    def function(t: int) -> float:
        called.append(t)
        return 1.0

    build = dialect.MultiplicativeLR if inside else Custom
    scheduler = LRScheduler(make_optimizer(0.1, 1.0), "Cosine(90)", groups={1: build(function)})
    for t in range(2 * MIN_TABLE_STEPS):
        if t or not inside:  # a cumulative product begins with the factor of step 1
            assert max(called) == t == called[-1]
        assert scheduler.used_lrs
        assert scheduler.next_lrs
        assert scheduler.state_dict()
        assert all(step <= t for step in called)
        scheduler.step()


def test_a_formula_fails_at_its_step_and_changes_nothing() -> None:
    formula = Formula("(69.5 - t) / 70")  # below 0 at step 70
    optimizer = make_optimizer(1.0, 0.1, weight_decay=0.01)
    scheduler = LRScheduler(
        optimizer, Cosine(90), groups={1: formula}, weight_decay="Exponential(0.9)"
    )
    for t in range(70):
        assert get_lrs(optimizer) == [Cosine(90)(t, base=1.0), formula(t, base=0.1)]
        if t < 69:
            scheduler.step()
    before = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict(), scheduler.used_lrs))
    for _ in range(2):
        with raises(ScheduleError, formula, "t = 70"):
            scheduler.step()
        after = optimizer.state_dict(), scheduler.state_dict(), scheduler.used_lrs
        assert after == before
    scheduler.step(epoch=3)
    assert get_lrs(optimizer) == [Cosine(90)(3, base=1.0), formula(3, base=0.1)]


MILLION = 10**6
BASE = float(np.float32(0.1))

CLOSED_FORMS = {
    "ExponentialLR": (dialect.ExponentialLR(0.99999), lambda t: BASE * 0.99999**t),
    "CosineAnnealingLR": (
        dialect.CosineAnnealingLR(MILLION),
        lambda t: BASE * math.cos(math.pi / 2 * t / MILLION) ** 2,
    ),
    "InverseTime": (InverseTime(0.001), lambda t: BASE / (1 + 0.001 * t)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_a_float32_lr_is_right_to_the_last_bit_after_a_million_steps(name: str) -> None:
    schedule, closed_form = CLOSED_FORMS[name]
    lr = torch.tensor(0.1)
    optimizer = make_optimizer(lr)
    scheduler = LRScheduler(optimizer, schedule)
    checked_steps = {*range(0, MILLION, 9_973), MILLION - 1, MILLION}
    for t in range(MILLION + 1):
        if t in checked_steps:
            # At the very end of the cosine, pi itself is not exact.
            assert abs(float(lr) - closed_form(t)) <= max(
                np.spacing(np.float32(closed_form(t))), 1e-30
            )
        if t < MILLION:
            scheduler.step()
    assert optimizer.param_groups[0]["lr"] is lr


def test_torchs_recurrence_drifts_in_float32() -> None:
    lr = torch.tensor(0.1)
    optimizer = make_optimizer(lr)
    scheduler = torch_schedulers.ExponentialLR(optimizer, 0.99999)
    optimizer.step()
    for _ in range(100_000):
        scheduler.step()
    exact = np.float32(BASE * 0.99999**100_000)
    assert abs(float(lr) - exact) > 1000 * np.spacing(exact)
