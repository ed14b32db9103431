"""lrlab.dialects.composer against Composer's own schedulers, batch by batch."""

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import composer as ours
from lrlab.dialects import parse
from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule
from tests.dialects.function_checks import check_invalid_arguments, check_same_parameters
from tests.raising import raises


def iterate_composer_modules() -> Iterator[ModuleType]:
    """Import Composer's times and schedulers without its packages' ``__init__``."""
    found = find_spec("composer")
    if found is None or not found.submodule_search_locations:
        return
    root = Path(found.submodule_search_locations[0])
    before = {name: sys.modules.pop(name) for name in [*sys.modules] if name.startswith("composer")}
    packages = {}
    for name in ("composer", "composer.core", "composer.utils", "composer.optim"):
        packages[name] = sys.modules[name] = ModuleType(name)
        packages[name].__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    enum = import_module("composer.utils.string_enum").StringEnum
    vars(packages["composer.utils"])["StringEnum"] = enum
    times = import_module("composer.core.time")
    vars(packages["composer.core"]).update(State=object, Time=times.Time, TimeUnit=times.TimeUnit)
    yield times
    yield import_module("composer.optim.scheduler")
    for name in [name for name in sys.modules if name.startswith("composer")]:
        del sys.modules[name]
    sys.modules.update(before)


LOADED = tuple(iterate_composer_modules())
needs_composer = pytest.mark.skipif(
    not LOADED, reason="Composer is not installed (pip install --no-deps mosaicml is enough)"
)
ignore_zero_warmup = pytest.mark.filterwarnings("ignore:\\s*The warmup duration is 0:UserWarning")


def compute_factors(
    name: str, epochs: int, length: int, in_batches: bool, **kwargs: Any
) -> np.ndarray:
    """Compute Composer's own factors in a training of ``epochs`` epochs of ``length`` batches."""
    times, schedulers = LOADED
    scheduler = getattr(schedulers, name)(**kwargs)
    whole = times.Time(epochs * length, "ba") if in_batches else times.Time(epochs, "ep")
    return np.array(
        [
            scheduler(
                SimpleNamespace(
                    max_duration=whole,
                    dataloader_len=length,
                    timestamp=times.Timestamp(batch=batch, epoch=batch // length),
                )
            )
            for batch in range(epochs * length)
        ]
    )


@st.composite
def trainings(draw: st.DrawFn) -> tuple[int, int, bool]:
    """Draw the number of epochs, their batches, and whether ``max_duration`` is in batches."""
    return draw(st.integers(2, 8)), draw(st.integers(2, 20)), draw(st.booleans())


def check_rates(training: tuple[int, int, bool], name: str, **kwargs: Any) -> None:
    epochs, length, _ = training
    schedule: Schedule = getattr(ours, name)(**kwargs)
    expected = compute_factors(name, *training, **kwargs)
    rates = schedule.bind(total_steps=epochs * length, steps_per_epoch=length)(
        range(epochs * length)
    )
    # Near 0 a cosine cancels, and so do the last steps of a line.
    assert_allclose(rates, expected, rtol=1e-12, atol=1e-12 * max(1.0, expected.max()))
    assert repr(parse(repr(schedule))) == repr(schedule)


def draw_time(
    draw: st.DrawFn, training: tuple[int, int, bool], units: tuple[str, ...] = ("ep", "ba", "dur")
) -> str:
    """Draw a time above 0 within the training that is a whole number of batches."""
    epochs, length, _ = training
    unit = draw(st.sampled_from(units))
    if unit == "dur":
        fraction = draw(st.integers(1, 20)) / 20
        steps = fraction * epochs * length
        assume(steps >= 1 and int(steps) == round(steps, 9))
        return f"{fraction}dur"
    return f"{draw(st.integers(1, epochs if unit == 'ep' else epochs * length))}{unit}"


factors = st.floats(0, 2)
gammas = st.floats(0.05, 1.2)


@needs_composer
@settings(max_examples=30)
@given(data=st.data(), training=trainings(), gamma=gammas)
def test_steps(data: st.DataObject, training: tuple[int, int, bool], gamma: float) -> None:
    time = draw_time(data.draw, training)
    check_rates(training, "StepScheduler", step_size=time, gamma=gamma)
    check_rates(training, "StepScheduler", step_size=time)
    check_rates(training, "ExponentialScheduler", decay_period=time, gamma=gamma)
    check_rates(training, "ExponentialScheduler", gamma=gamma)


@needs_composer
@settings(max_examples=30)
@given(data=st.data(), training=trainings(), gamma=gammas, unit=st.sampled_from(["ep", "ba"]))
def test_multi_step(
    data: st.DataObject, training: tuple[int, int, bool], gamma: float, unit: str
) -> None:
    at = data.draw(st.lists(st.integers(0, 20), min_size=1, max_size=4).map(sorted))
    milestones = [f"{n}{unit}" for n in at]
    check_rates(training, "MultiStepScheduler", milestones=milestones, gamma=gamma)
    warmup = f"{data.draw(st.integers(1, 10))}{unit}"  # milestones within it too
    kwargs = {"t_warmup": warmup, "milestones": milestones, "gamma": gamma}
    check_rates(training, "MultiStepWithWarmupScheduler", **kwargs)


@needs_composer
@settings(max_examples=30)
@given(data=st.data(), training=trainings(), a=factors, b=factors, power=st.floats(0.3, 4))
def test_ramps(
    data: st.DataObject, training: tuple[int, int, bool], a: float, b: float, power: float
) -> None:
    for more in ({}, {"t_max": draw_time(data.draw, training)}):
        check_rates(training, "ConstantScheduler", alpha=a, **more)
        check_rates(training, "LinearScheduler", alpha_i=a, alpha_f=b, **more)
        check_rates(training, "LinearScheduler", **more)
        check_rates(training, "CosineAnnealingScheduler", alpha_f=b, **more)
        check_rates(training, "PolynomialScheduler", power=power, alpha_f=b, **more)


@needs_composer
@settings(max_examples=30)
@given(data=st.data(), training=trainings(), mult=st.integers(1, 3), floor=factors)
def test_warm_restarts(
    data: st.DataObject, training: tuple[int, int, bool], mult: int, floor: float
) -> None:
    kwargs = {"t_0": draw_time(data.draw, training), "t_mult": mult, "alpha_f": floor}
    check_rates(training, "CosineAnnealingWarmRestartsScheduler", **kwargs)


@pytest.mark.slow
@needs_composer
@ignore_zero_warmup
@settings(max_examples=25)
@given(
    data=st.data(),
    training=trainings(),
    warmup=st.integers(0, 5),
    longer=st.integers(0, 30),
    a=factors,
    b=factors,
    power=st.floats(0.3, 4),
)
def test_with_warmup(
    data: st.DataObject,
    training: tuple[int, int, bool],
    warmup: int,
    longer: int,
    a: float,
    b: float,
    power: float,
) -> None:
    epochs, length, _ = training
    whole = epochs * length
    assume(warmup < epochs)
    for kwargs in (
        {"t_warmup": draw_time(data.draw, training, ("ep", "dur"))},
        {"t_warmup": f"{warmup}ba"},
        {"t_warmup": f"{warmup}ep", "t_max": f"{epochs + longer}ep"},
        {"t_warmup": f"{warmup}ba", "t_max": f"{whole + longer}ba"},
        {"t_warmup": f"{warmup}ba", "t_max": "1dur"},
    ):
        if kwargs.get("t_warmup") == f"{epochs}ep" or kwargs["t_warmup"] == "1.0dur":
            continue  # no step follows the warm-up
        check_rates(training, "ConstantWithWarmupScheduler", alpha=a, **kwargs)
        check_rates(training, "LinearWithWarmupScheduler", alpha_i=a, alpha_f=b, **kwargs)
        check_rates(training, "LinearWithWarmupScheduler", **kwargs)
        check_rates(training, "CosineAnnealingWithWarmupScheduler", alpha_f=b, **kwargs)
        check_rates(training, "PolynomialWithWarmupScheduler", alpha_f=b, power=power, **kwargs)
        check_rates(training, "PolynomialWithWarmupScheduler", **kwargs)


@needs_composer
def test_fractions_are_rounded() -> None:
    kwargs = {"milestones": ["0.29dur"]}
    assert (
        compute_factors("MultiStepScheduler", 10, 10, True, **kwargs)[28] == 0.1
    )  # 0.29 * 100 < 29
    schedule = ours.MultiStepScheduler(**kwargs).bind(total_steps=100)
    assert schedule([28, 29]).tolist() == [1.0, 0.1]


@needs_composer
def test_lengths_of_cycles_are_not_rounded_down() -> None:
    kwargs = {"t_0": "5ba", "t_mult": 1.5}
    theirs = compute_factors("CosineAnnealingWarmRestartsScheduler", 5, 5, False, **kwargs)
    assert np.flatnonzero(theirs == 1).tolist() == [0, 5, 12, 22]  # 5, 7 and 10 batches
    schedule = ours.CosineAnnealingWarmRestartsScheduler(**kwargs)
    assert schedule([0, 5, 12.5, 23.75]).tolist() == [1.0] * 4


@needs_composer
def test_t_max_may_be_within_the_training() -> None:
    kwargs = {"t_warmup": "1ep", "t_max": "3ep"}
    with pytest.raises(ValueError, match="must be greater than or equal to max_duration"):
        compute_factors("LinearWithWarmupScheduler", 5, 10, False, **kwargs)
    schedule = ours.LinearWithWarmupScheduler(**kwargs).bind(total_steps=50, steps_per_epoch=10)
    assert schedule([5, 10, 20, 30, 40]).tolist() == [0.5, 1.0, 0.5, 0.0, 0.0]


@needs_composer
def test_milestones_of_another_unit_act_within_the_warmup() -> None:
    kwargs = {"t_warmup": "20ba", "milestones": ["1ep", "3ep"]}
    waited = compute_factors("MultiStepWithWarmupScheduler", 6, 10, False, **kwargs)
    assert waited[[5, 10, 19, 20]] == pytest.approx([0.25, 0.5, 0.95, 0.1])
    schedule = ours.MultiStepWithWarmupScheduler(**kwargs).bind(total_steps=60, steps_per_epoch=10)
    assert schedule([5, 10, 19, 20]) == pytest.approx([0.25, 0.05, 0.095, 0.1])


@needs_composer
def test_the_factor_holds_past_the_end() -> None:
    times, schedulers = LOADED
    end = SimpleNamespace(
        max_duration=times.Time(10, "ba"), timestamp=times.Timestamp(batch=10), dataloader_len=10
    )
    assert schedulers.ConstantScheduler(0.5)(end) == 1.0
    assert ours.ConstantScheduler(0.5)(10) == 0.5


@pytest.mark.parametrize(
    ("name", "kwargs", "mentions"),
    [
        ("StepScheduler", {"step_size": 30}, ("time", "got 30.")),
        ("StepScheduler", {"step_size": "30"}, ("time", "got '30'")),
        ("StepScheduler", {"step_size": "30tok"}, ("time", "got '30tok'")),
        ("StepScheduler", {"step_size": "1.5ep"}, ("time", "got '1.5ep'")),
        ("StepScheduler", {"step_size": "0ep"}, ("every", "got '0ep'")),
        ("LinearScheduler", {"t_max": "1.5dur"}, ("time", "got '1.5dur'")),
        ("MultiStepScheduler", {"milestones": "5ep"}, ("milestones", "got '5ep'")),
        ("MultiStepScheduler", {"milestones": ["5ba", "3ba"]}, ("milestones", "got [5, 3]")),
        ("ConstantScheduler", {"alpha": -1}, ("level", "got -1")),
        (
            "LinearWithWarmupScheduler",
            {"t_warmup": "9ep", "t_max": "9ep"},
            ("t_max", "got '9ep' and '9ep'"),
        ),
        (
            "LinearWithWarmupScheduler",
            {"t_warmup": "9ba", "t_max": "9ep"},
            ("t_max", "got '9ep' and '9ba'"),
        ),
        (
            "CosineAnnealingWarmRestartsScheduler",
            {"t_0": "9ep", "t_mult": 0.5},
            ("growth", "got 0.5"),
        ),
    ],
)
def test_errors_name_argument_and_value(
    name: str, kwargs: dict[str, Any], mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        getattr(ours, name)(**kwargs)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("10ep", 'Step("10ep")'),
        ("1e3ba", "Step(1000)"),
        ("0.29dur", 'Step("29%")'),
        (" 5EP", 'Step("5ep")'),
    ],
)
def test_times(time: str, text: str) -> None:
    assert repr(ours.StepScheduler(time)) == text


@pytest.mark.parametrize("name", ours.__all__)
def test_invalid_arguments_raise_a_schedule_error(name: str) -> None:
    check_invalid_arguments(getattr(ours, name))


@needs_composer
@pytest.mark.parametrize("name", ours.__all__)
def test_names_arguments_and_defaults_equal_composers(name: str) -> None:
    schedulers = LOADED[1]
    other_names = {"ComposerScheduler", "compile_composer_scheduler"}
    assert {*ours.__all__, *other_names} == set(schedulers.__all__)
    check_same_parameters(getattr(ours, name), getattr(schedulers, name), omitted=("scale_warmup",))
