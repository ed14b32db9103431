"""Training on this machine: the same bits in every process, each call made once, no data copied."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import ChainMap
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from torch import Tensor

from lrlab import Cosine, Linear
from lrlab.errors import StudyError
from lrlab.problems import Problem, load_problem
from lrlab.schedules import Schedule
from lrlab.studies import Machine, Protocol, build_plan, plan_first_phase, train_blocks
from lrlab.studies.execution import backends
from lrlab.studies.execution.backends import THIS_MACHINE
from lrlab.studies.execution.local import (
    _train_shared_block,
    load_shared,
    run_in_workers,
    write_shared,
)
from lrlab.studies.execution.runner import Block, plan_blocks
from lrlab.training import Run, Settings, ensemble, train
from lrlab.training.engines import Engine
from tests.raising import raises

LOOP = Engine("loop")


def make_blocks(
    problem: Problem,
    runs: Mapping[str, Run],
    engine: Engine = LOOP,
    machine: Machine = THIS_MACHINE,
) -> list[Block]:
    ids = plan_blocks(problem, runs, engine, machine)
    return [{id: runs[id] for id in block} for block in ids]


def plan_runs(problem: Problem, seeds: int, epochs: int = 3, *more: Schedule) -> Mapping[str, Run]:
    study = build_plan(problem, [Cosine(), *more], Settings(epochs=epochs), Protocol(seeds))
    return plan_first_phase(study).runs


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


@pytest.mark.integration
def test_another_process_gives_the_same_bits(iris: Problem) -> None:
    runs = list(plan_runs(iris, seeds=1).values())
    with (
        write_shared(iris) as handle,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        there = pool.submit(_train_shared_block, handle, runs, Engine("loop")).result()
    for run, result in zip(runs, there, strict=True):
        assert result.curve == train(iris, run).curve


@pytest.mark.integration
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("engine", [Engine("loop"), Engine("ensemble")], ids=str)
def test_wherever_runs_are_trained_their_numbers_are_the_same(
    iris: Problem, engine: Engine, workers: int
) -> None:
    runs = plan_runs(iris, 2, 3, Linear(1, 0))
    machine = Machine(workers)
    blocks = make_blocks(iris, runs, engine, machine)
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
    runs = plan_runs(iris, seeds=1)
    many, machine = Engine("ensemble"), Machine(memory=3 << 29)
    ended = ChainMap(*train_blocks(iris, make_blocks(iris, runs, many, machine), many, machine))
    assert ended.keys() == runs.keys()
    assert Machine(memory=2 << 30).count_workers(many) == 2
    assert Machine(memory=2 << 30).count_workers(LOOP) == 64


def test_of_nothing_comes_nothing(iris: Problem) -> None:
    assert list(train_blocks(iris, [], LOOP)) == []


@pytest.mark.integration
def test_a_worker_that_dies_is_an_error_and_ends_the_others(iris: Problem) -> None:
    runs = plan_runs(iris, seeds=8, epochs=500)
    running = train_blocks(iris, make_blocks(iris, runs), LOOP, Machine(2))

    def consume() -> None:
        for _ in running:
            # It may be training or not yet there; one killed while it writes is never heard of.
            time.sleep(0.3)
            for worker in active_children():
                if worker.pid:
                    os.kill(worker.pid, signal.SIGKILL)

    with raises(StudyError, "worker process died", "--workers"):
        consume()
    assert active_children() == []


@pytest.mark.integration
def test_stopping_early_leaves_no_process_behind(iris: Problem) -> None:
    runs = plan_runs(iris, seeds=20, epochs=300)
    running = train_blocks(iris, make_blocks(iris, runs), LOOP, Machine(2))
    next(running)
    started = time.monotonic()
    running.close()
    assert active_children() == []
    assert time.monotonic() - started < 60  # it did not wait for the other 39 runs


# What the other processes do with a path; what this one does is in each test.
TOUCH = Path.touch


@pytest.mark.integration
def test_other_processes_do_their_share(tmp_path: Path) -> None:
    files = [tmp_path / str(i) for i in range(6)]

    def here(place: int) -> str:
        deadline = time.monotonic() + 120
        while not any(file.exists() for file in files):  # until somebody else has done something
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return "here"

    done = list(run_in_workers(TOUCH, [(file,) for file in files], here, workers=2))
    assert sorted(place for place, _ in done) == list(range(6))
    mine = {place for place, result in done if result == "here"}
    assert {0, 1, 2} <= mine
    theirs = set(range(6)) - mine
    assert theirs
    assert all(files[place].exists() for place in theirs)
    assert active_children() == []


@pytest.mark.integration
def test_what_is_quicker_than_their_start_is_all_done_here(tmp_path: Path) -> None:
    calls = [(tmp_path / str(i),) for i in range(50)]
    done = dict(run_in_workers(TOUCH, calls, lambda place: f"here {place}", workers=2))
    assert done == {place: f"here {place}" for place in range(50)}
    assert list(tmp_path.iterdir()) == []
    assert active_children() == []


@pytest.mark.integration
def test_an_error_here_ends_the_others(tmp_path: Path) -> None:
    def here(place: int) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_in_workers(TOUCH, [(tmp_path / "x",)] * 4, here, workers=2))
    assert active_children() == []


@pytest.mark.integration
def test_an_error_there_is_raised_here(tmp_path: Path) -> None:
    def here(place: int) -> str:
        time.sleep(0.5 if any(child.is_alive() for child in active_children()) else 0)
        return "here"

    missing = tmp_path / "no" / "folder"
    with pytest.raises(FileNotFoundError):
        list(run_in_workers(TOUCH, [(missing,)] * 200, here, workers=2))
    assert active_children() == []


@pytest.mark.integration
@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "not guarded"])
def test_a_script_that_is_no_file_trains_in_one_process(guarded: bool) -> None:
    lines = [
        "import lrlab",
        "words = dict(tune=False, seeds=3, epochs=1, workers=2, engine='loop', db=None)",
        "print(len(lrlab.compare('iris', ['Cosine()'], **words).runs))",
    ]
    guard = 'if __name__ == "__main__":' if guarded else "if True:"
    script = "\n    ".join([guard, *lines])
    done = subprocess.run([sys.executable], input=script, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "6\n"), done.stderr


@dataclass(frozen=True, eq=False)
class Contents:
    """What a user's problem may hold."""

    array: NDArray[np.float64]
    tensor: Tensor
    half: Tensor
    learnt: Tensor
    table: pd.DataFrame
    empty: NDArray[np.int64]
    text: str


def make_contents() -> Contents:
    generator = torch.Generator().manual_seed(0)
    return Contents(
        array=np.arange(100_000.0).reshape(100, 1000),
        tensor=torch.randn(200, 300, generator=generator),
        half=torch.randn(7, 3, generator=generator).bfloat16(),  # NumPy has no such numbers
        learnt=torch.ones(3, requires_grad=True),
        table=pd.DataFrame({"x": np.arange(5.0), "word": list("abcde")}),
        empty=np.empty((0, 3), dtype=np.int64),
        text="words",
    )


WORKER = """
import sys
from pathlib import Path
from lrlab.studies.execution.local import SharedFile, load_shared
from tests.raising import raises

handle = eval(sys.argv[1])
held, problem, iris = value = load_shared(handle)
assert load_shared(handle) is value  # unpickled once
column = iris.split.__self__.inputs.iloc[:, 0].to_numpy()
for address in (
    held["array"].ctypes.data,
    held["tensor"].data_ptr(),
    problem.split.__self__.inputs.ctypes.data,
    column.ctypes.data,
):
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, _, _, _, _, *name = line.split(maxsplit=5)
        low, high = (int(end, 16) for end in span.split("-"))
        if low <= address < high:
            print(*name)
print(held["array"][0, 0])
held["array"][0, 0] = -1.0  # from now on a page of this worker's own
"""


def test_what_is_opened_is_what_was_shared() -> None:
    value = make_contents()
    with write_shared(value) as handle:
        found = load_shared(handle)
    assert_array_equal(found.array, value.array)
    assert torch.equal(found.tensor, value.tensor)
    assert torch.equal(found.half, value.half)
    assert torch.equal(found.learnt, value.learnt)
    assert found.learnt.requires_grad
    pd.testing.assert_frame_equal(found.table, value.table)
    assert found.empty.shape == (0, 3)
    assert found.text == "words"
    found.tensor.zero_()  # a worker may write to what it has
    assert value.tensor.any()


@pytest.mark.integration
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks the Linux kernel")
def test_workers_map_one_file_and_copy_nothing(ionosphere_folder: Path) -> None:
    mine = make_contents()
    value = (
        {"array": mine.array, "tensor": mine.tensor},
        load_problem("ionosphere"),
        load_problem("iris"),
    )
    with write_shared(value) as handle:
        for _ in range(2):  # the second sees nothing of what the first has written
            done = subprocess.run(
                [sys.executable, "-c", WORKER, repr(handle)], capture_output=True, text=True
            )
            assert done.stdout.splitlines() == [*[handle.path] * 4, "0.0"], done.stderr


@pytest.mark.parametrize("data", ["iris", "diabetes"])
def test_a_shared_problem_divides_its_rows_alike(data: str) -> None:
    problem = load_problem(data)
    with write_shared(problem) as handle:
        one, other = problem.split(3), load_shared(handle).split(3)
    assert torch.equal(one.x_train, other.x_train)
    assert torch.equal(one.y_test, other.y_test)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def interrupted() -> None:
        with write_shared(make_contents()):
            assert len(list(tmp_path.iterdir())) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with raises(StudyError, "picklable", "top of a module"):
        write_shared(lambda: None).__enter__()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(full))
    with raises(StudyError, tmp_path, "No space left on device", "$TMPDIR"):
        write_shared(make_contents()).__enter__()
    assert list(tmp_path.iterdir()) == []
