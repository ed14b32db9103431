"""What DATA may name: data sets, tables, and objects in Python files; loading it again."""

from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris

from lrlab.errors import ProblemError
from lrlab.problems import Problem, ProblemSource, TrainingFunction, load_problem
from tests.raising import raises

SCRIPT = """
import lrlab
from torch import nn
from sklearn.datasets import load_iris

def model():
    return nn.Linear(4, 3)

def problem():
    return lrlab.Problem.from_arrays(*load_iris(return_X_y=True), model, name="mine")

def train(run):
    for epoch in range(run.epochs):
        run.report(epoch, accuracy=0.5)

built_problem = problem()
function = lrlab.TrainingFunction(train, metric="accuracy")
number = 3

def two(a, b): ...
def failing():
    return {}["nothing"]
def refusing():
    return lrlab.Problem.from_arrays([[1.0]], [1.0], model)
"""


@pytest.fixture
def script(scripts: Path) -> str:
    (scripts / "user_script.py").write_text(SCRIPT)
    return str(scripts / "user_script.py")


def test_a_file_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "my data.csv"
    path.write_text("x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(20)))
    assert load_problem(str(path)).name == "my data"


@pytest.mark.parametrize(
    ("data", "mentions"),
    [
        ("breast_cancer", ["breast_cancer", "did you mean breast-cancer"]),
        ("nowhere/data.csv", ["nowhere/data.csv", "breast-cancer, digits"]),
        ("", ["breast-cancer, digits"]),
    ],
)
def test_data_that_does_not_exist(data: str, mentions: list[str]) -> None:
    with raises(ProblemError, *mentions):
        load_problem(data)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with raises(ProblemError, tmp_path, "folder"):
        load_problem(str(tmp_path))


@pytest.mark.parametrize("name", ["problem", "built_problem"])
def test_a_problem_or_a_function_that_returns_one(script: str, name: str) -> None:
    problem = load_problem(f"{script}:{name}")
    assert isinstance(problem, Problem)
    assert problem.name == "mine"
    assert problem.split(0).x_test.shape == (45, 4)


def test_a_training_function_or_a_plain_function(script: str) -> None:
    plain = load_problem(f"{script}:train", metric="accuracy", dummy_score=0.3)
    function = load_problem(f"{script}:function")
    assert isinstance(plain, TrainingFunction)
    assert isinstance(function, TrainingFunction)
    assert (plain.name, plain.metric.name, plain.dummy_score) == ("user_script", "accuracy", 0.3)
    assert plain.fingerprint != function.fingerprint  # another dummy score


@pytest.mark.parametrize(
    ("name", "mentions"),
    [
        ("number", ["user_script.py:number", "int"]),
        ("two", ["user_script.py:two", "function"]),
        ("failing", ["user_script.py:", "KeyError: 'nothing'"]),
        ("refusing", ["user_script.py:", "the model cannot take"]),
        ("model", ["user_script.py:model", "Linear"]),
    ],
)
def test_objects_that_are_not_problems(script: str, name: str, mentions: list[str]) -> None:
    with raises(ProblemError, *mentions):
        load_problem(f"{script}:{name}")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("target", "x"),
        ("task", "regression"),
        ("header", False),
        ("test_file", "x"),
        ("ionosphere_file", "x"),
        ("greater_is_better", False),
        ("percent", True),
        ("dummy_score", 0.0),
    ],
)
def test_options_that_do_not_suit_the_data(script: str, option: str, value: object) -> None:
    options: dict[str, Any] = {option: value}
    for data in ("iris", f"{script}:problem"):
        with raises(ProblemError, f"`{option}`", data):
            load_problem(data, **options)


def test_a_problem_of_your_own_has_its_metric(script: str) -> None:
    for name in ("problem", "function"):
        with raises(ProblemError, "`metric`", "plain function", f"user_script.py:{name}"):
            load_problem(f"{script}:{name}", metric="accuracy")


def test_metrics_of_data_sets_and_tables(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    load_iris(as_frame=True).frame.to_csv(path, index=False)
    for data in ("iris", str(path)):
        default, same = load_problem(data), load_problem(data, metric="accuracy")
        assert same.fingerprint == default.fingerprint
        other = load_problem(data, metric="loss")
        assert (other.metric.name, other.metric.greater_is_better) == ("loss", False)
        assert other.fingerprint != default.fingerprint
        with raises(ProblemError, "metric", "accuracy", "loss", "rmse"):
            load_problem(data, metric="rmse")


NUMBERS_SCRIPT = """
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
    (scripts / "sourced_problem.py").write_text(NUMBERS_SCRIPT)
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
