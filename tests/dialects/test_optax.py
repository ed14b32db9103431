"""lrlab.dialects.optax against optax's own schedules in float64."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import optax as ours
from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule
from tests.dialects.function_checks import check_invalid_arguments, check_same_parameters
from tests.dialects.stepped_rates import collect_metric_rates
from tests.raising import raises

theirs = pytest.importorskip("optax", reason="optax is not installed")
jax = pytest.importorskip("jax", reason="jax is not installed")

STEPS = 220
quick = settings(max_examples=25)
rates = st.floats(1e-3, 10)
maybe_rates = st.just(0.0) | rates
counts = st.integers(0, 150)
step_counts = st.integers(1, 150)
factors = st.floats(0.1, 2)


@pytest.fixture(scope="module", autouse=True)
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def collect_values(schedule: Callable[[Any], Any]) -> Any:
    try:
        return np.broadcast_to(jax.vmap(schedule)(np.arange(STEPS)), STEPS)
    except ValueError:  # a constant returns the number itself, which vmap refuses
        return np.array([schedule(t) for t in range(STEPS)])


def check_function(name: str, *arguments: Any) -> None:
    schedule = getattr(ours, name)(*arguments)
    check_rates(schedule, collect_values(getattr(theirs.schedules, name)(*arguments)))


def check_rates(schedule: Schedule, expected: Any) -> None:
    # optax subtracts numbers that are nearly equal, so values near 0 are as exact as the peak.
    peak = np.abs(expected).max()
    assert_allclose(schedule(range(STEPS), base=0.3), expected, rtol=1e-12, atol=1e-12 * peak)


@quick
@given(value=maybe_rates)
def test_constant(value: float) -> None:
    check_function("constant_schedule", value)


@pytest.mark.slow
@quick
@given(maybe_rates, maybe_rates, st.integers(-2, 150), st.integers(-2, 100), st.floats(1, 4))
def test_linear_and_polynomial(
    start: float, end: float, steps: int, begin: int, power: float
) -> None:
    check_function("linear_schedule", start, end, steps, begin)
    check_function("polynomial_schedule", start, end, power, steps, begin)


@quick
@given(rates, maybe_rates, step_counts, st.floats(0.2, 1))
def test_polynomial_below_one(start: float, end: float, steps: int, power: float) -> None:
    # XLA divides by multiplying, and a root enlarges that error at the end, so use the formula.
    remaining = 1 - np.minimum(np.arange(STEPS), steps) / steps
    check_rates(
        ours.polynomial_schedule(start, end, power, steps), (start - end) * remaining**power + end
    )


@pytest.mark.slow
@settings(max_examples=10)  # jax compiles for every number of boundaries
@given(maybe_rates, st.dictionaries(counts, st.just(0.0) | factors, max_size=3))
def test_piecewise(start: float, scales: dict[int, float]) -> None:
    check_function("piecewise_constant_schedule", start, scales)
    check_function("piecewise_interpolate_schedule", "linear", start, scales)
    check_function("piecewise_interpolate_schedule", "cosine", start, scales)


def test_piecewise_without_boundaries() -> None:
    check_function("piecewise_constant_schedule", 0.1)
    check_function("piecewise_interpolate_schedule", "linear", 0.1)


decays = st.tuples(
    st.integers(-1, 50), st.sampled_from([0.0, 1.0]) | st.floats(0.8, 1.05), st.integers(-2, 100),
    st.just(False), st.none() | maybe_rates,
)  # fmt: skip


@quick
@given(maybe_rates, decays)
def test_exponential(start: float, decay: tuple[Any, ...]) -> None:
    check_function("exponential_decay", start, *decay)


@quick
@given(rates, st.integers(1, 50), st.floats(0.8, 1.05), st.integers(0, 100))
def test_exponential_staircase(start: float, steps: int, gamma: float, begin: int) -> None:
    # For arrays XLA divides by multiplying, and 49 / 49 is below 1, so evaluate single steps.
    optaxs = theirs.schedules.exponential_decay(start, steps, gamma, begin, staircase=True)
    near = [begin + stair * steps + offset for stair in range(4) for offset in (-1, 0, 1)]
    t = [step for step in near if step >= 0]
    mine = ours.exponential_decay(start, steps, gamma, begin, staircase=True)
    assert_allclose(mine(t, base=0.3), [float(optaxs(step)) for step in t], rtol=1e-12)


@quick
@given(maybe_rates, maybe_rates, counts, decays)
def test_warmup_and_exponential(
    start: float, peak: float, warmup: int, decay: tuple[Any, ...]
) -> None:
    check_function("warmup_exponential_decay_schedule", start, peak, warmup, *decay)
    check_function("warmup_constant_schedule", start, peak, warmup)


@pytest.mark.slow
@quick
@given(maybe_rates, maybe_rates, counts, step_counts, st.floats(0, 1.5), st.floats(0.3, 4))
def test_cosine(
    start: float, peak: float, warmup: int, steps: int, end: float, power: float
) -> None:
    check_function("cosine_decay_schedule", start, steps, end, power)
    check_function("warmup_cosine_decay_schedule", start, peak, warmup, warmup + steps, end, power)


@pytest.mark.slow
@quick
@given(step_counts, rates, st.floats(0, 1), st.floats(0, 1), st.floats(1, 50), st.floats(1, 1e5))
def test_onecycle(
    steps: int, peak: float, rise: float, back: float, div: float, final: float
) -> None:
    check_function("linear_onecycle_schedule", steps, peak, rise, back, div, final)
    check_function("cosine_onecycle_schedule", steps, peak, rise, div, final)
    check_function("linear_onecycle_schedule", steps, peak)
    check_function("cosine_onecycle_schedule", steps, peak)


cycles = st.builds(
    lambda start, peak, warmup, steps, end: {
        "init_value": start,
        "peak_value": peak,
        "warmup_steps": warmup,
        "decay_steps": warmup + steps,
        "end_value": end,
    },
    maybe_rates, rates, st.integers(0, 30), st.integers(1, 60), st.floats(0, 0.1),
)  # fmt: skip


@quick
@given(st.lists(cycles, min_size=1, max_size=4))
def test_sgdr(cosines: list[dict[str, Any]]) -> None:
    check_function("sgdr_schedule", cosines)


@quick
@given(st.lists(step_counts, min_size=1, max_size=4), rates)
def test_join(spans: list[int], rate: float) -> None:
    at = np.cumsum(spans).tolist()
    lines = [("linear_schedule", (rate, 0.0, 40)), ("exponential_decay", (rate, 10, 0.9))]
    names = [lines[i % 2] for i in range(len(at) + 1)]
    mine = ours.join_schedules([getattr(ours, name)(*arguments) for name, arguments in names], at)
    parts = [getattr(theirs.schedules, name)(*arguments) for name, arguments in names]
    check_rates(mine, collect_values(theirs.schedules.join_schedules(parts, at)))


def test_powers_of_zero_are_refused_where_optax_stays_constant() -> None:
    assert (collect_values(theirs.schedules.polynomial_schedule(1.0, 0.1, 0, 5)) == 1.0).all()
    assert (collect_values(theirs.schedules.cosine_decay_schedule(1.0, 5, exponent=0)) == 1.0).all()
    for kwargs in ({"power": 0}, {"power": -1}):
        with raises(ScheduleError, "power", f"got {kwargs['power']}"):
            ours.polynomial_schedule(1.0, 0.1, transition_steps=5, **kwargs)
    with raises(ScheduleError, "exponent", "got 0"):
        ours.cosine_decay_schedule(1.0, 5, exponent=0)


def test_negative_decay_rates_are_refused_where_optax_gives_nan() -> None:
    assert np.isnan(collect_values(theirs.schedules.exponential_decay(1.0, 2, -0.5))).any()
    with raises(ScheduleError, "decay_rate", "got -0.5"):
        ours.exponential_decay(1.0, 2, -0.5)


def test_surplus_schedules_are_refused_where_optax_ignores_them() -> None:
    parts = [(0.1, 0.0, 5), (0.2, 0.0, 5), (0.3, 0.0, 5)]
    joined = theirs.schedules.join_schedules([theirs.linear_schedule(*p) for p in parts], [5])
    assert collect_values(joined)[5:].max() == pytest.approx(0.2)  # the third never begins
    with raises(ScheduleError, "boundaries", "got [5] for 3"):
        ours.join_schedules([ours.linear_schedule(*p) for p in parts], [5])


metrics = st.lists(st.integers(-8, 8).map(lambda i: i / 4), min_size=40, max_size=40)


@pytest.mark.slow
@settings(max_examples=8)  # jax compiles for each
@given(
    metrics=st.lists(metrics, min_size=6, max_size=6),
    factor=st.sampled_from([0.1, 0.5]),
    patience=st.integers(1, 5),
    cooldown=st.integers(0, 4),
    tolerances=st.sampled_from([(0.125, 0.0), (0.0, 0.125)]),
    least=st.sampled_from([0.0, 0.3]),
)
def test_plateau(
    metrics: list[list[float]],
    factor: float,
    patience: int,
    cooldown: int,
    tolerances: tuple[float, float],
    least: float,
) -> None:
    arguments = (factor, patience, *tolerances, cooldown, 1, least)
    plateau = ours.reduce_on_plateau(*arguments)
    transform = theirs.contrib.reduce_on_plateau(*arguments)

    def scan_metrics(values: Any) -> Any:
        def step(state: Any, metric: Any) -> Any:
            scale, state = transform.update(np.ones(()), state, value=metric)
            return state, scale

        return jax.lax.scan(step, transform.init(np.ones(())), values)[1]

    scales = jax.jit(jax.vmap(scan_metrics))(np.array(metrics))
    for values, expected in zip(metrics, np.asarray(scales), strict=True):
        assert collect_metric_rates(plateau, values) == pytest.approx(expected, rel=1e-12)


def test_optax_without_patience_reduces_after_good_metrics() -> None:
    transform = theirs.contrib.reduce_on_plateau(patience=0)
    state = transform.init(np.ones(()))
    for metric, scale in ((1.0, 0.1), (1.0, 0.1), (0.5, 0.01)):
        _, state = transform.update(np.ones(()), state, value=metric)
        assert float(state.scale) == pytest.approx(scale)
    with raises(ScheduleError, "patience", "got 0"):
        ours.reduce_on_plateau(patience=0)


@pytest.mark.parametrize(
    ("name", "kwargs", "mentions"),
    [
        (
            "linear_schedule",
            {"init_value": 1, "end_value": -1, "transition_steps": 3},
            ("end_value", "got -1"),
        ),
        (
            "polynomial_schedule",
            {"init_value": 1, "end_value": 0, "power": 0, "transition_steps": 3},
            ("power", "got 0"),
        ),
        (
            "exponential_decay",
            {"init_value": 1, "transition_steps": 3, "decay_rate": -1},
            ("decay_rate", "got -1"),
        ),
        ("cosine_decay_schedule", {"init_value": 1, "decay_steps": 0}, ("decay_steps", "got 0")),
        (
            "warmup_cosine_decay_schedule",
            {"init_value": 0, "peak_value": 1, "warmup_steps": 9, "decay_steps": 9},
            ("decay_steps", "warmup_steps", "got 9 and 9"),
        ),
        (
            "piecewise_constant_schedule",
            {"init_value": 1, "boundaries_and_scales": {-3: 0.1}},
            ("boundary", "got -3"),
        ),
        (
            "piecewise_constant_schedule",
            {"init_value": 1, "boundaries_and_scales": {3: -0.1}},
            ("scale", "got -0.1"),
        ),
        (
            "piecewise_interpolate_schedule",
            {"interpolate_type": "cubic", "init_value": 1},
            ("interpolate_type", "got 'cubic'"),
        ),
        (
            "sgdr_schedule",
            {"cosine_kwargs": [{"peak": 1}]},
            ("cosine_kwargs", "init_value", "got {'peak': 1}"),
        ),
        ("reduce_on_plateau", {"atol": 0.1}, ("rtol", "atol", "got 0.0001 and 0.1")),
        ("reduce_on_plateau", {"accumulation_size": 5}, ("accumulation_size", "got 5")),
    ],
)
def test_errors_name_argument_and_value(
    name: str, kwargs: dict[str, Any], mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        getattr(ours, name)(**kwargs)


@pytest.mark.parametrize("name", ours.__all__)
def test_invalid_arguments_raise_a_schedule_error(name: str) -> None:
    check_invalid_arguments(getattr(ours, name))


@pytest.mark.parametrize("name", ours.__all__)
def test_arguments_equal_optaxs(name: str) -> None:
    home = theirs.contrib if name == "reduce_on_plateau" else theirs.schedules
    check_same_parameters(getattr(ours, name), getattr(home, name))
