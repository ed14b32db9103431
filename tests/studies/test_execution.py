"""Runs in processes are the runs of the loop, and processes end with whoever started them."""

import os
import signal
import time
from collections import ChainMap
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context

import pytest
from numpy.testing import assert_allclose

from lrlab import Cosine, Linear
from lrlab.errors import StudyError
from lrlab.problems import Problem, load_problem
from lrlab.schedules import Schedule
from lrlab.studies import Machine, Protocol, build_plan, plan_first_phase, train_blocks
from lrlab.studies.execution import backends
from lrlab.studies.execution.backends import THIS_MACHINE
from lrlab.studies.execution.local import _train_shared_block, write_shared
from lrlab.studies.execution.runner import Block, plan_blocks
from lrlab.training import Run, Settings, ensemble, train
from lrlab.training.engines import Engine

LOOP = Engine("loop")


def grouped(
    problem: Problem,
    runs: Mapping[str, Run],
    engine: Engine = LOOP,
    machine: Machine = THIS_MACHINE,
) -> list[Block]:
    ids = plan_blocks(problem, runs, engine, machine)
    return [{id: runs[id] for id in block} for block in ids]


def runs_of(problem: Problem, seeds: int, epochs: int = 3, *more: Schedule) -> Mapping[str, Run]:
    study = build_plan(problem, [Cosine(), *more], Settings(epochs=epochs), Protocol(seeds))
    return plan_first_phase(study).runs


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


def test_another_process_gives_the_same_bits(iris: Problem) -> None:
    runs = list(runs_of(iris, seeds=1).values())
    with (
        write_shared(iris) as handle,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        there = pool.submit(_train_shared_block, handle, runs, Engine("loop")).result()
    for run, result in zip(runs, there, strict=True):
        assert result.curve == train(iris, run).curve


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("engine", [Engine("loop"), Engine("ensemble")], ids=str)
def test_wherever_runs_are_trained_their_numbers_are_the_same(
    iris: Problem, engine: Engine, workers: int
) -> None:
    runs = runs_of(iris, 2, 3, Linear(1, 0))
    machine = Machine(workers)
    blocks = grouped(iris, runs, engine, machine)
    results = dict(ChainMap(*train_blocks(iris, blocks, engine, machine)))
    assert results.keys() == runs.keys()
    for id, run in runs.items():
        expected = train(iris, run) if engine.kind == "loop" else ensemble.train(iris, [run])[0]
        assert results[id].test_score == expected.test_score
        assert_allclose(results[id].curve.values, expected.curve.values, rtol=1e-5)


def test_many_cores_need_no_more_memory_than_there_is(
    iris: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "count_cores", lambda: 64)
    runs = runs_of(iris, seeds=1)
    many, machine = Engine("ensemble"), Machine(memory=3 << 29)
    ended = ChainMap(*train_blocks(iris, grouped(iris, runs, many, machine), many, machine))
    assert ended.keys() == runs.keys()
    assert Machine(memory=2 << 30).count_workers(many) == 2
    assert Machine(memory=2 << 30).count_workers(LOOP) == 64


def test_of_nothing_comes_nothing(iris: Problem) -> None:
    assert list(train_blocks(iris, [], LOOP)) == []


def test_a_worker_that_dies_is_an_error_and_ends_the_others(iris: Problem) -> None:
    runs = runs_of(iris, seeds=8, epochs=500)
    running = train_blocks(iris, grouped(iris, runs), LOOP, Machine(2))

    def consume() -> None:
        for _ in running:
            # It may be training or not yet there; one killed while it writes is never heard of.
            time.sleep(0.3)
            for worker in active_children():
                if worker.pid:
                    os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(StudyError, match="a worker process died"):
        consume()
    assert active_children() == []


def test_stopping_early_leaves_no_process_behind(iris: Problem) -> None:
    runs = runs_of(iris, seeds=20, epochs=300)
    running = train_blocks(iris, grouped(iris, runs), LOOP, Machine(2))
    next(running)
    started = time.monotonic()
    running.close()
    assert active_children() == []
    assert time.monotonic() - started < 60  # it did not wait for the other 39 runs
