"""lrlab.dialects.fvcore against fvcore's own functions of the progress."""

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import fvcore as ours
from lrlab.dialects import parse
from lrlab.errors import ScheduleError
from lrlab.schedules import Exponential, Schedule, Warmup
from tests.dialects.function_checks import check_invalid_arguments
from tests.raising import raises

theirs = pytest.importorskip("fvcore.common.param_scheduler", reason="fvcore is not installed")

values = st.floats(1e-4, 10)
totals = st.integers(1, 400)


def check_rates(schedule: Schedule, reference: Any, total: int) -> None:
    """Check the rates at every step of a training of ``total`` steps."""
    t = np.arange(total)
    expected = [reference(where) for where in (t / total).tolist()]
    # A cosine cancels near 0, relative to its highest value in this training or after it, and so do
    # the last steps of a line.
    atol = 1e-12 * max(*expected, reference(0.999))
    bound = schedule.bind(total_steps=total)
    for base in (0.1, 1.0):  # values are absolute
        assert_allclose(bound(t, base=base), expected, rtol=1e-12, atol=atol)
    assert repr(parse(repr(schedule))) == repr(schedule)


@settings(max_examples=30)
@given(start=values, end=st.floats(0, 10), total=totals)
def test_ramps(start: float, end: float, total: int) -> None:
    for name in ("LinearParamScheduler", "CosineParamScheduler"):
        kwargs = {"start_value": start, "end_value": end}
        check_rates(getattr(ours, name)(**kwargs), getattr(theirs, name)(**kwargs), total)
    check_rates(ours.ConstantParamScheduler(end), theirs.ConstantParamScheduler(end), total)


@settings(max_examples=30)
@given(value=values, decay=st.floats(1e-3, 2), power=st.floats(0.2, 5), total=totals)
def test_decays(value: float, decay: float, power: float, total: int) -> None:
    kwargs = {"start_value": value, "decay": decay}
    check_rates(
        ours.ExponentialParamScheduler(**kwargs), theirs.ExponentialParamScheduler(**kwargs), total
    )
    kwargs = {"base_value": value, "power": power}
    check_rates(
        ours.PolynomialDecayParamScheduler(**kwargs),
        theirs.PolynomialDecayParamScheduler(**kwargs),
        total,
    )


@settings(max_examples=30)
@given(data=st.data(), scale=st.integers(1, 5), stairs=st.lists(values, min_size=1, max_size=6))
def test_multi_step(data: st.DataObject, scale: int, stairs: list[float]) -> None:
    updates = data.draw(st.integers(len(stairs) + 1, 80))
    cuts = st.integers(1, updates - 1)
    size = len(stairs) - 1
    at = sorted(data.draw(st.lists(cuts, min_size=size, max_size=size, unique=True)))
    for kwargs in (
        {"values": stairs, "num_updates": updates, "milestones": at},
        {"values": stairs, "milestones": [*at, updates]},
    ):
        reference = theirs.MultiStepParamScheduler(**kwargs)
        check_rates(ours.MultiStepParamScheduler(**kwargs), reference, scale * updates)


@settings(max_examples=30)
@given(stairs=st.lists(values, min_size=1, max_size=7), scale=st.integers(1, 40))
def test_equal_steps(stairs: list[float], scale: int) -> None:
    total = scale * len(stairs)
    kwargs = {"values": stairs, "num_updates": total}
    check_rates(ours.StepParamScheduler(**kwargs), theirs.StepParamScheduler(**kwargs), total)
    check_rates(
        ours.MultiStepParamScheduler(**kwargs), theirs.MultiStepParamScheduler(**kwargs), total
    )


@settings(max_examples=30)
@given(base=values, decays=st.integers(1, 6), gamma=st.floats(0.05, 1.5), scale=st.integers(1, 40))
def test_fixed_gamma(base: float, decays: int, gamma: float, scale: int) -> None:
    total = scale * (decays + 1)
    kwargs = {"base_value": base, "num_decays": decays, "gamma": gamma, "num_updates": total}
    check_rates(
        ours.StepWithFixedGammaParamScheduler(**kwargs),
        theirs.StepWithFixedGammaParamScheduler(**kwargs),
        total,
    )


@st.composite
def schedule_pairs(draw: st.DrawFn) -> tuple[Schedule, Any]:
    """Draw a schedule as lrlab and fvcore build it."""
    a, b = draw(values), draw(values)
    name, arguments = draw(
        st.sampled_from(
            [
                ("ConstantParamScheduler", (a,)),
                ("LinearParamScheduler", (a, b)),
                ("CosineParamScheduler", (a, b)),
                ("ExponentialParamScheduler", (a, 0.1)),
                ("PolynomialDecayParamScheduler", (a, 2.0)),
                ("StepParamScheduler", (10, [a, b])),
            ]
        )
    )
    return getattr(ours, name)(*arguments), getattr(theirs, name)(*arguments)


# Tenths of a training; in one of a multiple of 20 steps, their halves are whole steps.
tenths = st.lists(st.integers(1, 4), min_size=1, max_size=4).filter(lambda cuts: sum(cuts) < 10)


@settings(max_examples=60)
@given(data=st.data(), cuts=tenths, scale=st.integers(1, 12))
def test_composites(data: st.DataObject, cuts: list[int], scale: int) -> None:
    lengths = [cut / 10 for cut in [*cuts, 10 - sum(cuts)]]
    scalings = data.draw(st.tuples(*[st.sampled_from(["rescaled", "fixed"])] * len(lengths)))
    both = data.draw(st.tuples(*[schedule_pairs()] * len(lengths)))
    mine = ours.CompositeParamScheduler([pair[0] for pair in both], lengths, scalings)
    reference = theirs.CompositeParamScheduler([pair[1] for pair in both], lengths[:], scalings)
    check_rates(mine, reference, 20 * scale)


@settings(max_examples=30)
@given(
    inner=st.tuples(schedule_pairs(), schedule_pairs(), schedule_pairs()),
    first=st.sampled_from(["rescaled", "fixed"]),
)
def test_composites_of_composites(inner: tuple[Any, ...], first: str) -> None:
    a, b, c = inner
    arguments = ([0.5, 0.5], [first, "rescaled"])
    mine = ours.CompositeParamScheduler([a[0], b[0]], *arguments)
    reference = theirs.CompositeParamScheduler([a[1], b[1]], *arguments)
    for order in (1, -1):
        check_rates(
            ours.CompositeParamScheduler([mine, c[0]][::order], [0.5, 0.5], ["rescaled"] * 2),
            theirs.CompositeParamScheduler(
                [reference, c[1]][::order], [0.5, 0.5], ["rescaled"] * 2
            ),
            160,
        )


def test_boundaries_between_steps_are_rounded() -> None:
    kwargs = {"values": [1.0, 2.0], "num_updates": 10, "milestones": [3]}
    mine = ours.MultiStepParamScheduler(**kwargs).bind(total_steps=11)  # 30 % are 3.3 steps
    reference = theirs.MultiStepParamScheduler(**kwargs)
    assert mine([2, 3, 4], base=1.0).tolist() == [1.0, 2.0, 2.0]
    assert [reference(t / 11) for t in (2, 3, 4)] == [1.0, 1.0, 2.0]


def test_the_last_value_holds_where_fvcore_continues() -> None:
    mine = ours.CosineParamScheduler(1.0, 0.5).bind(total_steps=10)
    assert mine([10, 15, 20], base=1.0).tolist() == [0.5, 0.5, 0.5]
    assert theirs.CosineParamScheduler(1.0, 0.5)(2.0) == 1.0
    stairs = ours.StepParamScheduler(10, [1.0, 0.5]).bind(total_steps=10)
    assert stairs(10, base=1.0) == 0.5
    with pytest.raises(IndexError):
        theirs.StepParamScheduler(10, [1.0, 0.5])(1.0)
    with pytest.raises(RuntimeError, match="must be in"):
        theirs.ConstantParamScheduler(1.0)(1.0)
    assert ours.ConstantParamScheduler(1.0)(10, base=0.1) == 1.0


constant = ours.ConstantParamScheduler(0.1)


@pytest.mark.parametrize(
    ("name", "arguments", "mentions"),
    [
        ("ConstantParamScheduler", ("0.1",), ("value", "got '0.1'")),
        ("LinearParamScheduler", (-1, 1), ("start_value", "got -1")),
        ("ExponentialParamScheduler", (1, 0), ("decay", "got 0")),
        ("PolynomialDecayParamScheduler", (1, 0), ("power", "got 0")),
        ("MultiStepParamScheduler", ([1, 2],), ("num_updates", "milestones", "got None")),
        ("MultiStepParamScheduler", ([], 3), ("values", "got []")),
        ("MultiStepParamScheduler", ([1, 2], 9, [3, 4]), ("milestones", "got [3, 4]")),
        ("MultiStepParamScheduler", ([1, 2, 3], 9, [4, 3]), ("milestones", "got [4, 3]")),
        ("MultiStepParamScheduler", ([1, 2], 9, [9]), ("milestones", "got [9]")),
        ("MultiStepParamScheduler", ([1, 2], 9, ["3"]), ("milestone", "got '3'")),
        ("MultiStepParamScheduler", ([1, 2], 1), ("num_updates", "got 1")),
        ("StepParamScheduler", (0, [1]), ("num_updates", "got 0")),
        ("StepParamScheduler", (10, 1), ("values", "got 1")),
        ("StepWithFixedGammaParamScheduler", (1, 0, 0.1, 5), ("num_decays", "got 0")),
        ("StepWithFixedGammaParamScheduler", (1, 2, 0, 5), ("gamma", "got 0")),
        ("CompositeParamScheduler", ([], [], []), ("CompositeParamScheduler", "got ([], [], [])")),
        ("CompositeParamScheduler", ([constant], [1], 3), ("CompositeParamScheduler", "[1], 3)")),
        (
            "CompositeParamScheduler",
            ([constant], [0.5, 0.5], ["fixed"]),
            ("schedulers, lengths and interval_scaling", "got 1, 2, 1"),
        ),
        ("CompositeParamScheduler", ([constant], [0.5], ["fixed"]), ("lengths", "got 0.5")),
        (
            "CompositeParamScheduler",
            ([constant], [1], ["scaled"]),
            ("interval_scaling", "got 'scaled'"),
        ),
        (
            "CompositeParamScheduler",
            ([0.1], [1], ["fixed"]),
            ("scheduler", "got 0.1"),
        ),
        (
            "CompositeParamScheduler",
            ([0.1] * 2, [0.5] * 2, ["fixed"] * 2),
            ("scheduler", "got 0.1"),
        ),
        (
            "CompositeParamScheduler",
            ([Exponential(0.9)], [1], ["fixed"]),
            ("schedulers", "got Exponential(0.9)"),
        ),
        ("StepWithFixedGammaParamScheduler", (1, 9, 1e99, 5), ("value", "got inf")),
        (
            "CompositeParamScheduler",
            ([Warmup(3)], [1], ["rescaled"]),
            ("schedulers", "got Warmup(3)"),
        ),
    ],
)
def test_errors_name_argument_and_value(
    name: str, arguments: tuple[Any, ...], mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        getattr(ours, name)(*arguments)


def test_names_arguments_and_defaults_equal_fvcores() -> None:
    assert sorted(["ParamScheduler", *ours.__all__]) == sorted(theirs.__all__)
    for name in ours.__all__:
        mine = inspect.signature(getattr(ours, name)).parameters
        whole = inspect.signature(getattr(theirs, name)).parameters
        assert [(p.name, p.default) for p in mine.values()] == [
            (p.name, p.default) for p in whole.values()
        ]


@pytest.mark.parametrize("name", ours.__all__)
def test_invalid_arguments_raise_a_schedule_error(name: str) -> None:
    check_invalid_arguments(getattr(ours, name))
