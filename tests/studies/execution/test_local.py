"""Training on this machine: the same numbers in all processes, and no data copied."""

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
from lrlab.training.engines import Engine, EnsembleEngine, LoopEngine
from tests.raising import raises

LOOP = LoopEngine()


def make_blocks(
    problem: Problem,
    runs: Mapping[str, Run],
    engine: Engine = LOOP,
    machine: Machine = THIS_MACHINE,
) -> list[Block]:
    blocks = plan_blocks(problem, runs, engine, machine)
    return [{run_id: runs[run_id] for run_id in run_ids} for run_ids in blocks]


def plan_runs(
    problem: Problem, seeds: int, epochs: int = 3, *other_schedules: Schedule
) -> Mapping[str, Run]:
    schedules = [Cosine(), *other_schedules]
    plan = build_plan(problem, schedules, Settings(epochs=epochs), Protocol(seeds))
    return plan_first_phase(plan).runs


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


@pytest.mark.integration
def test_a_worker_gives_the_same_bits(iris: Problem) -> None:
    runs = list(plan_runs(iris, seeds=1).values())
    with (
        write_shared(iris) as handle,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        results = pool.submit(_train_shared_block, handle, runs, LoopEngine()).result()
    for run, result in zip(runs, results, strict=True):
        assert result.curve == train(iris, run).curve


@pytest.mark.integration
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("engine", [LoopEngine(), EnsembleEngine()], ids=str)
def test_numbers_do_not_depend_on_the_number_of_workers(
    iris: Problem, engine: Engine, workers: int
) -> None:
    runs = plan_runs(iris, 2, 3, Linear(1, 0))
    machine = Machine(workers)
    blocks = make_blocks(iris, runs, engine, machine)
    results = dict(ChainMap(*train_blocks(iris, blocks, engine, machine)))
    assert results.keys() == runs.keys()
    for run_id, run in runs.items():
        expected = train(iris, run) if engine.kind == "loop" else ensemble.train(iris, [run])[0]
        assert results[run_id].test_score == expected.test_score
        assert_allclose(results[run_id].curve.values, expected.curve.values, rtol=1e-5)


def test_the_memory_limits_the_number_of_workers(
    iris: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "count_cores", lambda: 64)
    runs = plan_runs(iris, seeds=1)
    engine, machine = EnsembleEngine(), Machine(memory=3 << 29)
    blocks = make_blocks(iris, runs, engine, machine)
    assert ChainMap(*train_blocks(iris, blocks, engine, machine)).keys() == runs.keys()
    assert Machine(memory=2 << 30).count_workers(engine) == 2
    assert Machine(memory=2 << 30).count_workers(LOOP) == 64


def test_no_blocks_give_no_results(iris: Problem) -> None:
    assert list(train_blocks(iris, [], LOOP)) == []


@pytest.mark.integration
def test_a_dead_worker_is_an_error_and_ends_the_others(iris: Problem) -> None:
    runs = plan_runs(iris, seeds=8, epochs=500)
    running = train_blocks(iris, make_blocks(iris, runs), LOOP, Machine(2))

    def consume() -> None:
        for _ in running:
            # Time to start; a worker killed while it sends a result would block its parent.
            time.sleep(0.3)
            for worker in active_children():
                if worker.pid:
                    os.kill(worker.pid, signal.SIGKILL)

    with raises(StudyError, "worker process died", "`workers`"):
        consume()
    assert active_children() == []


@pytest.mark.integration
def test_an_early_end_ends_all_workers(iris: Problem) -> None:
    runs = plan_runs(iris, seeds=20, epochs=300)
    running = train_blocks(iris, make_blocks(iris, runs), LOOP, Machine(2))
    next(running)
    started = time.monotonic()
    running.close()
    assert active_children() == []
    assert time.monotonic() - started < 60  # does not wait for the other 39 runs


TOUCH_FILE = Path.touch
"""The task of workers in the tests below."""


@pytest.mark.integration
def test_calls_are_divided_among_this_process_and_workers(tmp_path: Path) -> None:
    files = [tmp_path / str(i) for i in range(6)]

    def wait_for_worker(index: int) -> str:
        deadline = time.monotonic() + 120
        while not any(file.exists() for file in files):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return "here"

    calls = [(file,) for file in files]
    results = list(run_in_workers(TOUCH_FILE, calls, wait_for_worker, workers=2))
    assert sorted(index for index, _ in results) == list(range(6))
    called_here = {index for index, result in results if result == "here"}
    assert {0, 1, 2} <= called_here
    called_in_worker = set(range(6)) - called_here
    assert called_in_worker
    assert all(files[index].exists() for index in called_in_worker)
    assert active_children() == []


@pytest.mark.integration
def test_short_calls_are_all_made_here(tmp_path: Path) -> None:
    """They have ended before a worker has started."""
    calls = [(tmp_path / str(i),) for i in range(50)]
    results = dict(run_in_workers(TOUCH_FILE, calls, lambda i: f"here {i}", workers=2))
    assert results == {i: f"here {i}" for i in range(50)}
    assert list(tmp_path.iterdir()) == []
    assert active_children() == []


@pytest.mark.integration
def test_an_error_here_ends_the_workers(tmp_path: Path) -> None:
    def interrupt(index: int) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_in_workers(TOUCH_FILE, [(tmp_path / "x",)] * 4, interrupt, workers=2))
    assert active_children() == []


@pytest.mark.integration
def test_an_error_of_a_worker_is_raised_here(tmp_path: Path) -> None:
    def wait_for_worker(index: int) -> str:
        time.sleep(0.5 if any(child.is_alive() for child in active_children()) else 0)
        return "here"

    missing = tmp_path / "no" / "folder"
    with pytest.raises(FileNotFoundError):
        list(run_in_workers(TOUCH_FILE, [(missing,)] * 200, wait_for_worker, workers=2))
    assert active_children() == []


@pytest.mark.integration
@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "not guarded"])
def test_a_script_from_standard_input_trains_in_one_process(guarded: bool) -> None:
    lines = [
        "import lrlab",
        "options = dict(tune=False, seeds=3, epochs=1, workers=2, engine='loop', db=None)",
        "print(len(lrlab.compare('iris', ['Cosine()'], **options).runs))",
    ]
    guard = 'if __name__ == "__main__":' if guarded else "if True:"
    script = "\n    ".join([guard, *lines])
    process = subprocess.run([sys.executable], input=script, capture_output=True, text=True)
    assert (process.returncode, process.stdout) == (0, "6\n"), process.stderr


@dataclass(frozen=True, eq=False)
class Contents:
    """Data that a user's problem may have."""

    array: NDArray[np.float64]
    tensor: Tensor
    half: Tensor
    with_grad: Tensor
    table: pd.DataFrame
    empty: NDArray[np.int64]
    text: str


def make_contents() -> Contents:
    generator = torch.Generator().manual_seed(0)
    return Contents(
        array=np.arange(100_000.0).reshape(100, 1000),
        tensor=torch.randn(200, 300, generator=generator),
        half=torch.randn(7, 3, generator=generator).bfloat16(),  # NumPy lacks this type
        with_grad=torch.ones(3, requires_grad=True),
        table=pd.DataFrame({"x": np.arange(5.0), "word": list("abcde")}),
        empty=np.empty((0, 3), dtype=np.int64),
        text="text",
    )


WORKER = """
import sys
from pathlib import Path
from lrlab.studies.execution.local import SharedFile, load_shared
from tests.raising import raises

handle = eval(sys.argv[1])
contents, problem, iris = value = load_shared(handle)
assert load_shared(handle) is value  # unpickled once
column = iris.split.__self__.inputs.iloc[:, 0].to_numpy()
for address in (
    contents["array"].ctypes.data,
    contents["tensor"].data_ptr(),
    problem.split.__self__.inputs.ctypes.data,
    column.ctypes.data,
):
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, _, _, _, _, *name = line.split(maxsplit=5)
        low, high = (int(end, 16) for end in span.split("-"))
        if low <= address < high:
            print(*name)
print(contents["array"][0, 0])
contents["array"][0, 0] = -1.0  # copies the page
"""


def test_a_shared_value_is_loaded_unchanged() -> None:
    value = make_contents()
    with write_shared(value) as handle:
        loaded = load_shared(handle)
    assert_array_equal(loaded.array, value.array)
    assert torch.equal(loaded.tensor, value.tensor)
    assert torch.equal(loaded.half, value.half)
    assert torch.equal(loaded.with_grad, value.with_grad)
    assert loaded.with_grad.requires_grad
    pd.testing.assert_frame_equal(loaded.table, value.table)
    assert loaded.empty.shape == (0, 3)
    assert loaded.text == "text"
    loaded.tensor.zero_()  # changes a copy
    assert value.tensor.any()


@pytest.mark.integration
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc of Linux")
def test_workers_map_one_file_and_copy_nothing(ionosphere_folder: Path) -> None:
    contents = make_contents()
    value = (
        {"array": contents.array, "tensor": contents.tensor},
        load_problem("ionosphere"),
        load_problem("iris"),
    )
    with write_shared(value) as handle:
        for _ in range(2):  # the second does not see the changes of the first
            process = subprocess.run(
                [sys.executable, "-c", WORKER, repr(handle)], capture_output=True, text=True
            )
            assert process.stdout.splitlines() == [*[handle.path] * 4, "0.0"], process.stderr


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_a_shared_problem_has_the_same_splits(name: str) -> None:
    problem = load_problem(name)
    with write_shared(problem) as handle:
        split, shared_split = problem.split(3), load_shared(handle).split(3)
    assert torch.equal(split.x_train, shared_split.x_train)
    assert torch.equal(split.y_test, shared_split.y_test)


def test_the_shared_file_is_removed_after_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def write_and_interrupt() -> None:
        with write_shared(make_contents()):
            assert len(list(tmp_path.iterdir())) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_interrupt()
    assert list(tmp_path.iterdir()) == []


def test_values_that_cannot_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with raises(StudyError, "picklable", "top of a module"):
        write_shared(lambda: None).__enter__()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    full_disk = OSError(28, "No space left on device")
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(full_disk))
    with raises(StudyError, tmp_path, "No space left on device", "$TMPDIR"):
        write_shared(make_contents()).__enter__()
    assert list(tmp_path.iterdir()) == []
