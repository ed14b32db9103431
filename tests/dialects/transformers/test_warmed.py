"""transformers' warm-ups and what follows them, step by step."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import transformers as ours
from lrlab.errors import ScheduleError
from tests.dialects.transformers.stepping import (
    bases,
    check_rates,
    cycles,
    factors,
    collect_foreign_rates,
)

warmups = st.integers(0, 120)
rates = st.floats(0, 1e-4)


@st.composite
def step_counts(draw: st.DrawFn) -> tuple[int, int]:
    """A warm-up, and a training that may even be shorter."""
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
    words = {"num_warmup_steps": span[0], "num_training_steps": span[1]}
    check_rates("get_linear_schedule_with_warmup", base, **words)


@settings(max_examples=30)
@given(base=bases, span=step_counts(), waves=cycles)
def test_cosine(base: float, span: tuple[int, int], waves: float) -> None:
    words = {"num_warmup_steps": span[0], "num_training_steps": span[1]}
    end = max(span[1], span[0] + 1)
    check_rates("get_cosine_schedule_with_warmup", base, until=end, **words)
    check_rates("get_cosine_schedule_with_warmup", base, until=end, num_cycles=waves, **words)


@settings(max_examples=30)
@given(base=bases, span=step_counts(), restarts=st.integers(1, 12))
def test_hard_restarts(base: float, span: tuple[int, int], restarts: int) -> None:
    name = "get_cosine_with_hard_restarts_schedule_with_warmup"
    warmup, total = span
    words = {"num_warmup_steps": warmup, "num_training_steps": total}
    check_rates(name, base, **words)
    rest = max(1, total - warmup)
    begins = [warmup + k * rest // restarts for k in range(restarts) if not k * rest % restarts]
    check_rates(name, base, skip=tuple(begins), num_cycles=restarts, **words)
    schedule = ours.get_cosine_with_hard_restarts_schedule_with_warmup(warmup, total, restarts)
    assert_allclose(schedule(begins), 1.0)


def test_a_restart_on_a_whole_step_begins_there_on_purpose() -> None:
    name = "get_cosine_with_hard_restarts_schedule_with_warmup"
    words = {"num_warmup_steps": 0, "num_training_steps": 49, "num_cycles": 49}
    first = collect_foreign_rates(name, 1.0, **words)[:49]
    assert first.min() < 1e-9  # 49 * (1 / 49) is below 1
    assert (getattr(ours, name)(**words)(range(49)) == 1).all()


@settings(max_examples=30)
@given(base=bases, span=step_counts(), end=rates, power=st.floats(0.3, 4))
def test_polynomial(base: float, span: tuple[int, int], end: float, power: float) -> None:
    warmup, total = span
    words = {"num_warmup_steps": warmup, "num_training_steps": total}
    name = "get_polynomial_decay_schedule_with_warmup"
    if base > end and warmup != total:
        check_rates(name, base, lr_end=end, power=power, **words)
    if base > 1e-7 and warmup != total:
        check_rates(name, base, **words)


def test_polynomials_that_only_we_have() -> None:
    name = "get_polynomial_decay_schedule_with_warmup"
    words = {"num_warmup_steps": 20, "num_training_steps": 20}
    with pytest.raises(ZeroDivisionError):
        collect_foreign_rates(name, 1.0, **words)
    schedule = ours.get_polynomial_decay_schedule_with_warmup(20, 20)
    assert schedule([19, 20, 21], base=1.0).tolist() == [0.95, 1e-7, 1e-7]
    with pytest.raises(ValueError, match="must be smaller than initial lr"):
        collect_foreign_rates(name, 0.1, lr_end=0.2, **words)
    assert ours.get_polynomial_decay_schedule_with_warmup(0, 20, lr_end=0.2)(20, base=0.1) == 0.2


@settings(max_examples=25)
@given(base=bases, warmup=warmups, timescale=st.integers(1, 300))
def test_inverse_sqrt(base: float, warmup: int, timescale: int) -> None:
    check_rates("get_inverse_sqrt_schedule", base, num_warmup_steps=warmup)
    check_rates("get_inverse_sqrt_schedule", base, num_warmup_steps=warmup, timescale=timescale)


@settings(max_examples=30)
@given(base=bases, span=step_counts(), waves=cycles, rate=rates, factor=factors, start=factors)
def test_cosines_with_a_floor(
    base: float, span: tuple[int, int], waves: float, rate: float, factor: float, start: float
) -> None:
    warmup, total = span
    words: dict[str, Any] = {"num_warmup_steps": warmup, "num_training_steps": total}
    end = max(total, warmup + 1)
    name = "get_cosine_with_min_lr_schedule_with_warmup"
    for floor in ({"min_lr": rate}, {"min_lr_rate": factor}):
        check_rates(name, base, until=end, **words, **floor)
        check_rates(name, base, until=end, num_cycles=waves, **words, **floor)
        # This one is at its end a step sooner.
        check_rates(f"{name}_lr_rate", base, until=end - 1, **words, **floor)
        more = {"num_cycles": waves, "warmup_lr_rate": start}
        check_rates(f"{name}_lr_rate", base, until=end - 1, **words, **floor, **more)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("get_cosine_schedule_with_warmup", {}),
        ("get_cosine_with_min_lr_schedule_with_warmup", {"min_lr_rate": 0.0}),
        ("get_cosine_with_min_lr_schedule_with_warmup_lr_rate", {"min_lr_rate": 0.0}),
    ],
)
def test_cosines_hold_their_end_where_transformers_climb(name: str, words: dict) -> None:
    span = {"num_warmup_steps": 10, "num_training_steps": 100}
    schedule = getattr(ours, name)(**span, **words)
    assert_allclose(schedule([100, 150, 190]), 0, atol=1e-15)
    assert collect_foreign_rates(name, 1.0, **span, **words)[190] > 0.99


@pytest.mark.parametrize(
    "name",
    ["get_cosine_schedule_with_warmup", "get_cosine_with_hard_restarts_schedule_with_warmup"],
)
def test_no_waves_are_refused_where_transformers_stays_at_the_peak(name: str) -> None:
    words = {"num_warmup_steps": 5, "num_training_steps": 30}
    assert (collect_foreign_rates(name, 1.0, **words, num_cycles=0)[5:30] == 1).all()
    assert collect_foreign_rates(name, 1.0, **words, num_cycles=-1)[12] < 0.9
    for waves in (0, -1):
        with pytest.raises(ScheduleError, match=f"{name}: num_cycles must be .* got {waves}"):
            getattr(ours, name)(**words, num_cycles=waves)


@pytest.mark.parametrize("span", [(0, 0), (5, 0), (5, 5), (0, 1)])
def test_no_steps_after_the_warmup(span: tuple[int, int]) -> None:
    words = {"num_warmup_steps": span[0], "num_training_steps": span[1]}
    check_rates("get_linear_schedule_with_warmup", 0.1, **words)
    end = max(span[1], span[0] + 1)
    check_rates("get_cosine_schedule_with_warmup", 0.1, until=end, **words)
