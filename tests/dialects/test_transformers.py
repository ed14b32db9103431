"""lrlab.dialects.transformers against transformers' own schedulers, step by step."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import parse
from lrlab.dialects import transformers as ours
from lrlab.errors import ScheduleError
from tests.dialects import stepped_rates
from tests.dialects.function_checks import check_invalid_arguments
from tests.dialects.stepped_rates import STEPS, collect_metric_rates, make_sgd
from tests.raising import raises

theirs = pytest.importorskip("transformers.optimization", reason="transformers is not installed")

bases = st.floats(1e-4, 10)
factors = st.floats(0, 1)
cycles = st.one_of(st.just(0.5), st.floats(0.1, 5))


def collect_foreign_rates(name: str, base: float, **arguments: Any) -> np.ndarray:
    """Collect the rates of transformers' own scheduler at steps 0, 1, ..."""
    return stepped_rates.collect_rates(lambda sgd: getattr(theirs, name)(sgd, **arguments), base)


def check_rates(
    name: str, base: float, until: int = STEPS, skip: tuple[int, ...] = (), **arguments: Any
) -> None:
    """Check the rates at steps up to ``until`` except ``skip``."""
    schedule = getattr(ours, name)(**arguments)
    t = np.setdiff1d(np.arange(min(until + 1, STEPS)), skip)
    expected = collect_foreign_rates(name, base, **arguments)[t]
    # Near 0 a cosine cancels, and so does the last step of a line.
    assert_allclose(schedule(t, base=base), expected, rtol=1e-12, atol=1e-12 * base)
    assert repr(parse(repr(schedule))) == repr(schedule)


warmups = st.integers(0, 120)
rates = st.floats(0, 1e-4)


@st.composite
def step_counts(draw: st.DrawFn) -> tuple[int, int]:
    """Draw the steps of a warm-up and of a training, which may be shorter."""
    warmup = draw(warmups)
    return warmup, max(1, warmup + draw(st.integers(-5, 200)))


@settings(max_examples=25)
@given(base=bases, warmup=warmups)
def test_constant(base: float, warmup: int) -> None:
    check_rates("get_constant_schedule", base)
    check_rates("get_constant_schedule_with_warmup", base, num_warmup_steps=warmup)


@settings(max_examples=25)
@given(base=bases, span=step_counts())
def test_linear(base: float, span: tuple[int, int]) -> None:
    kwargs = {"num_warmup_steps": span[0], "num_training_steps": span[1]}
    check_rates("get_linear_schedule_with_warmup", base, **kwargs)


@settings(max_examples=30)
@given(base=bases, span=step_counts(), waves=cycles)
def test_cosine(base: float, span: tuple[int, int], waves: float) -> None:
    kwargs = {"num_warmup_steps": span[0], "num_training_steps": span[1]}
    end = max(span[1], span[0] + 1)
    check_rates("get_cosine_schedule_with_warmup", base, until=end, **kwargs)
    check_rates("get_cosine_schedule_with_warmup", base, until=end, num_cycles=waves, **kwargs)


@settings(max_examples=30)
@given(base=bases, span=step_counts(), restarts=st.integers(1, 12))
def test_hard_restarts(base: float, span: tuple[int, int], restarts: int) -> None:
    name = "get_cosine_with_hard_restarts_schedule_with_warmup"
    warmup, total = span
    kwargs = {"num_warmup_steps": warmup, "num_training_steps": total}
    check_rates(name, base, **kwargs)
    rest = max(1, total - warmup)
    begins = [warmup + k * rest // restarts for k in range(restarts) if not k * rest % restarts]
    check_rates(name, base, skip=tuple(begins), num_cycles=restarts, **kwargs)
    schedule = ours.get_cosine_with_hard_restarts_schedule_with_warmup(warmup, total, restarts)
    assert_allclose(schedule(begins), 1.0)


def test_a_restart_on_a_whole_step_begins_there() -> None:
    name = "get_cosine_with_hard_restarts_schedule_with_warmup"
    kwargs = {"num_warmup_steps": 0, "num_training_steps": 49, "num_cycles": 49}
    first = collect_foreign_rates(name, 1.0, **kwargs)[:49]
    assert first.min() < 1e-9  # 49 * (1 / 49) is below 1
    assert (getattr(ours, name)(**kwargs)(range(49)) == 1).all()


@settings(max_examples=30)
@given(base=bases, span=step_counts(), end=rates, power=st.floats(0.3, 4))
def test_polynomial(base: float, span: tuple[int, int], end: float, power: float) -> None:
    warmup, total = span
    kwargs = {"num_warmup_steps": warmup, "num_training_steps": total}
    name = "get_polynomial_decay_schedule_with_warmup"
    if base > end and warmup != total:
        check_rates(name, base, lr_end=end, power=power, **kwargs)
    if base > 1e-7 and warmup != total:
        check_rates(name, base, **kwargs)


def test_polynomials_that_transformers_refuses() -> None:
    name = "get_polynomial_decay_schedule_with_warmup"
    kwargs = {"num_warmup_steps": 20, "num_training_steps": 20}
    with pytest.raises(ZeroDivisionError):
        collect_foreign_rates(name, 1.0, **kwargs)
    schedule = ours.get_polynomial_decay_schedule_with_warmup(20, 20)
    assert schedule([19, 20, 21], base=1.0).tolist() == [0.95, 1e-7, 1e-7]
    with pytest.raises(ValueError, match="must be smaller than initial lr"):
        collect_foreign_rates(name, 0.1, lr_end=0.2, **kwargs)
    assert ours.get_polynomial_decay_schedule_with_warmup(0, 20, lr_end=0.2)(20, base=0.1) == 0.2


@settings(max_examples=25)
@given(base=bases, warmup=warmups, timescale=st.integers(1, 300))
def test_inverse_sqrt(base: float, warmup: int, timescale: int) -> None:
    check_rates("get_inverse_sqrt_schedule", base, num_warmup_steps=warmup)
    check_rates("get_inverse_sqrt_schedule", base, num_warmup_steps=warmup, timescale=timescale)


@pytest.mark.slow
@settings(max_examples=30)
@given(base=bases, span=step_counts(), waves=cycles, rate=rates, factor=factors, start=factors)
def test_cosines_with_a_floor(
    base: float, span: tuple[int, int], waves: float, rate: float, factor: float, start: float
) -> None:
    warmup, total = span
    kwargs: dict[str, Any] = {"num_warmup_steps": warmup, "num_training_steps": total}
    end = max(total, warmup + 1)
    name = "get_cosine_with_min_lr_schedule_with_warmup"
    for floor in ({"min_lr": rate}, {"min_lr_rate": factor}):
        check_rates(name, base, until=end, **kwargs, **floor)
        check_rates(name, base, until=end, num_cycles=waves, **kwargs, **floor)
        # This one ends one step earlier.
        check_rates(f"{name}_lr_rate", base, until=end - 1, **kwargs, **floor)
        more = {"num_cycles": waves, "warmup_lr_rate": start}
        check_rates(f"{name}_lr_rate", base, until=end - 1, **kwargs, **floor, **more)


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("get_cosine_schedule_with_warmup", {}),
        ("get_cosine_with_min_lr_schedule_with_warmup", {"min_lr_rate": 0.0}),
        ("get_cosine_with_min_lr_schedule_with_warmup_lr_rate", {"min_lr_rate": 0.0}),
    ],
)
def test_cosines_hold_their_end_where_transformers_climb(name: str, kwargs: dict) -> None:
    span = {"num_warmup_steps": 10, "num_training_steps": 100}
    schedule = getattr(ours, name)(**span, **kwargs)
    assert_allclose(schedule([100, 150, 190]), 0, atol=1e-15)
    assert collect_foreign_rates(name, 1.0, **span, **kwargs)[190] > 0.99


@pytest.mark.parametrize(
    "name",
    ["get_cosine_schedule_with_warmup", "get_cosine_with_hard_restarts_schedule_with_warmup"],
)
def test_zero_waves_are_refused_where_transformers_stays_at_the_peak(name: str) -> None:
    kwargs = {"num_warmup_steps": 5, "num_training_steps": 30}
    assert (collect_foreign_rates(name, 1.0, **kwargs, num_cycles=0)[5:30] == 1).all()
    assert collect_foreign_rates(name, 1.0, **kwargs, num_cycles=-1)[12] < 0.9
    for waves in (0, -1):
        with raises(ScheduleError, name, "num_cycles", f"got {waves}"):
            getattr(ours, name)(**kwargs, num_cycles=waves)


@pytest.mark.parametrize("span", [(0, 0), (5, 0), (5, 5), (0, 1)])
def test_no_steps_after_the_warmup(span: tuple[int, int]) -> None:
    kwargs = {"num_warmup_steps": span[0], "num_training_steps": span[1]}
    check_rates("get_linear_schedule_with_warmup", 0.1, **kwargs)
    end = max(span[1], span[0] + 1)
    check_rates("get_cosine_schedule_with_warmup", 0.1, until=end, **kwargs)


@settings(max_examples=30)
@given(
    base=bases,
    warmup=st.integers(0, 60),
    stable=st.integers(0, 60),
    decay=st.integers(0, 90),
    types=st.tuples(*[st.sampled_from(["linear", "cosine", "1-sqrt"])] * 2),
    floor=factors,
    waves=cycles,
)
def test_wsd(
    base: float,
    warmup: int,
    stable: int,
    decay: int,
    types: tuple[str, str],
    floor: float,
    waves: float,
) -> None:
    kwargs: dict[str, Any] = {"num_warmup_steps": warmup, "num_decay_steps": decay}
    check_rates("get_wsd_schedule", base, num_stable_steps=stable, **kwargs)
    kwargs |= {"warmup_type": types[0], "decay_type": types[1], "min_lr_ratio": floor}
    total = warmup + stable + decay
    check_rates("get_wsd_schedule", base, num_training_steps=total, num_cycles=waves, **kwargs)


def test_a_training_shorter_than_its_phases_is_refused() -> None:
    kwargs = {"num_warmup_steps": 10, "num_decay_steps": 20, "num_training_steps": 25}
    jump = collect_foreign_rates("get_wsd_schedule", 1.0, **kwargs)
    assert jump[10] == pytest.approx((1 + math.cos(math.pi * 5 / 20)) / 2)
    with raises(ScheduleError, "num_training_steps", "got 25"):
        ours.get_wsd_schedule(**kwargs)


@pytest.mark.parametrize("argument", ["warmup_type", "decay_type"])
def test_types_of_wsd_are_those_of_transformers(argument: str) -> None:
    with raises(ScheduleError, argument, "got 'sqrt'"):
        ours.get_wsd_schedule(5, 5, 50, **{argument: "sqrt"})


metrics = st.lists(
    # Multiples of 1/64 below 2**20 add up without rounding, so that averages are the same.
    st.one_of(st.integers(-200, 200).map(lambda n: n / 64), st.sampled_from([math.nan])),
    min_size=20,
    max_size=120,
)
modes = st.sampled_from(["min", "max"])
threshold_modes = st.sampled_from(["rel", "abs"])
small_counts = st.integers(0, 4)
eps = st.sampled_from([0.0, 1e-8, 1e-3])


def check_metric_rates(name: str, base: float, losses: list[float], kwargs: dict[str, Any]) -> None:
    optimizer = make_sgd(base)
    scheduler = getattr(theirs, name)(optimizer, **kwargs)
    expected = []
    for loss in losses:
        scheduler.step(loss)
        expected.append(optimizer.param_groups[0]["lr"])
    rates = collect_metric_rates(getattr(ours, name)(**kwargs), losses, base)
    assert rates == pytest.approx(expected, rel=1e-12)


@settings(max_examples=60)
@given(
    base=st.floats(1e-3, 10),
    losses=metrics,
    kwargs=st.fixed_dictionaries(
        {},
        optional={
            "mode": modes,
            "factor": st.floats(0, 0.99),
            "patience": small_counts,
            "threshold": st.floats(0, 0.5),
            "threshold_mode": threshold_modes,
            "cooldown": small_counts,
            "min_lr": st.floats(0, 1e-2),
            "eps": eps,
        },
    ),
)
def test_reduce_on_plateau(base: float, losses: list[float], kwargs: dict[str, Any]) -> None:
    check_metric_rates("get_reduce_on_plateau_schedule", base, losses, kwargs)


@pytest.mark.slow
@settings(max_examples=100)
@given(
    base=st.floats(1e-4, 10),
    losses=metrics,
    kwargs=st.fixed_dictionaries(
        {"patience": small_counts, "reset_start": small_counts},
        optional={
            "mode": modes,
            "factor": st.floats(0.05, 0.99),
            "threshold": st.floats(0, 0.5),
            "threshold_mode": threshold_modes,
            "cooldown": small_counts,
            "warmup": small_counts,
            "min_lr": st.floats(0, 1e-1),
            "max_lr": st.floats(0.1, 10),
            "eps": eps,
            "smooth": st.booleans(),
            "window_size": st.integers(1, 8),
        },
    ),
)
def test_greedy(base: float, losses: list[float], kwargs: dict[str, Any]) -> None:
    if kwargs.get("smooth"):
        losses = [0.0 if math.isnan(loss) else loss for loss in losses]
    check_metric_rates("get_greedy_schedule", base, losses, kwargs)
    check_metric_rates("get_greedy_schedule", base, losses, {})


def test_a_nan_leaves_the_window() -> None:
    kwargs = {"smooth": True, "window_size": 2, "patience": 0, "factor": 0.5}
    losses = [math.nan, 1.0, 1.0, 1.0]
    optimizer = make_sgd(0.1)
    scheduler = theirs.get_greedy_schedule(optimizer, **kwargs)
    for loss in losses:
        scheduler.step(loss)
    # Two metrics are bad in both; the third is the first good one here.
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 / 16)
    rates = collect_metric_rates(ours.get_greedy_schedule(**kwargs), losses, 0.1)
    assert rates[-1] == pytest.approx(0.1 / 2 / 2 * 2 / 2)


@pytest.mark.parametrize("kind", list(theirs.TYPE_TO_SCHEDULER_FUNCTION))
def test_get_scheduler_knows_every_name(kind: Any) -> None:
    extras: dict[str, dict[str, Any]] = {
        "cosine_with_restarts": {"num_cycles": 3},
        "cosine_with_min_lr": {"min_lr": 1e-3},
        "cosine_warmup_with_min_lr": {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2},
        "warmup_stable_decay": {"num_decay_steps": 40, "decay_type": "linear"},
        "reduce_lr_on_plateau": {"factor": 0.5, "patience": 3},
        "greedy": {"factor": 0.5, "patience": 3},
        "constant_with_warmup": {"ignored": 1},
        "constant": {"ignored": 1},
    }
    kwargs = extras.get(kind.value)
    optimizer = make_sgd(0.1)
    scheduler = theirs.get_scheduler(kind, optimizer, 10, 150, kwargs)
    schedule = ours.get_scheduler(kind.value, 10, 150, kwargs)
    assert repr(ours.get_scheduler(kind, 10, 150, kwargs)) == repr(schedule)
    state = schedule.init_state()
    for t in range(150):
        current_schedule = schedule.with_state(state)
        assert current_schedule(t, base=0.1) == pytest.approx(
            optimizer.param_groups[0]["lr"], rel=1e-12, abs=1e-13
        )
        optimizer.step()
        if schedule.needs_metric:
            scheduler.step(t % 7)
            state = schedule.update_state(state, t, t % 7, 0.1)
        else:
            scheduler.step()


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        (("cosin",), ("name", "got 'cosin'")),
        ((3,), ("name", "got 3")),
        (("linear",), ("linear", "got None")),
        (("linear", 5), ("linear", "got None")),
        (("warmup_stable_decay", 5, 50), ("warmup_stable_decay", "got None")),
        (
            ("warmup_stable_decay", 5, None, {"num_decay_steps": 5}),
            ("num_training_steps", "num_stable_steps", "got None"),
        ),
        (
            ("cosine", 5, 50, {"num_cycle": 2}),
            ("scheduler_specific_kwargs", "num_cycles", "got 'num_cycle'"),
        ),
        (
            ("linear", 5, 50, {"last_epoch": 2}),
            ("scheduler_specific_kwargs", "linear", "got 'last_epoch'"),
        ),
        (
            ("inverse_sqrt", 5, 50, {"num_warmup_steps": 2}),
            ("scheduler_specific_kwargs", "timescale", "got 'num_warmup_steps'"),
        ),
        (("cosine_with_min_lr", 5, 50), ("min_lr", "min_lr_rate", "got None and None")),
        (
            ("cosine_with_min_lr", 5, 50, {"min_lr": 0, "min_lr_rate": 0}),
            ("min_lr", "min_lr_rate", "got 0 and 0"),
        ),
        (("cosine", 5, 50, {"num_cycles": 0}), ("num_cycles", "got 0")),
        (("cosine_with_restarts", 5, 50, {"num_cycles": 1.5}), ("num_cycles", "got 1.5")),
        (("linear", -5, 50), ("num_warmup_steps", "got -5")),
        (("linear", 5, "50"), ("num_training_steps", "got '50'")),
        (("polynomial", 5, 50, {"lr_end": -1}), ("lr_end", "got -1")),
        (("inverse_sqrt", 5, 50, {"timescale": 0}), ("tau", "got 0")),
        (("reduce_lr_on_plateau", None, None, {"factor": 1.0}), ("factor", "got 1.0")),
        (("greedy", None, None, {"reset_start": 1.5}), ("reset_start", "got 1.5")),
    ],
)
def test_errors_name_argument_and_value(
    arguments: tuple[Any, ...], mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        ours.get_scheduler(*arguments)


def list_parameters(function: Callable[..., Any]) -> dict[str, Any]:
    omitted = {"self", "optimizer", "last_epoch", "verbose"}
    whole = inspect.signature(function).parameters
    return {name: p.default for name, p in whole.items() if name not in omitted}


def test_names_arguments_and_defaults_equal_transformers() -> None:
    classes = {
        "get_reduce_on_plateau_schedule": torch.optim.lr_scheduler.ReduceLROnPlateau,
        "get_greedy_schedule": theirs.GreedyLR,
    }
    known = [name for name in vars(theirs) if name.startswith("get_") and "sched" in name]
    assert sorted([*ours.__all__, "get_adafactor_schedule"]) == sorted(known)
    for name in ours.__all__:
        whole = classes.get(name, getattr(theirs, name))
        mine, transformers = list_parameters(getattr(ours, name)), list_parameters(whole)
        assert list(mine.items()) == list(transformers.items())


@pytest.mark.parametrize("name", [name for name in ours.__all__ if name != "get_constant_schedule"])
def test_invalid_arguments_raise_a_schedule_error(name: str) -> None:
    check_invalid_arguments(getattr(ours, name))
