"""fastai's share of the training meets each batch, in all arithmetic and in a real Learner."""

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

EPOCHS, BATCHES = 3, 5
STEPS = EPOCHS * BATCHES


@given(st.integers(1, 40), st.integers(1, 400), st.data())
def test_every_share_that_fastai_adds_up_is_its_batchs(
    epochs: int, batches: int, data: st.DataObject
) -> None:
    total = epochs * batches
    schedule = Linear(0.0, 1.0, over=total)  # no two batches have the same value
    rate = to_function(schedule, 0.1, total_steps=total)
    for i in data.draw(st.lists(st.integers(0, total - 1), max_size=20)):
        assert rate(i / total) == schedule(i, base=0.1)
    epoch = data.draw(st.integers(0, epochs - 1))
    share = epoch / epochs  # TrainEvalCallback, in callback/core.py
    for i in range(batches):
        assert rate(share) == schedule(epoch * batches + i, base=0.1)
        share += 1.0 / (batches * epochs)


def test_groups_have_their_own_base() -> None:
    rates = to_function(
        "Warmup('20%') >> Cosine('2ep')", [0.1, 1.0], total_steps=15, steps_per_epoch=6
    )
    schedule = Warmup(3) >> Cosine(12)
    assert rates(4 / 15) == [schedule(4, base=0.1), schedule(4, base=1.0)]


def test_mistakes_are_told_at_once() -> None:
    with pytest.raises(SchedulerError, match=r"must read no metric, for fastai's"):
        to_function(Plateau(), 0.1, total_steps=10)
    with pytest.raises(ScheduleError, match="counts epochs"):
        to_function("Warmup('2ep')", 0.1, total_steps=10)
    with pytest.raises(ScheduleError, match="must be a number of steps above 0, got 0"):
        to_function("Cosine()", 0.1, total_steps=0)
    with pytest.raises(ScheduleError, match="base must be a rate"):
        to_function("Cosine()", [0.1, -0.1], total_steps=10)


@pytest.fixture(scope="module")
def printed() -> dict[str, Any]:
    program = Path(__file__).with_name("fastai_program.py")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip(f"fastai cannot be imported: {done.stdout.strip()}")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_a_learner_uses_the_schedules_own_values(printed: dict[str, Any]) -> None:
    schedule, t = Warmup(BATCHES) >> Cosine(STEPS - BATCHES), range(STEPS)
    momentum = Linear(0.8, 0.4, over=STEPS)(t)

    def held(fit: str, name: str) -> list[list[float]]:
        return [step[name] for step in printed[fit]]

    assert held("first", "lr") == [[schedule(i, base=0.1)] * 2 for i in t]
    assert_allclose(held("first", "mom"), np.stack([momentum] * 2, axis=1), rtol=1e-15)
    assert held("first", "wd") == [[Linear(0.0, 1.0, over=STEPS)(i, base=0.01)] * 2 for i in t]
    by_group = [[schedule(i, base=0.2), schedule(i, base=0.4)] for i in t]
    assert_allclose(held("again", "lr"), by_group, rtol=1e-15)
    assert held("again", "mom") == held("first", "mom")  # of the same base
    assert held("again", "wd") == [[0.01, 0.01]] * STEPS
    assert held("third epoch", "lr") == held("first", "lr")[2 * BATCHES :]
    assert held("curve", "lr") == [[Cosine(STEPS)(i, base=0.5)] * 2 for i in t]
    assert "no hyperparameter 'momm'; did you mean mom?" in printed["mistake"]
