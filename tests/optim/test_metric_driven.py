"""Metric-driven schedules in a scheduler, and skipped steps."""

import warnings

import pytest
import torch
from torch.optim import lr_scheduler as torch_schedulers

from lrlab import Constant, Cosine, Greedy, LRScheduler, Plateau, Schedule, Warmup
from lrlab.errors import ScheduleError, SchedulerError
from tests.optim.factories import make_two_groups, read_lrs
from tests.raising import raises

LOSSES = [0.9, 0.8, 0.8, 0.85, 0.7, 0.9, 0.9, 0.9, float("nan"), 0.6, 0.6, 0.6, 0.6]

METRIC_DRIVEN = [
    Plateau(0.5, patience=1),
    Warmup(4) >> Plateau(0.5, patience=0),
    Warmup(3) >> (Plateau(0.5, patience=1) * Cosine(20)),
    (Constant(0.5, over=2) >> Greedy(0.9, patience=0)).clip(0.1, 2.0),
]


@pytest.mark.parametrize("schedule", METRIC_DRIVEN, ids=repr)
@pytest.mark.parametrize("in_step", [True, False], ids=["step(metric)", "observe(metric), step()"])
def test_a_metric_changes_the_lrs_as_it_changes_the_schedule(
    schedule: Schedule, in_step: bool
) -> None:
    optimizer = make_two_groups()
    scheduler = LRScheduler(optimizer, schedule)
    states = [schedule.init_state()] * 2
    for t, loss in enumerate(LOSSES):
        expected = [schedule.with_state(state) for state in states]
        assert (
            read_lrs(optimizer)
            == [expected[0](t, base=0.1), expected[1](t, base=0.5)]
            == scheduler.next_lrs
        )
        states = [
            schedule.update_state(state, t, loss, base)
            for state, base in zip(states, (0.1, 0.5), strict=True)
        ]
        if in_step:
            scheduler.step(loss)
        else:
            scheduler.observe(torch.tensor(loss))
            scheduler.step()
    assert len(set(read_lrs(optimizer))) == 2
    assert read_lrs(optimizer) != [0.1, 0.5]


def test_after_a_warm_up_the_rest_is_torchs_plateau() -> None:
    our_optimizer, torch_optimizer = make_two_groups(), make_two_groups()
    ours = LRScheduler(our_optimizer, Warmup(3) >> Plateau(0.5, patience=1))
    for _ in range(3):
        ours.step(1.0)  # worse than all later ones, and not counted
    theirs = torch_schedulers.ReduceLROnPlateau(torch_optimizer, factor=0.5, patience=1)
    for loss in LOSSES:
        assert read_lrs(our_optimizer) == pytest.approx(read_lrs(torch_optimizer), rel=1e-12)
        ours.step(loss)
        theirs.step(loss)
    assert read_lrs(torch_optimizer) != [0.1, 0.5]


def test_an_observed_metric_changes_the_lrs_at_once() -> None:
    optimizer = make_two_groups()
    scheduler = LRScheduler(optimizer, "Plateau(0.5, patience=0)")
    scheduler.observe(1.0)
    scheduler.step()
    scheduler.observe(2.0)
    assert scheduler.last_epoch == 1
    assert read_lrs(optimizer) == scheduler.next_lrs == [0.05, 0.25]
    assert scheduler.used_lrs == [0.1, 0.5]


def test_other_hyperparameters_may_be_metric_driven() -> None:
    optimizer = make_two_groups(momentum=0.8)
    scheduler = LRScheduler(optimizer, Cosine(10), momentum=Plateau(0.5, patience=0))
    for loss in (1.0, 2.0):
        scheduler.step(loss)
    assert [group["momentum"] for group in optimizer.param_groups] == [0.4, 0.4]
    assert read_lrs(optimizer) == [Cosine(10)(2, base=0.1), Cosine(10)(2, base=0.5)]


def test_a_skipped_step_waits() -> None:
    optimizer = make_two_groups()
    scheduler = LRScheduler(optimizer, Cosine(10))
    scheduler.step()
    before = scheduler.state_dict()
    scheduler.step(skipped=True)
    scheduler.step(skipped=torch.tensor(True))
    assert scheduler.state_dict() == before
    scheduler.step(skipped=False)
    assert scheduler.last_epoch == 2
    assert read_lrs(optimizer) == [Cosine(10)(2, base=0.1), Cosine(10)(2, base=0.5)]


def test_the_metric_of_a_skipped_step_counts() -> None:
    scheduler = LRScheduler(make_two_groups(), "Plateau(0.5, patience=0)")
    scheduler.step(1.0)
    scheduler.step(2.0, skipped=True)
    assert (scheduler.last_epoch, scheduler.next_lrs) == (1, [0.05, 0.25])


def test_mistakes_change_nothing() -> None:
    optimizer = make_two_groups()
    scheduler = LRScheduler(optimizer, "Warmup(3) >> Plateau()")
    scheduler.step(1.0)
    before = repr((scheduler.state_dict(), optimizer.state_dict()))
    for wrong in ("low", [1.0, 2.0], None, True):
        with raises(ScheduleError, "metric must be a number", repr(wrong)):
            scheduler.observe(wrong)
    with raises(SchedulerError, "step()", -1):
        scheduler.step(1.0, epoch=-1)
    assert repr((scheduler.state_dict(), optimizer.state_dict())) == before
    plain = LRScheduler(make_two_groups(), Cosine(10))
    with raises(SchedulerError, "reads a metric", 0.5):
        plain.observe(0.5)
    with raises(SchedulerError, "step()", 0.5, "reads no metric"):
        plain.step(0.5)
    assert plain.last_epoch == 0


def collect_warnings(lengths: dict[str, int], schedule: str, metric_at: int | None) -> list[str]:
    """Return the warnings of 500 steps with one metric at most."""
    scheduler = LRScheduler(make_two_groups(), schedule, **lengths)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for t in range(500):
            if t == metric_at:
                scheduler.observe(1.0)
            scheduler.step()
    assert all(w.filename == __file__ for w in caught)
    return [str(w.message) for w in caught]


@pytest.mark.parametrize(
    ("lengths", "deadline"),
    [
        ({"steps_per_epoch": 40}, 401),
        ({"total_steps": 300}, 151),
        ({}, None),
    ],
)
def test_a_metric_that_never_comes_gives_a_warning(
    lengths: dict[str, int], deadline: int | None
) -> None:
    messages = collect_warnings(lengths, "Warmup(3) >> Plateau()", metric_at=None)
    assert len(messages) == (deadline is not None)
    assert deadline is None or f"none in {deadline} steps" in messages[0]
    # One that comes during the warm-up shows that more will come, though it counts for nothing.
    assert collect_warnings(lengths, "Warmup(300) >> Plateau()", metric_at=60) == []
    assert collect_warnings(lengths, "Warmup(300) >> Cosine(200)", metric_at=None) == []


def test_a_short_training_may_wait_for_its_first_metric() -> None:
    scheduler = LRScheduler(make_two_groups(), "Plateau()", total_steps=1)
    scheduler.step()
    scheduler = LRScheduler(make_two_groups(), "Plateau()", total_steps=100, steps_per_epoch=100)
    for _ in range(100):
        scheduler.step()
    scheduler.observe(1.0)
    assert scheduler.last_epoch == 100


def test_a_missing_metric_stops_nothing() -> None:
    optimizer = make_two_groups()
    scheduler = LRScheduler(optimizer, "Plateau() * Step(1, 0.5)", total_steps=3)
    scheduler.step()
    with raises(UserWarning, "none in 2 steps"):
        scheduler.step()
    assert (
        (scheduler.last_epoch, scheduler.next_lrs)
        == (2, read_lrs(optimizer))
        == (2, [0.025, 0.125])
    )
