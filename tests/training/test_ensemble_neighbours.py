"""A run's numbers do not depend on which others train beside it, nor does anything else."""

import time
from dataclasses import dataclass, replace
from functools import cache

import pytest
import torch
from hypothesis import example, given
from hypothesis import settings as drawn
from hypothesis.strategies import integers, lists

from lrlab import Constant, Cosine, Custom, Exponential, Formula, Greedy, Linear, Plateau, parse
from lrlab.errors import LrlabError
from lrlab.problems import Split
from lrlab.training import Result, Run, Settings, ensemble, loop
from lrlab.training.ensemble import schedule_table
from lrlab.views.gallery import GALLERY
from tests.training.cases import digits, images, squares
from tests.training.equality import assert_like_the_loop, assert_same_result, assert_same_weights

BASIC = Settings(epochs=3, batch_size=16)
DIVERGING = replace(BASIC, lr=1e38)
HEAVY = replace(BASIC, momentum=0.9, lr=0.05)
WATCHED = replace(BASIC, validation_size=0.25)

POOL = (
    Run(None, BASIC, 0),
    Run(Exponential(0.5), BASIC, 0),
    Run(Exponential(0.5), BASIC, 1),
    Run(Cosine(), replace(BASIC, lr=0.01), 1),
    Run(Cosine(), replace(BASIC, step_every="step"), 0),
    Run(Cosine(), HEAVY, 0, {"momentum": Linear(1, 0)}),
    Run(Cosine(), replace(HEAVY, nesterov=True), 0),
    Run(Cosine(), replace(BASIC, optimizer="adam", lr=0.01), 0),
    Run(Cosine(), replace(BASIC, optimizer="adam", lr=0.01, eps=1e-3), 0),
    Run(Cosine(), replace(BASIC, optimizer="rmsprop", lr=0.003), 0),
    Run(Cosine(), replace(BASIC, batch_size=44), 0),
    Run(Cosine(), replace(BASIC, shuffle=False), 0),
    Run(Cosine(), replace(BASIC, epochs=1), 0),
    Run(Cosine(), replace(BASIC, max_grad_norm=0.1), 0),
    Run(Plateau(0.5, patience=0, threshold=0.3), BASIC, 0),
    Run(Plateau(0.5, patience=0, threshold=0.3), WATCHED, 0),
    Run(
        Plateau(0.5, patience=0, mode="max", threshold=1.0), replace(WATCHED, step_every="step"), 0
    ),
    Run(None, DIVERGING, 0),
    Run(Formula("1e30 ** (t >= 4)"), replace(BASIC, step_every="step"), 1),
)
"""Runs that differ in everything that runs can differ in."""


@cache
def alone(place: int) -> tuple[torch.nn.Module, Result]:
    return loop.train_and_get_model(digits(), POOL[place])


@given(lists(integers(0, len(POOL) - 1), min_size=1, max_size=len(POOL)))
@example(list(range(len(POOL))))
@example([2, 1, 17, 1, 2, 0])
@drawn(max_examples=2)
def test_any_runs_train_beside_each_other(places: list[int]) -> None:
    together = ensemble.train_and_get_weights(digits(), [POOL[place] for place in places])
    for place, (weights, result) in zip(places, together, strict=True):
        model, expected = alone(place)
        assert_same_result(result, expected)
        if not expected.diverged:
            assert_same_weights(weights, model)


def test_statistics_of_batches_are_each_runs_own() -> None:
    lost = replace(BASIC, lr=1e38, weight_decay=1e38)
    settings = (BASIC, lost, replace(BASIC, lr=0.5))
    runs = [Run(None, one, seed) for one in settings for seed in (0, 1)]
    whole = ensemble.train_and_get_weights(images(), runs)
    assert whole[2][1].diverged
    for place in (0, 1, 4, 5):
        model, expected = loop.train_and_get_model(images(), runs[place])
        assert_same_result(whole[place][1], expected)
        assert_same_weights(whole[place][0], model)


@pytest.mark.parametrize("per", ["epoch", "step"])
def test_values_are_made_a_few_steps_ahead(per: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule_table, "PRECOMPUTED_STEPS", 4)
    settings = replace(WATCHED, step_every=per, epochs=7)
    schedules = (Plateau(0.5, patience=0, threshold=0.3), Greedy(0.5, patience=1), Cosine())
    assert_like_the_loop(digits(), [Run(s, settings, seed) for s in schedules for seed in (0, 1)])


def test_schedules_of_all_kinds_stand_beside_each_other() -> None:
    examples = [example for room in GALLERY.values() for example in room]
    schedules = [example.schedule or parse(example.text) for example in examples]
    settings = replace(BASIC, lr=1e-3, step_every="step")
    assert_like_the_loop(digits(), [Run(schedule, settings, 0) for schedule in schedules])


def test_gradients_of_any_size_are_left_alone_beside_clipped_ones() -> None:
    problem = squares(lambda: torch.nn.Linear(4, 1))

    def split(seed: int) -> Split:
        rows = problem.split(seed)
        return replace(rows, x_train=1e200 * rows.x_train)

    task = replace(problem.task, loss=torch.nn.L1Loss())
    settings = replace(BASIC, lr=1e-201)
    runs = [Run(None, replace(settings, max_grad_norm=clip), 0) for clip in (None, 1.0)]
    results = assert_like_the_loop(replace(problem, split=split, task=task), runs)
    assert not any(result.diverged for result in results)


def test_schedules_may_be_functions_without_a_hash() -> None:
    @dataclass
    class Falling:
        slope: float

        def __call__(self, t: float) -> float:
            return 1 / (1 + self.slope * t)

    runs = [Run(Custom(Falling(slope)), BASIC, 0) for slope in (0.1, 1.0)]
    assert_like_the_loop(digits(), runs)


def test_many_runs_of_many_seeds() -> None:
    # More than fit into one product at a time, in uneven numbers.
    problem = squares(lambda: torch.nn.Linear(4, 1), rows=10)
    settings = Settings(epochs=2, batch_size=4)
    runs = [
        Run(None, replace(settings, lr=0.2 / (1 + place)), seed)
        for seed in range(5)
        for place in range(40 * (seed % 3) + 1)
    ]
    results = ensemble.train(problem, runs)
    for place in range(0, len(runs), 13):
        assert_same_result(results[place], loop.train(problem, runs[place]))


def test_the_same_call_gives_the_same_bits() -> None:
    runs = POOL[:8]
    first, second = (ensemble.train_and_get_weights(digits(), runs) for _ in range(2))
    for (weights, result), (again, repeated) in zip(first, second, strict=True):
        assert result.curve == repeated.curve
        assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_nothing_of_the_callers_is_changed() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state(), torch.get_num_threads(), torch.is_grad_enabled()
    ensemble.train(images(), POOL[:3])
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == before[1:]


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_left_as_they_were(threads: int) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        results = ensemble.train(digits(), POOL[:2])
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for place, result in enumerate(results):
        assert_same_result(result, alone(place)[1])


def test_the_random_numbers_of_the_caller_change_nothing() -> None:
    torch.manual_seed(1)
    first = ensemble.train(digits(), POOL[:2])
    torch.manual_seed(2)
    second = ensemble.train(digits(), POOL[:2])
    assert [result.curve for result in first] == [result.curve for result in second]


def test_no_runs_have_no_results() -> None:
    assert ensemble.train(digits(), []) == []


def test_a_runs_seconds_are_its_share() -> None:
    started = time.perf_counter()
    results = ensemble.train(digits(), POOL[:6])
    whole = time.perf_counter() - started
    assert all(result.seconds > 0 for result in results)
    assert sum(result.seconds for result in results) <= whole


@pytest.mark.parametrize(
    "run",
    [
        Run(Formula("3 - t"), replace(BASIC, epochs=10), 0),
        Run(Constant(0.0), BASIC, 0),
        Run(Custom(lambda t: None), BASIC, 0),
        Run(Plateau(mode="max"), BASIC, 0),
        Run(None, replace(BASIC, validation_size=0.999), 0),
        Run(None, BASIC, 0, {"momentun": Constant(1.0)}),
        Run(None, replace(BASIC, optimizer="adam"), 0, {"dampening": Constant(1.0)}),
        Run(None, BASIC, 0, {"nesterov": Constant(1.0)}),
    ],
)
def test_what_the_loop_refuses_is_refused_in_the_same_words(run: Run) -> None:
    with pytest.raises(LrlabError) as expected:
        loop.train(digits(), run)
    for runs in ([run], [POOL[0], run]):
        with pytest.raises(type(expected.value)) as caught:
            ensemble.train(digits(), runs)
        assert str(caught.value) == str(expected.value)
