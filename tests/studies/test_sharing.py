"""Shared values: equal to what was given, on pages that no process has copied, gone at the end."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from torch import Tensor

from lrlab.errors import StudyError
from lrlab.problems import load_problem
from lrlab.studies.execution.local import load_shared, write_shared


@dataclass(frozen=True, eq=False)
class Held:
    """What a user's problem may hold."""

    array: NDArray[np.float64]
    tensor: Tensor
    half: Tensor
    learnt: Tensor
    table: pd.DataFrame
    empty: NDArray[np.int64]
    text: str


def held() -> Held:
    generator = torch.Generator().manual_seed(0)
    return Held(
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
    value = held()
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


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks the Linux kernel")
def test_workers_map_one_file_and_copy_nothing(ionosphere_folder: Path) -> None:
    mine = held()
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
        with write_shared(held()):
            assert len(list(tmp_path.iterdir())) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StudyError, match="define its functions at the top of a module"):
        write_shared(lambda: None).__enter__()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(StudyError, match="No space left on device; name another folder"):
        write_shared(held()).__enter__()
    assert list(tmp_path.iterdir()) == []
