"""to_code: exported code, run in its library, has the schedule's rates."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects.export import to_code
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Cosine,
    Custom,
    InverseSqrt,
    Linear,
    Noise,
    Plateau,
    Polynomial,
    Schedule,
    Warmup,
    parse,
)
from lrlab.schedules.durations import Horizon
from tests.dialects.export.strategies import BASE, STEPS, schedules
from tests.dialects.stepped_rates import collect_metric_rates, collect_rates, make_sgd
from tests.raising import raises
from tests.schedules.builders import BUILTIN_BUILDERS


def list_steps(schedule: Schedule) -> np.ndarray:
    """List the steps up to the schedule's end; past it libraries may differ."""
    length = schedule.compute_length(Horizon())
    return np.arange(int(min(length, STEPS)) + 1)


def check_rates(schedule: Schedule, rates: Any) -> None:
    expected = schedule(list_steps(schedule), base=BASE)
    # torch multiplies its rates up, and 1 + cos cancels near 0.
    assert_allclose(rates, expected, rtol=1e-9, atol=1e-12 * max(1.0, expected.max()))


def write_code(schedule: Schedule, library: str) -> str:
    """Write the code; skip the example if the library cannot express the schedule."""
    try:
        return to_code(schedule, library, BASE)
    except ScheduleError as error:
        refused = str(error)
    assert f"{library} cannot express" in refused
    return reject()


def run_on_optimizer(code: str, steps: int) -> np.ndarray:
    def build(optimizer: torch.optim.Optimizer) -> Any:
        names: dict[str, Any] = {"optimizer": optimizer}
        exec(code, names)
        return names["scheduler"]

    return collect_rates(build, BASE, steps)


@pytest.mark.slow
@settings(max_examples=250)
@given(schedule=schedules)
def test_torch(schedule: Schedule) -> None:
    code = write_code(schedule, "torch")
    check_rates(schedule, run_on_optimizer(code, len(list_steps(schedule))))


@pytest.mark.parametrize("name", [name for name in BUILTIN_BUILDERS if name != "Custom"])
def test_every_schedule_of_lrlab_is_written_for_torch_or_refused_with_a_remedy(name: str) -> None:
    example = parse(BUILTIN_BUILDERS[name].gallery_example)
    schedule = example.bind(total_steps=100, steps_per_epoch=10)
    try:
        code = to_code(schedule, "torch", BASE)
    except ScheduleError as error:
        refused = str(error)
    else:
        if not schedule.needs_metric:
            check_rates(schedule, run_on_optimizer(code, len(list_steps(schedule))))
        return
    assert "torch cannot express" in refused
    assert "use lrlab.LRScheduler" in refused


def test_a_cosine_held_past_its_end_does_not_climb_in_torch() -> None:
    schedule = parse("Cosine(2).until(5) >> Warmup(3)")
    check_rates(
        schedule, run_on_optimizer(write_code(schedule, "torch"), len(list_steps(schedule)))
    )
    assert "CosineAnnealingLR" in to_code(parse("Cosine(5).until(2) >> Warmup(3)"), "torch", BASE)


@pytest.mark.slow
@settings(max_examples=100)
@given(schedule=schedules)
def test_optax(schedule: Schedule) -> None:
    pytest.importorskip("optax")
    import jax

    code = write_code(schedule, "optax")
    with jax.enable_x64(True):
        names: dict[str, Any] = {}
        exec(code, names)
        steps = jax.numpy.arange(STEPS + 1)  # always as many: jax compiles for each number
        # A constant returns one number for any number of steps.
        rates = np.broadcast_to(np.asarray(jax.vmap(names["schedule"])(steps)), steps.shape)
        check_rates(schedule, rates[: len(list_steps(schedule))])


@pytest.mark.parametrize(
    "text", ["InverseSqrt(10)", "Step(5, 0.5)", "Cooldown(30)", 'Formula("(1 + t)**-0.5")']
)
def test_code_for_optax_takes_plain_numbers(text: str) -> None:
    pytest.importorskip("optax")
    schedule = parse(f"Warmup(11, start=0.0) >> {text}")
    names: dict[str, Any] = {}
    exec(to_code(schedule, "optax", BASE), names)
    rates = [float(names["schedule"](t)) for t in range(40)]
    assert_allclose(rates, schedule(range(40), base=BASE), rtol=1e-5, atol=1e-7)  # in float32


@settings(max_examples=50)
@given(
    warmup=st.integers(0, 30),
    rest=st.sampled_from(
        [
            "Constant(1.0)",
            "Linear(1.0, 0.0, over=40)",
            "Cosine(40)",
            "Cosine(40, end=0.1)",
            "Cosine(40, end=Absolute(0.1))",
            "Polynomial(2, over=40, end=0.1)",
            "InverseSqrt(30)",
            "Constant(1.0, over=10) >> Linear(1.0, 0.0, over=40)",
            "Constant(1.0, over=10) >> Cosine(40)",
            "Constant(1.0, over=10) >> Cooldown(40)",
        ]
    ),
)
def test_transformers(warmup: int, rest: str) -> None:
    pytest.importorskip("transformers")
    text = f"Warmup({warmup}, start=0.0) >> {rest}" if warmup else rest
    schedule = parse(text)
    check_rates(
        schedule,
        run_on_optimizer(to_code(schedule, "transformers", BASE), len(list_steps(schedule))),
    )


@pytest.mark.parametrize(
    "text",
    [
        "Linear(1.0, 0.1, over=40)",
        "Polynomial(2, over=40, end=0.1)",
        "Cosine(40, end=0.1)",
        "Warmup(5) >> Cosine(40, end=Absolute(0.01))",
        "Warmup(5, start=0.0) >> Cosine(40)",
        "Cosine(10, end=0.1).repeat(growth=2)",
        "Cosine(10).repeat(decay=0.5)",
        "Exponential(0.9, every=5)",
        "Step(5, 0.5)",
        "InverseTime(0.5, every=3)",
        "InverseTime(0.5, every=3).staircase(3)",
        "MultiStep([3, 9], 0.5)",
        "PiecewiseConstant([3, 9], [1.0, Absolute(0.3), 0.1])",
    ],
)
def test_keras(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    schedule = parse(text)
    names: dict[str, Any] = {}
    exec(to_code(schedule, "keras", BASE), names)
    default_dtype = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        check_rates(schedule, [float(names["schedule"](t)) for t in list_steps(schedule)])
    finally:
        keras.config.set_floatx(default_dtype)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Warmup(5) >> Cosine(45)", ["SequentialLR", "LinearLR", "CosineAnnealingLR"]),
        ("Constant(0.5, over=5) >> Constant(1.0)", ["ConstantLR"]),
        (
            "Exponential(0.9) * Linear(0.1, 1.0, over=5)",
            ["ChainedScheduler", "ExponentialLR", "LinearLR"],
        ),
        ("Step(3)", ["StepLR"]),
        ("MultiStep([3, 5])", ["MultiStepLR"]),
        ("Polynomial(2, over=5)", ["PolynomialLR"]),
        ("Cosine(5, end=Absolute(0.1)).repeat(growth=2)", ["CosineAnnealingWarmRestarts"]),
        ("InverseTime(0.1)", ["LambdaLR"]),
    ],
)
def test_torchs_own_classes_are_used_if_they_fit(text: str, names: list[str]) -> None:
    code = to_code(parse(text), "torch")
    imported = code.splitlines()[0].removeprefix("from torch.optim.lr_scheduler import ")
    assert imported.split(", ") == sorted(names)
    for name in names:
        assert f"{name}(" in code


@settings(max_examples=30)
@given(
    losses=st.lists(st.floats(0, 1), max_size=40),
    patience=st.integers(0, 3),
    at_patience=st.booleans(),
    low=st.one_of(st.floats(0, 0.1), st.builds(Absolute, st.floats(0, 0.1))),
)
def test_a_plateau_for_torch(
    losses: list[float], patience: int, at_patience: bool, low: Any
) -> None:
    plateau = Plateau(0.5, patience=patience, at_patience=at_patience, low=low)
    optimizer = make_sgd(BASE)
    names: dict[str, Any] = {"optimizer": optimizer}
    exec(to_code(plateau, "torch", BASE), names)
    expected = []
    for loss in losses:
        names["scheduler"].step(loss)
        expected.append(optimizer.param_groups[0]["lr"])
    assert collect_metric_rates(plateau, losses, BASE) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("schedule", "library", "base", "mentions"),
    [
        (Cosine(5, end=0.1), "torch", None, ("base", "factor 0.1")),
        (Linear(Absolute(0.1), 1, over=5), "torch", None, ("base", "Absolute(0.1)")),
        (Cosine(5), "optax", None, ("base", "factor 1")),
        (InverseSqrt(5), "optax", None, ("base", "InverseSqrt(5)")),
        (Cosine(5), "keras", None, ("base", "factor 1")),
        (Polynomial(2, over=5, end=0.1), "transformers", None, ("base", "factor 0.1")),
        (Cosine(5), "torch", 0, ("base", "got 0")),
        (Cosine(5), "torsch", None, ("library", "got 'torsch'")),
        (Cosine(5), None, None, ("library", "got None")),
        ("Cosine(5)", "torch", None, ("schedule", "got 'Cosine(5)'")),
        (Cosine(), "torch", None, ("Cosine()", "`total_steps`")),
        (Custom(lambda t: 1.0), "torch", None, ("torch", "Custom(", "lrlab.LRScheduler")),
        (Warmup(5) >> Plateau(), "torch", None, ("torch", "Plateau()", "lrlab.LRScheduler")),
        (Warmup(5) >> Noise(0.1), "optax", 0.1, ("optax", "Noise(0.1)")),
        (Warmup(5) >> Cosine(5), "transformers", None, ("transformers", "Warmup(5) >> Cosine(5)")),
        (InverseSqrt(5), "keras", 0.1, ("keras", "InverseSqrt(5)")),
    ],
)
def test_errors_name_argument_and_value(
    schedule: Any, library: Any, base: Any, mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        to_code(schedule, library, base)
