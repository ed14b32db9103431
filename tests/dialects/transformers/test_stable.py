"""transformers' warm-up, stable phase and decay."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlab.dialects import transformers as ours
from lrlab.errors import ScheduleError
from tests.dialects.transformers.stepping import (
    bases,
    check_rates,
    cycles,
    factors,
    collect_foreign_rates,
)


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
    words: dict[str, Any] = {"num_warmup_steps": warmup, "num_decay_steps": decay}
    check_rates("get_wsd_schedule", base, num_stable_steps=stable, **words)
    words |= {"warmup_type": types[0], "decay_type": types[1], "min_lr_ratio": floor}
    total = warmup + stable + decay
    check_rates("get_wsd_schedule", base, num_training_steps=total, num_cycles=waves, **words)


def test_a_training_shorter_than_its_phases_is_refused_on_purpose() -> None:
    words = {"num_warmup_steps": 10, "num_decay_steps": 20, "num_training_steps": 25}
    jump = collect_foreign_rates("get_wsd_schedule", 1.0, **words)
    assert jump[10] == pytest.approx((1 + math.cos(math.pi * 5 / 20)) / 2)
    with pytest.raises(ScheduleError, match=r"must be at least 30, .* got 25"):
        ours.get_wsd_schedule(**words)


@pytest.mark.parametrize("word", ["warmup_type", "decay_type"])
def test_types_of_wsd_are_those_of_transformers(word: str) -> None:
    with pytest.raises(ScheduleError, match=f"{word} must be .* got 'sqrt'"):
        ours.get_wsd_schedule(5, 5, 50, **{word: "sqrt"})
