"""Formulas against Python's own arithmetic; Python functions as schedules."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import Custom, Formula
from tests.raising import raises

_NAMES = {
    name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "floor", "pi")
} | {"min": min, "max": max}

atoms = st.one_of(
    st.sampled_from(["t", "p", "T", "pi"]), st.floats(0.1, 9).map(lambda x: f"{x:.3f}")
)


def _extend_expression(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    # No functions with jumps, where the last bit decides: NumPy's may differ from Python's.
    operators = st.sampled_from(["+", "-", "*", "/"])
    return st.one_of(
        st.builds("({} {} {})".format, part, operators, part),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), part, part),
        st.builds("{}({})".format, st.sampled_from(["sin", "cos"]), part),
        st.builds("sqrt(max(0, {}))".format, part),
        st.builds("exp(min(2, {}))".format, part),
        st.builds("log(max(0.1, {}))".format, part),
        st.builds("(-{})".format, part),
        st.builds("({}) ** 2".format, part),
    )


@given(text=st.recursive(atoms, _extend_expression, max_leaves=12), t=st.integers(0, 30))
def test_a_formula_equals_the_same_expression_in_python(text: str, t: int) -> None:
    values = {**_NAMES, "t": float(t), "p": t / 30, "T": 30.0}
    try:
        expected = float(eval(text, {"__builtins__": {}}, values))
    except (ZeroDivisionError, OverflowError, ValueError):
        return
    formula = Formula(f"max(0, {text})", over=30)
    if expected < 1e300:
        assert_allclose(formula(t), max(0, expected), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "t // 4", "t % 4", "floor(t / 4)", "t < 7", "t <= 7", "t > 7", "t >= 7", "t == 7", "t != 7",
        "2 ** t", "t ** 2", "+t", "3 - -t", "10 < t < 20", "t" + " + t" * 500,
    ],
)  # fmt: skip
def test_operators_on_whole_steps_equal_python_exactly(text: str) -> None:
    for t in range(31):
        expected = eval(text, {**_NAMES, "t": t})
        assert Formula(text)(t) == float(expected)


def test_the_tutorials_formula() -> None:
    expected = [0.1 / (1 + 0.01 * t) for t in range(50)]
    assert_allclose(Formula("0.1/(1+0.01*t)")(range(50)), expected, rtol=1e-15)


def test_comparisons_chain_and_are_1_where_true() -> None:
    assert Formula("2 * (3 <= t < 5) + 1")([2, 3, 4, 5]).tolist() == [1, 3, 3, 1]


def test_the_last_value_holds() -> None:
    assert Formula("1 + t", over=3)([2, 3, 4, 99]).tolist() == [3, 4, 4, 4]
    assert Formula("p", over=0)(0) == 1.0


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("1 - t", ("t = 2", "-1")),
        ("1 / t", ("t = 0", "inf")),
        ("log(t - 3)", ("t = 0", "nan")),
        ("9**9**9**t", ("t = 1", "inf")),
    ],
)
def test_an_invalid_rate_raises_without_a_warning(text: str, mentions: tuple[str, ...]) -> None:
    with raises(ScheduleError, text, *mentions):
        Formula(text)(range(5))


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("1 / (1 + q)", "variable q;"),
        ("sine(t)", "cannot call sine; did you mean sin?"),
        ("exp(t, 2)", "exp takes one value, got 2"),
        ("min(t)", "min takes two or more values, got 1"),
        ("min()", "min takes two or more values, got 0"),
        ("t if t else 1", "cannot contain this"),
        ("t and 1", "cannot contain this"),
        ("t.real", "cannot contain this"),
        ("t[0]", "cannot contain this"),
        ("'a'", "cannot contain '"),
        ('1 # "x', 'cannot contain " #'),
        ("1 \\\n", "syntax error"),
        ("True", "cannot contain this"),
        ("t @ t", "cannot contain this"),
        ("exp(x=t)", "cannot call exp"),
        ("t +", "syntax error"),
        ("", "must not be empty"),
        (3, "must be a str"),
    ],
)
def test_invalid_formulas_are_refused(text: object, mention: str) -> None:
    with raises(ScheduleError, mention):
        Formula(text)


def test_a_function_gets_whole_steps_as_ints() -> None:
    steps = []

    def record(t: float) -> float:
        steps.append(t)
        return 1.0

    Custom(record)(np.array([0, 2, 2.5]))
    assert [(type(t), t) for t in steps] == [(int, 0), (int, 2), (float, 2.5)]


def test_functions_that_return_no_rate_are_refused() -> None:
    with raises(ScheduleError, "finite, non-negative rate", "-1"):
        Custom(lambda t: -1.0)(0)
    with raises(ScheduleError, "return a number", "None"):
        Custom(lambda t: None)(0)
    with raises(ScheduleError, "Custom: function", "0.1"):
        Custom(0.1)


def test_custom_schedules_are_equal_if_their_functions_are() -> None:
    assert Custom(abs) == Custom(abs)
    assert repr(Custom(abs)) == "Custom(abs)"
