"""Metric-driven schedules, against torch's ReduceLROnPlateau and inside other schedules."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Constant,
    Continued,
    Cosine,
    Greedy,
    Linear,
    Plateau,
    Schedule,
    Sequential,
    Warmup,
)
from tests.raising import raises
from tests.schedules.strategies import relative

metrics = st.lists(
    st.one_of(st.floats(0, 2), st.just(math.nan), st.sampled_from([0.5, 0.25])),
    min_size=1,
    max_size=120,
)


def compute_rates(
    schedule: Schedule, values: list[float], base: float, first: int = 0
) -> list[float]:
    """Return the rate after each metric, measured at steps first, first + 1, ..."""
    state, rates = schedule.init_state(), []
    for t, value in enumerate(values, first):
        state = schedule.update_state(state, t, value, base)
        rates.append(schedule.with_state(state)(t, base=base))
    return rates


@settings(max_examples=60)
@given(
    values=metrics,
    base=st.floats(1e-3, 1),
    factor=st.floats(0.1, 0.9),
    patience=st.integers(0, 4),
    cooldown=st.integers(0, 4),
    threshold=st.floats(0, 0.2),
    mode=st.sampled_from(["min", "max"]),
    threshold_mode=st.sampled_from(["rel", "abs"]),
    low=st.floats(0, 0.01),
)
def test_plateau_equals_torch(
    values: list[float], base: float, factor: float, low: float, **arguments: object
) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=factor, min_lr=low, eps=1e-8, **arguments
    )
    expected = []
    for value in values:
        theirs.step(value)
        expected.append(optimizer.param_groups[0]["lr"])
    ours = Plateau(factor, low=Absolute(low), eps=Absolute(1e-8), **arguments)
    assert_allclose(compute_rates(ours, values, base), expected, rtol=1e-12)


@given(values=metrics, patience=st.integers(1, 5), cooldown=st.integers(0, 4))
def test_at_patience_reduces_one_metric_earlier(
    values: list[float], patience: int, cooldown: int
) -> None:
    at = Plateau(0.5, patience=patience, cooldown=cooldown, at_patience=True)
    after = Plateau(0.5, patience=patience - 1, cooldown=cooldown)
    assert compute_rates(at, values, 0.1) == compute_rates(after, values, 0.1)


@given(values=metrics)
def test_update_state_is_pure_and_states_are_numbers(values: list[float]) -> None:
    for schedule in (Plateau(patience=1), Greedy(patience=1, window=3), Warmup(3) >> Plateau()):
        state = schedule.init_state()
        for t, value in enumerate(values):
            again = schedule.update_state(state, t, value)
            assert repr(schedule.update_state(state, t, value)) == repr(again)
            state = again
        assert all(isinstance(item, float | int | None | str) for item in _flatten(state))
        assert schedule == eval(repr(schedule), globals())


def _flatten(state: tuple) -> list:
    return [
        leaf for item in state for leaf in (_flatten(item) if isinstance(item, tuple) else [item])
    ]


@given(schedule=relative, values=metrics)
def test_other_schedules_ignore_metrics(schedule: Schedule, values: list[float]) -> None:
    assert not schedule.needs_metric
    assert schedule.init_state() == ()
    assert schedule.update_state((), 3, values[0]) == ()
    assert schedule.with_state(()) is schedule


@given(values=metrics, base=st.floats(1e-3, 1))
def test_before_any_metric_the_rate_is_the_base_rate(values: list[float], base: float) -> None:
    for schedule in (Plateau(), Greedy(), Plateau(low=Absolute(1e-5))):
        assert schedule(len(values), base=base) == base
        assert schedule.with_state(schedule.init_state())(3, base=base) == base


def test_within_a_sequence_only_metrics_after_its_start_count() -> None:
    schedule = Warmup(10) >> Plateau(0.5, patience=2)
    worse = [1.0 + t for t in range(30)]
    rates = compute_rates(schedule, worse, base=0.1)
    assert_allclose(rates[:10], Warmup(10)(range(10), base=0.1))
    alone = compute_rates(Plateau(0.5, patience=2), worse[10:], base=0.1)
    assert rates[10:] == alone
    assert alone[-1] < 0.1


def test_a_metric_driven_part_may_end_and_be_continued() -> None:
    schedule = Plateau(0.5, patience=0).until(3).then(Linear(1, 0, over=4), join="continue")
    rates = compute_rates(schedule, [1.0] * 8, base=0.8)
    # The first metric is the best so far; two worse ones halve the rate, then the line starts.
    assert_allclose(rates, [0.8, 0.4, 0.2, 0.2, 0.15, 0.1, 0.05, 0.0], atol=1e-15)


@pytest.mark.parametrize("metric_driven", [Plateau(0.5, patience=1), Greedy(0.5, patience=1)])
@pytest.mark.parametrize(
    "compose",
    [
        lambda a: Linear(1, 1, over=4) >> a,
        lambda a: Linear(1, 0.25, over=4).then(a, join="continue"),
        lambda a: Linear(Absolute(0.5), 1, over=4) >> a,
        lambda a: Linear(1, Absolute(0.02), over=4).then(a, join="continue"),
        lambda a: a + Constant(Absolute(0.125)),
        lambda a: a * Constant(Absolute(0.125)),
        lambda a: a.clip(Absolute(1e-9)),
    ],
)
def test_the_base_rate_is_applied_once_at_any_place(
    metric_driven: Schedule, compose: Callable[[Schedule], Schedule]
) -> None:
    schedule = compose(metric_driven)
    state, alone = schedule.init_state(), metric_driven.init_state()
    for t, metric in enumerate([1.0, 1.0, 1.0, 0.9, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.6, 0.6, 0.6]):
        # It equals the constant factor that it would be alone.
        expected = compose(metric_driven.with_state(alone))(t, base=0.1)
        assert schedule.with_state(state)(t, base=0.1) == pytest.approx(expected, rel=1e-12)
        if not isinstance(schedule, Sequential | Continued) or t >= 4:
            alone = metric_driven.update_state(alone, t, metric)
        state = schedule.update_state(state, t, metric, base=0.1)
    assert metric_driven.with_state(alone) != Constant(1.0)


def test_a_metric_driven_factor() -> None:
    product = compute_rates(Cosine(20) * Plateau(0.5, patience=1), [1.0] * 20, base=0.1)
    alone = compute_rates(Plateau(0.5, patience=1), [1.0] * 20, base=1.0)
    assert_allclose(product, Cosine(20)(range(20), base=0.1) * alone, rtol=1e-12)


def test_an_absolute_floor_in_a_factor_bounds_the_factor() -> None:
    schedule = Constant(0.5) * Plateau(0.1, patience=0, low=Absolute(0.01))
    assert compute_rates(schedule, [1.0] * 6, base=0.1)[-1] == 0.5 * 0.01
    with raises(ScheduleError, "Absolute level", "base=0.1"):
        schedule.update_state(schedule.init_state(), 0, 1.0)


def test_metrics_reach_shifted_stretched_and_clipped_schedules() -> None:
    values = [1.0] * 12
    alone = compute_rates(Plateau(0.5, patience=1), values, base=0.1)
    assert (
        compute_rates(Plateau(0.5, patience=1).shift(3), values, base=0.1) == [0.1] * 3 + alone[:-3]
    )
    assert compute_rates(Plateau(0.5, patience=1).stretch(2), values, base=0.1) == alone
    assert compute_rates(Plateau(0.5, patience=1).clip(0.3), values, base=0.1)[-1] == pytest.approx(
        0.03
    )


def test_a_staircase_uses_metrics_at_its_stairs() -> None:
    schedule = (Warmup(5) >> Plateau(0.5, patience=0)).staircase(10)
    rates = compute_rates(schedule, [1.0] * 13, base=0.6)
    # Up to step 9 the warm-up is active; the first metric of the plateau is the best so far.
    assert_allclose(rates, [0.1] * 10 + [0.6, 0.3, 0.15])


def test_greedy_rises_falls_waits_and_starts_again() -> None:
    greedy = Greedy(0.5, patience=0, low=0.25, high=4.0, reset=2, threshold=0.0)
    better, worse = [1 / n for n in range(1, 5)], [9.0] * 4
    rates = compute_rates(greedy, better + worse, base=1.0)
    assert rates == [2.0, 4.0, 4.0, 4.0, 2.0, 1.0, 0.5, 0.25]
    assert compute_rates(greedy, better + worse + [9.0], base=1.0)[-1] == 1.0
    waiting = Greedy(0.5, patience=0, warmup=2, threshold=0.0)
    assert compute_rates(waiting, better, base=1.0) == [2.0, 2.0, 2.0, 4.0]


@pytest.mark.parametrize("metric", ["0.5", None, True, [1.0, 2.0], 10**400])
def test_invalid_metrics_are_refused(metric: object) -> None:
    with raises(ScheduleError, "metric must be a number", f"got {metric!r}"):
        Plateau().update_state(Plateau().init_state(), 0, metric)


@pytest.mark.parametrize("t", [-1, "0", None, math.nan])
def test_invalid_steps_are_refused(t: object) -> None:
    with raises(ScheduleError, "t must be a non-negative step", f"got {t!r}"):
        Plateau().update_state(Plateau().init_state(), t, 0.5)


@pytest.mark.parametrize("state", [(), None, 3, (None,), ((), ()), ((), (None, 1.0))])
def test_invalid_states_are_refused(state: object) -> None:
    for schedule in (Plateau(), Warmup(3) >> Plateau()):
        for use in (schedule.with_state, lambda state, s=schedule: s.update_state(state, 3, 0.5)):
            with raises(ScheduleError, "state", "init_state()", schedule, repr(state)):
                use(state)


def test_metrics_may_be_tensors() -> None:
    assert (
        compute_rates(Plateau(patience=0), [torch.tensor(1.0), torch.tensor([1.0])], 0.1)[-1] < 0.1
    )


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        ({"factor": 1.0}, ("from 0 to below 1", "got 1.0")),
        ({"patience": -1}, ("non-negative", "got -1")),
        ({"mode": "less"}, ('"min" or "max"', "got 'less'")),
        ({"mode": np.arange(2)}, ('"min" or "max"', "got array")),
        ({"patience": 10**400}, ("non-negative", "got 1000")),
        ({"threshold_mode": "share"}, ('"rel" or "abs"', "got 'share'")),
        ({"at_patience": "no"}, ("True or False", "got 'no'")),
        ({"low": -1}, ("factor of the base rate", "got -1")),
    ],
)
def test_arguments_out_of_their_domain_are_refused(arguments: dict, mentions: tuple) -> None:
    (name,) = arguments
    with raises(ScheduleError, f"Plateau: {name} must be", *mentions):
        Plateau(**arguments)


@pytest.mark.parametrize("name", ["factor", "window", "reset"])
def test_greedy_refuses_0(name: str) -> None:
    with raises(ScheduleError, f"Greedy: {name}", "above 0", "got 0"):
        Greedy(**{name: 0})
