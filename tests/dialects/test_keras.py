"""lrlab.dialects.keras against Keras' own schedules in float64."""

import math
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import keras as ours
from lrlab.errors import ScheduleError
from tests.dialects.function_checks import check_invalid_arguments, check_same_parameters
from tests.dialects.stepped_rates import collect_metric_rates
from tests.raising import raises

os.environ.setdefault("KERAS_BACKEND", "torch")


keras = pytest.importorskip("keras", reason="keras is not installed")
theirs = keras.optimizers.schedules

STEPS = 220
quick = settings(max_examples=25)
few_examples = settings(max_examples=12)  # Keras takes milliseconds a step
rates = st.floats(1e-3, 10)
step_counts = st.integers(1, 150)


@pytest.fixture(scope="module", autouse=True)
def float64() -> Iterator[None]:
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def collect_values(name: str, *arguments: Any, **kwargs: Any) -> Any:
    schedule = getattr(theirs, name)(*arguments, **kwargs)
    return np.array([float(schedule(t)) for t in range(STEPS)])


def check_rates(name: str, *arguments: Any, **kwargs: Any) -> None:
    expected = collect_values(name, *arguments, **kwargs)
    schedule = getattr(ours, name)(*arguments, **kwargs)
    # Keras subtracts numbers that are nearly equal, so values near 0 are as exact as the peak.
    atol = 1e-12 * np.abs(expected).max()
    assert_allclose(schedule(range(STEPS), base=0.3), expected, rtol=1e-12, atol=atol)


@quick
@given(rates, step_counts, st.floats(0.5, 1.05), st.booleans())
def test_exponential_and_inverse_time(
    rate: float, steps: int, decay: float, staircase: bool
) -> None:
    check_rates("ExponentialDecay", rate, steps, decay, staircase)
    check_rates("InverseTimeDecay", rate, steps, decay, staircase)


@quick
@given(st.lists(st.integers(0, 200), min_size=1, max_size=4, unique=True), st.data())
def test_piecewise_constant(boundaries: list[int], data: st.DataObject) -> None:
    count = len(boundaries) + 1
    levels = data.draw(st.lists(rates, min_size=count, max_size=count))
    check_rates("PiecewiseConstantDecay", sorted(boundaries), levels)


def test_a_boundary_acts_a_step_later_than_torchs() -> None:
    assert collect_values("PiecewiseConstantDecay", [3], [1.0, 0.1])[2:5].tolist() == [
        1.0,
        1.0,
        0.1,
    ]
    assert collect_values("PiecewiseConstantDecay", [3.0], [1.0, 0.1])[2:5].tolist() == [
        1.0,
        1.0,
        0.1,
    ]
    check_rates("PiecewiseConstantDecay", [3], [1.0, 0.1])


@few_examples
@given(rates, step_counts, st.floats(0, 1), st.floats(1, 3), st.booleans())
def test_polynomial(rate: float, steps: int, end: float, power: float, cycle: bool) -> None:
    check_rates("PolynomialDecay", rate, steps, end, power, cycle)
    check_rates("PolynomialDecay", rate, steps, power=0.5, cycle=cycle)
    check_rates("PolynomialDecay", rate, steps)


@quick
@given(st.just(0.0) | rates, step_counts, st.floats(0, 1.5), st.none() | rates, st.integers(0, 50))
def test_cosine(rate: float, steps: int, alpha: float, peak: float | None, warmup: int) -> None:
    check_rates("CosineDecay", rate, steps, alpha, warmup_target=peak, warmup_steps=warmup)


@pytest.mark.slow
@few_examples
@given(
    rates, step_counts, st.sampled_from([1.0, 1.5, 2.0]), st.sampled_from([1.0, 0.7, 1.2]),
    st.floats(0, 1),
)  # fmt: skip
def test_restarts(rate: float, steps: int, longer: float, higher: float, alpha: float) -> None:
    expected = collect_values("CosineDecayRestarts", rate, steps, longer, higher, alpha)
    rates = ours.CosineDecayRestarts(rate, steps, longer, higher, alpha)(range(STEPS), base=0.3)
    starts = np.cumsum(steps * longer ** np.arange(300 if longer == 1 else 20))
    away = np.abs(np.arange(STEPS)[:, None] - starts).min(axis=1) > 1e-9
    assert away.sum() > 0 or (steps == 1 and longer == 1)
    assert_allclose(rates[away], expected[away], rtol=1e-11, atol=1e-12 * expected.max())


def test_exponents_of_zero_are_refused_where_keras_never_falls() -> None:
    assert (collect_values("PolynomialDecay", 1.0, 5, power=0) == 1.0).all()
    assert (collect_values("InverseTimeDecay", 1.0, 5, 0.0) == 1.0).all()
    assert collect_values("ExponentialDecay", 1.0, 5, 0.0)[:2].tolist() == [1.0, 0.0]
    assert np.isnan(collect_values("CosineDecayRestarts", 1.0, 5, 0.5)).any()
    for name, kwargs, argument in (
        ("PolynomialDecay", {"power": 0}, "power"),
        ("InverseTimeDecay", {"decay_rate": 0}, "decay_rate"),
        ("ExponentialDecay", {"decay_rate": 0}, "decay_rate"),
        ("CosineDecayRestarts", {"t_mul": 0.5}, "t_mul"),
    ):
        with raises(ScheduleError, argument, f"got {kwargs[argument]}"):
            getattr(ours, name)(1.0, 5, **kwargs)


@pytest.fixture
def float32() -> Iterator[None]:
    keras.config.set_floatx("float32")
    yield
    keras.config.set_floatx("float64")


@pytest.mark.usefixtures("float32")
def test_keras_misses_a_restart_by_its_last_bits() -> None:
    # log(1.2**2) / log(1.2) is 1.999..., so at step 5 + 6 Keras still ends the second cosine.
    assert collect_values("CosineDecayRestarts", 1.0, 5, 1.2)[11] < 1e-6
    assert ours.CosineDecayRestarts(1.0, 5, 1.2)(11, base=0.3) == pytest.approx(1.0)


@pytest.mark.usefixtures("float32")
def test_keras_own_precision_is_float32() -> None:
    single = collect_values("CosineDecay", 0.1, 150, 0.1)
    rates = ours.CosineDecay(0.1, 150, 0.1)(range(STEPS), base=0.3)
    assert_allclose(rates, single, rtol=1e-5)
    assert np.abs(rates / single - 1).max() > 1e-9


def collect_callback_rates(metrics: list[float], base: float, **kwargs: Any) -> list[float]:
    """Collect the rates that Keras' own callback sets after each epoch."""
    callback = keras.callbacks.ReduceLROnPlateau(mode="min", **kwargs)
    optimizer = SimpleNamespace(learning_rate=base)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    after = []
    for epoch, metric in enumerate(metrics):
        callback.on_epoch_end(epoch, {"val_loss": metric})
        after.append(optimizer.learning_rate)
    return after


@quick
@given(
    metrics=st.lists(st.integers(-8, 8).map(lambda i: i / 4), min_size=40, max_size=40),
    factor=st.sampled_from([0.1, 0.5]),
    patience=st.integers(0, 4),
    delta=st.sampled_from([0.0, 0.125, -0.125]),
    cooldown=st.integers(0, 4),
    least=st.sampled_from([0.0, 0.0625, 0.5]),
)
def test_plateau(metrics: list[float], patience: int, **kwargs: Any) -> None:
    kwargs = {
        "factor": kwargs["factor"],
        "patience": patience,
        "min_delta": kwargs["delta"],
        "cooldown": kwargs["cooldown"],
        "min_lr": kwargs["least"],
    }
    expected = collect_callback_rates(metrics, 0.25, **kwargs)
    mine = collect_metric_rates(ours.ReduceLROnPlateau(**kwargs), metrics, base=0.25)
    assert mine == pytest.approx(expected, rel=1e-12)


def test_a_first_nan_is_the_best_metric_in_keras_only() -> None:
    metrics = [math.nan, 1.0, 0.5, 0.25, 0.1]
    assert collect_callback_rates(metrics, 1.0, patience=2)[-1] == pytest.approx(0.01)
    assert collect_metric_rates(ours.ReduceLROnPlateau(patience=2), metrics) == [1.0] * 5


def test_a_floor_above_the_start_is_refused_where_keras_climbs() -> None:
    assert collect_values("CosineDecayRestarts", 0.1, 50, alpha=1.5)[49] > 0.14
    with raises(ScheduleError, "alpha", "got 1.5"):
        ours.CosineDecayRestarts(0.1, 50, alpha=1.5)


@pytest.mark.parametrize(
    ("metric", "mode"),
    [
        (keras.metrics.BinaryAccuracy(), "max"),
        (keras.metrics.AUC(), "max"),
        (keras.metrics.Precision(), "max"),
        (keras.metrics.R2Score(), "max"),
        (keras.metrics.MeanSquaredError(), "min"),
        (keras.metrics.CategoricalCrossentropy(), "min"),
        (keras.metrics.Hinge(), "min"),
    ],
)
def test_direction_by_name_equals_keras(metric: Any, mode: str) -> None:
    assert metric._direction == {"max": "up", "min": "down"}[mode]
    assert ours.ReduceLROnPlateau(f"val_{metric.name}").mode == mode
    assert ours.ReduceLROnPlateau().mode == "min"
    other = {"max": "min", "min": "max"}[mode]
    assert ours.ReduceLROnPlateau(metric.name, mode=other).mode == other


@pytest.mark.parametrize(
    ("name", "arguments", "mentions"),
    [
        ("ReduceLROnPlateau", {"monitor": "val_joy"}, ("monitor", "got 'val_joy'")),
        ("ReduceLROnPlateau", {"mode": "least"}, ("mode", "got 'least'")),
        ("ExponentialDecay", (0.1, 0, 0.9), ("decay_steps", "got 0")),
        ("PiecewiseConstantDecay", ([3, 1], [1, 2, 3]), ("boundaries", "got [3, 1]")),
        ("PiecewiseConstantDecay", ([1, 3], [1, 2]), ("levels", "got 2 and 2")),
        ("CosineDecayRestarts", (0.1, 10, 0.5), ("t_mul", "got 0.5")),
        ("PolynomialDecay", (-0.1, 10), ("initial_learning_rate", "got -0.1")),
    ],
)
def test_errors_name_argument_and_value(
    name: str, arguments: Any, mentions: tuple[str, ...]
) -> None:
    function = getattr(ours, name)
    with raises(ScheduleError, *mentions):
        function(**arguments) if isinstance(arguments, dict) else function(*arguments)


@pytest.mark.parametrize("name", ours.__all__)
def test_invalid_arguments_raise_a_schedule_error(name: str) -> None:
    check_invalid_arguments(getattr(ours, name))


@pytest.mark.parametrize("name", ours.__all__)
def test_arguments_equal_keras(name: str) -> None:
    home = keras.callbacks if name == "ReduceLROnPlateau" else theirs
    check_same_parameters(getattr(ours, name), getattr(home, name), omitted=("name", "verbose"))
