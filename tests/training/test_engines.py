"""Engines: invalid ones, the selection of the faster one, threads and memory of a process."""

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
from lrlab.training import Run, Settings, ensemble, loop, probing
from lrlab.training.engines import (
    Engine,
    EnsembleEngine,
    LoopEngine,
    create_engine,
    use_one_thread,
)
from lrlab.training.probing import (
    EngineChoice,
    EngineReason,
    EngineTimes,
    select_faster_engine,
)
from tests.raising import raises
from tests.training.assertions import assert_same_result
from tests.training.factories import OPTIMIZERS, make_images_problem

pytestmark = pytest.mark.slow

RUNS = [Run(Cosine(), Settings(lr=lr, epochs=5), seed) for seed in (0, 1) for lr in (0.1, 0.2, 0.3)]


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        (("ensembel",), ("engine", "loop or ensemble", "ensembel")),
        (("loop", "cpu", True), ("loop", "`torch_compile`")),
    ],
)
def test_invalid_engines_are_rejected(arguments: tuple, mentions: tuple) -> None:
    with raises(TrainingError, *mentions):
        create_engine(*arguments)


def test_engines_are_read_back_from_their_text() -> None:
    for text, engine in {
        "loop": LoopEngine(),
        "loop, meta": LoopEngine("meta"),
        "ensemble, torch_compile": EnsembleEngine(torch_compile=True),
        "ensemble, meta, torch_compile": EnsembleEngine("meta", torch_compile=True),
    }.items():
        assert str(engine) == text
        assert Engine.from_text(text) == engine


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_needs_a_gpu() -> None:
    with raises(TrainingError, "device", "cuda", "use cpu"):
        EnsembleEngine("cuda").check_available()
    with raises(TrainingError, "device", "abacus"):
        LoopEngine("abacus").check_available()


def test_torch_compile_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with raises(TrainingError, "torch_compile", "g++"):
        EnsembleEngine(torch_compile=True).check_available()


def test_the_faster_engine_is_selected(iris: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    def select_engine(loop_seconds: float, ensemble_seconds: float) -> EngineChoice:
        def time_extra_epochs(train: object, runs: list, epochs: int) -> float:
            return loop_seconds if len(runs) == 1 else ensemble_seconds

        monkeypatch.setattr(probing, "_time_extra_epochs", time_extra_epochs)
        return select_faster_engine(iris, RUNS, EnsembleEngine())

    choice = select_engine(5.0, 1.0)
    assert choice.engine == EnsembleEngine()
    # 105 rows in 5 batches an epoch, and 7 extra epochs: 5 s for one run, 1 s for six.
    assert choice.seconds_per_run_step == pytest.approx(1 / (5 * 7 * 6))
    assert choice.reason is EngineReason.FASTER
    assert choice.times == EngineTimes(5 / (5 * 7), 1 / (5 * 7) / 6, "ensemble", 6)
    # Six runs together take longer than six in the loop.
    assert select_engine(1.0, 6.1).engine == LoopEngine()


def test_a_real_probe_finds_the_ensemble_faster_for_many_small_runs(iris: Problem) -> None:
    many = [
        Run(None, replace(RUNS[0].settings, lr=k / 100), s) for k in range(1, 33) for s in (0, 1)
    ]
    choice = select_faster_engine(iris, many, EnsembleEngine())
    assert choice.engine == EnsembleEngine()
    assert 0 < choice.seconds_per_run_step < 1e-3


def test_the_loop_is_selected_if_the_ensemble_cannot_train(iris: Problem) -> None:
    with_dropout = replace(iris, model=lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5)))
    choice = select_faster_engine(with_dropout, RUNS, EnsembleEngine())
    assert choice.engine == LoopEngine()
    assert choice.reason is EngineReason.LOOP_ONLY
    assert choice.obstacle is not None
    assert "dropout" in choice.obstacle
    assert choice.seconds_per_run_step > 0


def test_the_loop_is_selected_if_the_ensemble_gives_another_loss(iris: Problem) -> None:
    class Wrong(nn.Module):
        """Gives other outputs in the ensemble."""

        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.head(x)
            return 2 * y if torch._C._functorch.is_functorch_wrapped_tensor(y) else y

    choice = select_faster_engine(replace(iris, model=Wrong), RUNS, EnsembleEngine())
    assert choice.engine == LoopEngine()
    assert choice.reason is EngineReason.LOSS_DIFFERS


def test_truncated_problems_have_the_first_rows(iris: Problem) -> None:
    short, split = probing._truncate_problem(iris, 20), iris.split(3)
    short_split = short.split(3)
    assert short.train_rows == len(short_split.x_train) == 20
    assert len(short_split.x_test) == 9
    assert torch.equal(short_split.x_train, split.x_train[:20])
    whole = probing._truncate_problem(iris, 10**6)
    assert torch.equal(whole.split(3).x_test, split.x_test)


@pytest.mark.parametrize("validation_size", [0.0, 1e-6, 0.2, 0.37, 0.9])
def test_probes_have_eight_whole_batches(iris: Problem, validation_size: float) -> None:
    """A model with batch normalization refuses a last batch of one row."""
    settings = Settings(batch_size=7, validation_size=validation_size)
    probe, epochs, steps = probing._make_probe(replace(iris, train_rows=10**6), settings)
    assert probe.train_rows - settings.count_validation_rows(probe.train_rows) == 8 * 7
    assert steps == 8 * epochs


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
def test_compiled_steps_equal_the_loop() -> None:
    problem = make_images_problem()
    runs = [
        Run(Cosine(), Settings(**OPTIMIZERS["sgd, momentum"], epochs=2, batch_size=44), seed)
        for seed in (0, 1)
    ]
    for run, result in zip(runs, ensemble.train(problem, runs, torch_compile=True), strict=True):
        assert_same_result(result, loop.train(problem, run))


COMPILE_SCRIPT = """
from lrlab.errors import TrainingError
from lrlab.training import Run, Settings, ensemble
from lrlab.problems import load_problem
try:
    ensemble.train(load_problem("iris"), [Run(None, Settings(epochs=1), 0)], torch_compile=True)
except TrainingError as error:
    print(error)
"""


@pytest.mark.integration
def test_a_broken_compiler_is_reported(tmp_path: Path) -> None:
    environment = {"CXX": "/bin/false", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    process = subprocess.run(
        [sys.executable, "-c", COMPILE_SCRIPT],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert "cannot be trained in the ensemble, because torch reports" in process.stdout


def test_few_rows_are_probed(iris: Problem) -> None:
    settings = Settings(epochs=2, batch_size=1, validation_size=0.95)
    choice = select_faster_engine(iris, [Run(None, settings, 0)], EnsembleEngine())
    assert choice.seconds_per_run_step > 0


def test_few_rows_are_timed_long_enough() -> None:
    iris = load_problem("iris")
    few = replace(iris, split=lambda seed: _take_first_rows(iris.split(seed)), train_rows=8)
    choice = select_faster_engine(few, RUNS, EnsembleEngine())
    assert 1e-6 < choice.seconds_per_run_step < 1e-2


def _take_first_rows(split: Split) -> Split:
    return replace(split, x_train=split.x_train[:8], y_train=split.y_train[:8])


FREE_BYTES_SCRIPT = """
import ctypes, sys, torch
from lrlab.training.engines import keep_freed_memory

NUMBERS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()

class Mallinfo(ctypes.Structure):  # malloc.h's struct mallinfo2
    _fields_ = [(name, ctypes.c_size_t) for name in NUMBERS]

mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Mallinfo
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    keep_freed_memory()
step = torch.zeros(5_000_000)
del step
print(mallinfo().fordblks)  # bytes that are free but not returned
"""
STEP_BYTES = 5_000_000 * 4


def test_one_thread_is_used_inside() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with use_one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.integration
@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"),
    reason="needs mallinfo2 of glibc 2.33 or newer",
)
def test_freed_memory_is_kept() -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")
    }

    def measure_free_bytes(mode: str) -> int:
        command = [sys.executable, "-c", FREE_BYTES_SCRIPT, mode]
        process = subprocess.run(
            command, env=environment, capture_output=True, check=True, text=True
        )
        return int(process.stdout)

    assert measure_free_bytes("keep") > STEP_BYTES > measure_free_bytes("return")
