"""Schedules that read metrics, against torch's plateau and inside other schedules."""

import math

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
from tests.schedules.strategies import relative

metrics = st.lists(
    st.one_of(st.floats(0, 2), st.just(math.nan), st.sampled_from([0.5, 0.25])),
    min_size=1,
    max_size=120,
)


def driven(schedule: Schedule, values: list[float], base: float, first: int = 0) -> list[float]:
    """The rate after each metric, metrics being measured at steps first, first + 1, ..."""
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
def test_plateau_is_torchs(
    values: list[float], base: float, factor: float, low: float, **words: object
) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=factor, min_lr=low, eps=1e-8, **words
    )
    expected = []
    for value in values:
        theirs.step(value)
        expected.append(optimizer.param_groups[0]["lr"])
    ours = Plateau(factor, low=Absolute(low), eps=Absolute(1e-8), **words)
    assert_allclose(driven(ours, values, base), expected, rtol=1e-12)


@given(values=metrics, patience=st.integers(1, 5), cooldown=st.integers(0, 4))
def test_at_patience_is_one_metric_earlier(
    values: list[float], patience: int, cooldown: int
) -> None:
    at = Plateau(0.5, patience=patience, cooldown=cooldown, at_patience=True)
    after = Plateau(0.5, patience=patience - 1, cooldown=cooldown)
    assert driven(at, values, 0.1) == driven(after, values, 0.1)


@given(values=metrics)
def test_observing_is_pure_and_states_are_primitives(values: list[float]) -> None:
    for schedule in (Plateau(patience=1), Greedy(patience=1, window=3), Warmup(3) >> Plateau()):
        state = schedule.init_state()
        for t, value in enumerate(values):
            again = schedule.update_state(state, t, value)
            assert repr(schedule.update_state(state, t, value)) == repr(again)
            state = again
        assert all(isinstance(item, float | int | None | str) for item in _flat(state))
        assert schedule == eval(repr(schedule), globals())


def _flat(state: tuple) -> list:
    return [leaf for item in state for leaf in (_flat(item) if isinstance(item, tuple) else [item])]


@given(schedule=relative, values=metrics)
def test_a_pure_schedule_reads_no_metric(schedule: Schedule, values: list[float]) -> None:
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
    rates = driven(schedule, worse, base=0.1)
    assert_allclose(rates[:10], Warmup(10)(range(10), base=0.1))
    alone = driven(Plateau(0.5, patience=2), worse[10:], base=0.1)
    assert rates[10:] == alone
    assert alone[-1] < 0.1


def test_a_reactive_part_may_be_cut_and_followed() -> None:
    schedule = Plateau(0.5, patience=0).until(3).then(Linear(1, 0, over=4), join="continue")
    rates = driven(schedule, [1.0] * 8, base=0.8)
    # The first metric is the best so far; two worse ones halve the rate, then the line begins.
    assert_allclose(rates, [0.8, 0.4, 0.2, 0.2, 0.15, 0.1, 0.05, 0.0], atol=1e-15)


@pytest.mark.parametrize("reactive", [Plateau(0.5, patience=1), Greedy(0.5, patience=1)])
@pytest.mark.parametrize(
    "around",
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
def test_the_base_rate_counts_once_wherever_it_stands(reactive: Schedule, around: object) -> None:
    schedule = around(reactive)
    state, alone = schedule.initial(), reactive.init_state()
    for t, metric in enumerate([1.0, 1.0, 1.0, 0.9, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.6, 0.6, 0.6]):
        # What the metrics make of it alone, a constant factor, stands in its place.
        expected = around(reactive.with_state(alone))(t, base=0.1)
        assert schedule.with_state(state)(t, base=0.1) == pytest.approx(expected, rel=1e-12)
        if not isinstance(schedule, Sequential | Continued) or t >= 4:
            alone = reactive.update_state(alone, t, metric)
        state = schedule.update_state(state, t, metric, base=0.1)
    assert reactive.with_state(alone) != Constant(1.0)


def test_a_reactive_factor() -> None:
    product = driven(Cosine(20) * Plateau(0.5, patience=1), [1.0] * 20, base=0.1)
    alone = driven(Plateau(0.5, patience=1), [1.0] * 20, base=1.0)
    assert_allclose(product, Cosine(20)(range(20), base=0.1) * alone, rtol=1e-12)


def test_an_absolute_floor_in_a_factor_is_that_of_the_factor() -> None:
    schedule = Constant(0.5) * Plateau(0.1, patience=0, low=Absolute(0.01))
    assert driven(schedule, [1.0] * 6, base=0.1)[-1] == 0.5 * 0.01
    with pytest.raises(ScheduleError, match="needs the base rate too"):
        schedule.update_state(schedule.init_state(), 0, 1.0)


def test_other_clocks() -> None:
    values = [1.0] * 12
    alone = driven(Plateau(0.5, patience=1), values, base=0.1)
    assert driven(Plateau(0.5, patience=1).shift(3), values, base=0.1) == [0.1] * 3 + alone[:-3]
    assert driven(Plateau(0.5, patience=1).stretch(2), values, base=0.1) == alone
    assert driven(Plateau(0.5, patience=1).clip(0.3), values, base=0.1)[-1] == pytest.approx(0.03)


def test_a_staircase_hears_metrics_where_it_reads_the_clock() -> None:
    schedule = (Warmup(5) >> Plateau(0.5, patience=0)).staircase(10)
    rates = driven(schedule, [1.0] * 13, base=0.6)
    # Up to step 9 the warm-up rules; the first metric of the plateau is the best so far.
    assert_allclose(rates, [0.1] * 10 + [0.6, 0.3, 0.15])


def test_greedy_climbs_falls_rests_and_begins_anew() -> None:
    greedy = Greedy(0.5, patience=0, low=0.25, high=4.0, reset=2, threshold=0.0)
    better, worse = [1 / n for n in range(1, 5)], [9.0] * 4
    rates = driven(greedy, better + worse, base=1.0)
    assert rates == [2.0, 4.0, 4.0, 4.0, 2.0, 1.0, 0.5, 0.25]
    assert driven(greedy, better + worse + [9.0], base=1.0)[-1] == 1.0
    resting = Greedy(0.5, patience=0, warmup=2, threshold=0.0)
    assert driven(resting, better, base=1.0) == [2.0, 2.0, 2.0, 4.0]


@pytest.mark.parametrize("metric", ["0.5", None, True, [1.0, 2.0], 10**400])
def test_metrics_that_are_none(metric: object) -> None:
    with pytest.raises(ScheduleError, match="a metric must be a number, got"):
        Plateau().update_state(Plateau().init_state(), 0, metric)


@pytest.mark.parametrize("t", [-1, "0", None, math.nan])
def test_steps_that_are_none(t: object) -> None:
    with pytest.raises(ScheduleError, match="t must be a step of 0 or more, got"):
        Plateau().update_state(Plateau().init_state(), t, 0.5)


@pytest.mark.parametrize("state", [(), None, 3, (None,), ((), ()), ((), (None, 1.0))])
def test_states_that_are_none(state: object) -> None:
    for schedule in (Plateau(), Warmup(3) >> Plateau()):
        for use in (schedule.with_state, lambda state, s=schedule: s.update_state(state, 3, 0.5)):
            with pytest.raises(ScheduleError, match=r"the state must be one that initial\(\)"):
                use(state)


def test_metrics_of_other_libraries() -> None:
    assert driven(Plateau(patience=0), [torch.tensor(1.0), torch.tensor([1.0])], 0.1)[-1] < 0.1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"factor": 1.0}, "factor must be a number from 0 to below 1, got 1.0"),
        ({"patience": -1}, "patience must be a whole number of 0 or more"),
        ({"mode": "less"}, 'mode must be "min" or "max", got \'less\''),
        ({"mode": np.arange(2)}, 'mode must be "min" or "max", got array'),
        ({"patience": 10**400}, "patience must be a whole number of 0 or more"),
        ({"threshold_mode": "share"}, 'threshold_mode must be "rel" or "abs"'),
        ({"at_patience": "no"}, "at_patience must be True or False"),
        ({"low": -1}, "low must be a factor of the base rate"),
    ],
)
def test_arguments_out_of_their_domain(words: dict, said: str) -> None:
    with pytest.raises(ScheduleError, match=f"Plateau: {said}"):
        Plateau(**words)


@pytest.mark.parametrize("word", ["factor", "window", "reset"])
def test_greedy_needs_more_than_nothing(word: str) -> None:
    with pytest.raises(ScheduleError, match=f"Greedy: {word} must be above 0"):
        Greedy(**{word: 0})
