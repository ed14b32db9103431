"""fastai's fraction of the training gives each batch, in arithmetic and in a real Learner."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab import Cosine, Linear, Plateau, Warmup
from lrlab.adapters.fastai import to_function
from lrlab.errors import ScheduleError, SchedulerError
from tests.raising import raises

EPOCHS, BATCHES = 3, 5
STEPS = EPOCHS * BATCHES


@given(st.integers(1, 40), st.integers(1, 400), st.data())
def test_every_fraction_that_fastai_sums_up_gives_its_batch(
    epochs: int, batches: int, data: st.DataObject
) -> None:
    total = epochs * batches
    schedule = Linear(0.0, 1.0, over=total)  # no two batches have the same value
    get_lr = to_function(schedule, 0.1, total_steps=total)
    for i in data.draw(st.lists(st.integers(0, total - 1), max_size=20)):
        assert get_lr(i / total) == schedule(i, base=0.1)
    epoch = data.draw(st.integers(0, epochs - 1))
    fraction = epoch / epochs  # TrainEvalCallback, in callback/core.py
    for i in range(batches):
        assert get_lr(fraction) == schedule(epoch * batches + i, base=0.1)
        fraction += 1.0 / (batches * epochs)


def test_groups_have_their_own_base() -> None:
    get_lrs = to_function(
        "Warmup('20%') >> Cosine('2ep')", [0.1, 1.0], total_steps=15, steps_per_epoch=6
    )
    schedule = Warmup(3) >> Cosine(12)
    assert get_lrs(4 / 15) == [schedule(4, base=0.1), schedule(4, base=1.0)]


def test_mistakes_fail_at_once() -> None:
    with raises(SchedulerError, "metric", "Plateau()", "fastai's ParamScheduler"):
        to_function(Plateau(), 0.1, total_steps=10)
    with raises(ScheduleError, '"2ep"', "steps_per_epoch"):
        to_function("Warmup('2ep')", 0.1, total_steps=10)
    with raises(ScheduleError, "total_steps", "positive", 0):
        to_function("Cosine()", 0.1, total_steps=0)
    with raises(ScheduleError, "base", -0.1):
        to_function("Cosine()", [0.1, -0.1], total_steps=10)


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    program = Path(__file__).with_name("fastai_program.py")
    process = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    if process.returncode == 77:
        pytest.skip(f"fastai cannot be imported: {process.stdout.strip()}")
    assert process.returncode == 0, process.stderr
    output: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return output


@pytest.mark.integration
def test_a_learner_uses_the_schedules_values(results: dict[str, Any]) -> None:
    schedule, t = Warmup(BATCHES) >> Cosine(STEPS - BATCHES), range(STEPS)
    momentum = Linear(0.8, 0.4, over=STEPS)(t)

    def get_values(fit: str, name: str) -> list[list[float]]:
        return [step[name] for step in results[fit]]

    assert get_values("first", "lr") == [[schedule(i, base=0.1)] * 2 for i in t]
    assert_allclose(get_values("first", "mom"), np.stack([momentum] * 2, axis=1), rtol=1e-15)
    assert get_values("first", "wd") == [
        [Linear(0.0, 1.0, over=STEPS)(i, base=0.01)] * 2 for i in t
    ]
    by_group = [[schedule(i, base=0.2), schedule(i, base=0.4)] for i in t]
    assert_allclose(get_values("again", "lr"), by_group, rtol=1e-15)
    assert get_values("again", "mom") == get_values("first", "mom")  # with the same base
    assert get_values("again", "wd") == [[0.01, 0.01]] * STEPS
    assert get_values("third epoch", "lr") == get_values("first", "lr")[2 * BATCHES :]
    assert get_values("to_function", "lr") == [[Cosine(STEPS)(i, base=0.5)] * 2 for i in t]
    assert "no hyperparameter 'momm'; did you mean mom?" in results["mistake"]
