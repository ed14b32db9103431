"""Units, horizons, and the rounding of parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlab.schedules import Constant, Cosine, Exponential, Formula, Linear, Sequential, Step, Warmup
from lrlab.schedules.durations import Horizon, convert_duration


@given(
    percentages=st.lists(st.floats(0, 40), min_size=1, max_size=8),
    total=st.integers(1, 10_000),
)
def test_parts_always_add_up_to_the_whole(percentages: list[float], total: int) -> None:
    percentages = [100 * p / max(1, sum(percentages)) for p in percentages]
    parts = [Constant(1.0, over=f"{min(p, 100)!r}%") for p in percentages]
    whole = Sequential((*parts, Cosine())).bind(total_steps=total)
    lengths = [part.over for part in whole.children()]
    assert sum(lengths) == total
    assert all(length == int(length) >= 0 for length in lengths)


def test_durations_round_to_the_nearest_step_and_ties_up() -> None:
    assert Warmup("5%").bind(total_steps=50) == Warmup(3)  # 2.5
    assert Warmup("4.9%").bind(total_steps=50) == Warmup(2)  # 2.45
    assert Warmup("0.5ep").bind(steps_per_epoch=17) == Warmup(9)  # 8.5


def test_units_can_be_mixed() -> None:
    schedule = (Warmup("2ep") >> Constant(1.0, over=7) >> Linear(1, 0)).bind(
        total_steps=100, steps_per_epoch=10
    )
    assert schedule == Warmup(20) >> Constant(1.0, over=7) >> Linear(1, 0, over=73)


def test_the_rest_of_the_training_is_never_negative() -> None:
    assert (Warmup(5) >> Cosine()).bind(total_steps=50) == Warmup(5) >> Cosine(45)
    assert (Warmup(5) >> Cosine()).bind(total_steps=3) == Warmup(5) >> Cosine(0)
    assert (Warmup(5) * Cosine()).bind(total_steps=50) == Warmup(5) * Cosine(50)


def test_a_percentage_refers_to_the_whole_training_at_any_place() -> None:
    inner = Warmup("10%") >> (Constant(1.0, over="10%") * Exponential(0.9)).until("10%")
    bound = (inner >> Cosine("10%")).bind(total_steps=200)
    assert repr(bound) == (
        "Warmup(20) >> (Constant(1.0, over=20) * Exponential(0.9)).until(20) >> Cosine(20)"
    )


def test_a_period_is_rounded_the_same_at_any_place() -> None:
    bound = (Warmup("2.5%") >> Step("2.5%")).bind(total_steps=100)  # 2.5 and 2.5
    assert bound == Warmup(3) >> Step(3)


def test_a_formula_fills_the_rest_if_it_needs_an_end() -> None:
    assert Formula("1 - p").bind(total_steps=8) == Formula("1 - p", over=8)
    assert Formula("1 / (1 + t)").bind(total_steps=8) == Formula("1 / (1 + t)")


@pytest.mark.parametrize(
    ("text", "converted"),
    [("5ep", "5ep"), (" 5.0 ep", "5ep"), ("12.50%", "12.5%"), (".5ep", "0.5ep"), (5.0, 5)],
)
def test_durations_have_a_canonical_form(text: float | str, converted: float | str) -> None:
    assert convert_duration(text) == converted


@pytest.mark.parametrize("text", ["", "ep", "5", "-5ep", "5 ep ep", "1e999%", "٣ep" * 20, -1, 1e16])
def test_invalid_durations_are_refused(text: float | str) -> None:
    assert convert_duration(text) is None


@given(amount=st.floats(0, 100), unit=st.sampled_from(["ep", "%"]))
def test_the_canonical_form_is_stable(amount: float, unit: str) -> None:
    once = convert_duration(f"{amount!r}{unit}")
    assert once is not None
    assert convert_duration(once) == once
    assert Horizon(total_steps=100, steps_per_epoch=1).to_exact_steps(once) == pytest.approx(
        amount, rel=1e-12
    )
