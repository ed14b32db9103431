"""Engines that this machine has, and the choice of one."""

import ctypes
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lrlab import Cosine
from lrlab.errors import TrainingError
from lrlab.problems import Problem, Split, load_problem
from lrlab.training import Run, Settings, engines, ensemble, loop
from lrlab.training.engines import Engine, EngineChoice, select_faster_engine, use_one_thread
from tests.training.assertions import assert_same_result
from tests.training.factories import OPTIMIZERS, make_images_problem

RUNS = [Run(Cosine(), Settings(lr=lr, epochs=5), seed) for seed in (0, 1) for lr in (0.1, 0.2, 0.3)]


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ensembel",), "the engine must be loop or ensemble, got ensembel"),
        (("loop", "cpu", True), "only the ensemble can be compiled"),
        (("loop", "abacus"), "the device must be one that torch can use here, got abacus"),
    ],
)
def test_engines_that_are_not_there(words: tuple, said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        Engine(*words)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_machine_without_a_gpu_says_so() -> None:
    with pytest.raises(TrainingError, match=r"can use here, got cuda; use cpu"):
        Engine("ensemble", "cuda")


def test_a_compiler_is_needed_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(TrainingError, match=r"torch\.compile needs a C"):
        Engine("ensemble", torch_compile=True)


def test_the_quicker_one_is_chosen_whichever_it_is(
    iris: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds_of(slow: str) -> EngineChoice:
        def more(train: object, runs: list, epochs: int) -> float:
            return 5.0 if (len(runs) == 1) == (slow == "loop") else 1.0

        monkeypatch.setattr(engines, "_time_extra_epochs", more)
        return select_faster_engine(iris, RUNS)

    ours = seconds_of("loop")
    assert ours.engine == Engine("ensemble")
    # 105 rows in 5 batches an epoch, and 7 epochs more: 5 s for one run, 1 s for six.
    assert ours.seconds_per_run_step == pytest.approx(1 / (5 * 7 * 6))
    assert ours.reason == (
        "a step of a run takes 143 ms in the loop, 4.76 ms among 6 in the ensemble"
    )
    # Six runs together in less than the loop takes for six are no reason for the loop.
    monkeypatch.setattr(
        engines, "_time_extra_epochs", lambda train, runs, epochs: 1.0 if len(runs) == 1 else 6.1
    )
    assert select_faster_engine(iris, RUNS).engine == Engine("loop")


def test_a_real_probe_finds_the_ensemble_faster_for_many_small_runs(iris: Problem) -> None:
    many = [
        Run(None, replace(RUNS[0].settings, lr=k / 100), s) for k in range(1, 33) for s in (0, 1)
    ]
    choice = select_faster_engine(iris, many)
    assert choice.engine == Engine("ensemble")
    assert 0 < choice.seconds_per_run_step < 1e-3


def test_what_the_ensemble_cannot_train_is_left_to_the_loop(iris: Problem) -> None:
    dropping = replace(iris, model=lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5)))
    choice = select_faster_engine(dropping, RUNS)
    assert choice.engine == Engine("loop")
    assert choice.reason.endswith("because it draws random numbers, as dropout does")
    assert choice.seconds_per_run_step > 0


def test_a_network_that_the_ensemble_gets_wrong_is_left_to_the_loop(iris: Problem) -> None:
    class Wrong(nn.Module):
        """Gives other outputs among others."""

        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.head(x)
            return 2 * y if torch._C._functorch.is_functorch_wrapped_tensor(y) else y

    choice = select_faster_engine(replace(iris, model=Wrong), RUNS)
    assert choice.engine == Engine("loop")
    assert choice.reason.startswith("the ensemble gives another loss")


def test_short_problems_are_the_beginnings_of_long_ones(iris: Problem) -> None:
    short, split = engines._truncate_problem(iris, 20), iris.split(3)
    assert (short.train_rows, len(short.split(3).x_train), len(short.split(3).x_test)) == (
        20,
        20,
        9,
    )
    assert torch.equal(short.split(3).x_train, split.x_train[:20])
    whole = engines._truncate_problem(iris, 10**6)
    assert torch.equal(whole.split(3).x_test, split.x_test)


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
def test_compiled_steps_are_the_loops() -> None:
    problem = make_images_problem()
    runs = [
        Run(Cosine(), Settings(**OPTIMIZERS["sgd, momentum"], epochs=2, batch_size=44), seed)
        for seed in (0, 1)
    ]
    for run, result in zip(runs, ensemble.train(problem, runs, torch_compile=True), strict=True):
        assert_same_result(result, loop.train(problem, run))


COMPILED = """
from lrlab.errors import TrainingError
from lrlab.training import Run, Settings, ensemble
from lrlab.problems import load
try:
    ensemble.train(load("iris"), [Run(None, Settings(epochs=1), 0)], compiled=True)
except TrainingError as error:
    print(error)
"""


def test_a_compiler_that_does_not_work_is_said_to(tmp_path: Path) -> None:
    broken = {"CXX": "/bin/false", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    process = subprocess.run(
        [sys.executable, "-c", COMPILED], env=os.environ | broken, capture_output=True, text=True
    )
    assert "cannot be trained for many runs at once, because torch says" in process.stdout


def test_few_rows_are_probed_too(iris: Problem) -> None:
    settings = Settings(epochs=2, batch_size=1, validation_size=0.95)
    assert select_faster_engine(iris, [Run(None, settings, 0)]).seconds_per_run_step > 0


def test_a_few_rows_are_timed_long_enough() -> None:
    iris = load_problem("iris")
    few = replace(iris, split=lambda seed: _first(iris.split(seed)), train_rows=8)
    choice = select_faster_engine(few, RUNS)
    assert " 0 µs" not in choice.reason
    assert 1e-6 < choice.seconds_per_run_step < 1e-2


def _first(split: Split) -> Split:
    return replace(split, x_train=split.x_train[:8], y_train=split.y_train[:8])


HELD = """
import ctypes, sys, torch
from lrlab.training.threads import keep_memory

NUMBERS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()

class Mallinfo(ctypes.Structure):  # malloc.h's struct mallinfo2
    _fields_ = [(name, ctypes.c_size_t) for name in NUMBERS]

mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Mallinfo
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    keep_memory()
held = torch.zeros(5_000_000)
del held
print(mallinfo().fordblks)  # bytes that are free and still this process's
"""
STEP = 5_000_000 * 4  # bytes


def test_threads_are_one_inside_and_as_before_outside() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with use_one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"),
    reason="asks glibc (2.33 or newer) what it holds",
)
def test_the_memory_of_a_step_is_there_for_the_next() -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}

    def held(word: str) -> int:
        run = [sys.executable, "-c", HELD, word]
        ended = subprocess.run(run, env=plain, capture_output=True, check=True, text=True)
        return int(ended.stdout)

    assert held("keep") > STEP > held("leave")
