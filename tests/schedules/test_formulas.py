"""Formulas against Python's own arithmetic, and functions of one's own."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import Custom, Formula

_NAMES = {
    name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "floor", "pi")
} | {"min": min, "max": max}

atoms = st.one_of(
    st.sampled_from(["t", "p", "T", "pi"]), st.floats(0.1, 9).map(lambda x: f"{x:.3f}")
)


def _grown(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    # Where a function jumps the last bit decides, and NumPy's may be another than Python's.
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


@given(text=st.recursive(atoms, _grown, max_leaves=12), t=st.integers(0, 30))
def test_a_formula_means_what_it_means_in_python(text: str, t: int) -> None:
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
def test_operators_on_whole_steps_are_pythons_own(text: str) -> None:
    for t in range(31):
        expected = eval(text, {**_NAMES, "t": t})
        assert Formula(text)(t) == float(expected)


def test_the_article_s_formula() -> None:
    expected = [0.1 / (1 + 0.01 * t) for t in range(50)]
    assert_allclose(Formula("0.1/(1+0.01*t)")(range(50)), expected, rtol=1e-15)


def test_comparisons_chain_and_are_worth_one() -> None:
    assert Formula("2 * (3 <= t < 5) + 1")([2, 3, 4, 5]).tolist() == [1, 3, 3, 1]


def test_the_last_value_holds() -> None:
    assert Formula("1 + t", over=3)([2, 3, 4, 99]).tolist() == [3, 4, 4, 4]
    assert Formula("p", over=0)(0) == 1.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 - t", "at t = 2 it gives -1"),
        ("1 / t", "at t = 0 it gives inf"),
        ("log(t - 3)", "at t = 0 it gives nan"),
        ("9**9**9**t", "at t = 1 it gives inf"),
    ],
)
def test_a_value_that_is_no_rate_is_an_error_and_no_warning(text: str, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        Formula(text)(range(5))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / (1 + q)", "a formula knows no q"),
        ("sine(t)", "cannot call sine; did you mean sin?"),
        ("exp(t, 2)", "exp takes one value, got 2"),
        ("min(t)", "min takes two or more values, got 1"),
        ("min()", "min takes two or more values, got 0"),
        ("t if t else 1", "cannot hold this"),
        ("t and 1", "cannot hold this"),
        ("t.real", "cannot hold this"),
        ("t[0]", "cannot hold this"),
        ("'a'", "cannot hold '"),
        ('1 # "x', 'cannot hold " #'),
        ("1 \\\n", "cannot"),
        ("True", "cannot hold this"),
        ("t @ t", "cannot hold this"),
        ("exp(x=t)", "cannot call exp"),
        ("t +", "cannot be read"),
        ("", "must not be empty"),
        (3, "must be a str"),
    ],
)
def test_what_a_formula_cannot_be(text: object, said: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        Formula(text)
    assert said in str(caught.value)


def test_a_function_gets_whole_steps_as_ints() -> None:
    seen = []

    def remember(t: float) -> float:
        seen.append(t)
        return 1.0

    Custom(remember)(np.array([0, 2, 2.5]))
    assert [(type(t), t) for t in seen] == [(int, 0), (int, 2), (float, 2.5)]


def test_functions_that_give_no_rate() -> None:
    with pytest.raises(ScheduleError, match="must give a finite rate of 0 or more"):
        Custom(lambda t: -1.0)(0)
    with pytest.raises(ScheduleError, match="must return a number, got None"):
        Custom(lambda t: None)(0)
    with pytest.raises(ScheduleError, match="must be callable"):
        Custom(0.1)


def test_equality_is_that_of_the_function() -> None:
    assert Custom(abs) == Custom(abs)
    assert repr(Custom(abs)) == "Custom(abs)"
