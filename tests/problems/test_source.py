"""Where a problem comes from: written as JSON and loaded again, in its folder."""

from pathlib import Path

import pytest

from lrlab.errors import ProblemError
from lrlab.problems import ProblemSource
from tests.raising import raises

SCRIPT = """
import lrlab
from pathlib import Path
from torch import nn

def problem():
    rows = [[float(number)] for number in Path("numbers.txt").read_text().split()]
    return lrlab.Problem.from_arrays(rows, rows, MODEL, name="mine")

def MODEL():
    return nn.Linear(1, 1)
"""


def test_a_source_is_the_same_from_json(tmp_path: Path) -> None:
    options = {"target": "y", "header": False, "test_file": Path("test.csv"), "task": None}
    source = ProblemSource("data.csv", options, tmp_path)
    expected = {"target": "y", "header": False, "test_file": "test.csv"}
    assert ProblemSource.from_json(source.to_json()) == ProblemSource(
        "data.csv", expected, tmp_path
    )


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"folder": 5, "data": "iris"}', "5"])
def test_damaged_json_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        ProblemSource.from_json(text)


def test_a_problem_is_loaded_in_its_folder(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (scripts / "sourced_problem.py").write_text(SCRIPT)
    (scripts / "numbers.txt").write_text(" ".join(map(str, range(20))))
    monkeypatch.chdir(scripts)
    source = ProblemSource("sourced_problem.py:problem")
    (scripts / "elsewhere").mkdir()
    monkeypatch.chdir(scripts / "elsewhere")
    assert source.load().name == "mine"
    assert Path.cwd() == scripts / "elsewhere"


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with raises(ProblemError, tmp_path / "gone", "iris", "No such file"):
        ProblemSource("iris", folder=tmp_path / "gone").load()
