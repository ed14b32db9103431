"""What a function is made of: its fingerprint changes with that and with nothing else."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from lrlab.problems.fingerprint import (
    compute_fingerprint,
    describe_error,
    is_library_file,
    locate_error,
)
from tests.conftest import REPOSITORY

MODEL = """
import torch
from torch import nn
from own_parts import width

DEPTH = 2
TABLE = {"a": torch.ones(2)}
unused = 1

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, width())

    def forward(self, x):
        return self.inner(x) * DEPTH + helper(x)

def helper(x):
    return TABLE["a"].sum()

def model():
    return Net()

def apart():
    return 0
"""
PARTS = "def width():\n    return 3\n"


@pytest.fixture
def print_of(tmp_path: Path) -> Callable[..., str]:
    """The fingerprint of ``model`` in another process, where the files hold these texts."""

    def of(model: str = MODEL, parts: str = PARTS) -> str:
        (tmp_path / "own_model.py").write_text(model)
        (tmp_path / "own_parts.py").write_text(parts)
        program = (
            "import own_model; from lrlab.problems.fingerprint import compute_fingerprint as f;"
        )
        done = subprocess.run(
            [sys.executable, "-B", "-c", program + "print(f(own_model.model))"],
            cwd=tmp_path, capture_output=True, text=True, check=True,
            env={"PYTHONPATH": str(REPOSITORY / "src"), "PYTHONHASHSEED": "random"},
        )  # fmt: skip
        return done.stdout

    return of


def test_the_code_of_a_model_and_all_it_uses(print_of: Callable[..., str]) -> None:
    same = print_of()
    assert print_of() == same
    assert print_of(MODEL.replace("return 0", "return 1")) == same  # which it does not use
    assert print_of(MODEL.replace("unused = 1", "unused = 2")) == same
    changed = [
        print_of(MODEL.replace("return Net()", "return Net().double()")),
        print_of(MODEL.replace("* DEPTH", "/ DEPTH")),
        print_of(MODEL.replace("DEPTH = 2", "DEPTH = 3")),
        print_of(MODEL.replace("ones(2)", "ones(3)")),
        print_of(MODEL.replace(".sum()", ".mean()")),
        print_of(MODEL, PARTS.replace("3", "5")),
    ]
    assert len({same, *changed}) == 1 + len(changed)


def test_what_objects_and_closures_hold() -> None:
    def scaled(factor: float):
        return lambda x: x * factor

    different = [
        scaled(2.0),
        scaled(3.0),
        nn.CrossEntropyLoss(),
        nn.CrossEntropyLoss(label_smoothing=0.1),
        nn.CrossEntropyLoss(weight=torch.ones(2)),
        nn.CrossEntropyLoss(weight=torch.ones(3)),
        nn.MSELoss(),
        nn.functional.mse_loss,
        torch.ones(2),
        torch.ones(2, dtype=torch.int64),
        torch.ones(2, dtype=torch.bfloat16),
        1,
        "1",
        [1],
        [1, [2]],
        [[1], 2],
        {"a": 1},
        {"a": 2},
    ]
    prints = [compute_fingerprint(value) for value in different]
    assert len(set(prints)) == len(different)
    assert [compute_fingerprint(value) for value in different] == prints
    assert compute_fingerprint(scaled(2.0)) == prints[0]


def test_what_refers_to_itself_has_an_end() -> None:
    circle: list = []
    circle.append(circle)

    def endless() -> object:
        return endless()

    assert compute_fingerprint(circle) != compute_fingerprint([])
    assert compute_fingerprint(endless)


def test_the_line_is_the_users_own() -> None:
    def failing() -> None:
        nn.Linear(3, 2)(torch.ones(4))

    with pytest.raises(RuntimeError) as failed:
        failing()
    line = failing.__code__.co_firstlineno + 1
    assert locate_error(failed.value) == f"test_code.py:{line}"
    with pytest.raises(SyntaxError) as syntax:
        compile("x = 1\ndef f(:", "mine.py", "exec")
    assert locate_error(syntax.value) == "mine.py:2"


def test_errors_in_words() -> None:
    assert describe_error(ValueError("first.\nsecond")) == "ValueError: first"
    assert describe_error(KeyError()) == "KeyError"


def test_whose_code_it_is() -> None:
    assert not is_library_file(__file__)
    for name in ("json", "torch", "lrlab.errors"):
        assert is_library_file(str(importlib.import_module(name).__file__))
