"""What DATA may name: data sets, tables, and objects in Python files."""

from pathlib import Path

import pytest

from lrlab.errors import ProblemError
from lrlab.problems import Problem, TrainingFunction, load_problem
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
    plain = load_problem(
        f"{script}:train", function_options={"metric": "accuracy", "dummy_score": 0.3}
    )
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
    ("options", "option"),
    [
        ({"target": "x"}, "--target"),
        ({"task": "regression"}, "--task"),
        ({"header": True}, "--header"),
        ({"test_file": Path("x")}, "--test-file"),
        ({"ionosphere_file": Path("x")}, "--ionosphere-file"),
        ({"function_options": {"metric": "x"}}, "--metric"),
        ({"function_options": {"greater_is_better": False}}, "--greater-is-better"),
    ],
)
def test_options_that_do_not_suit_the_data(script: str, options: dict, option: str) -> None:
    with raises(ProblemError, option, "iris"):
        load_problem("iris", **options)
    with raises(ProblemError, option, "user_script.py:problem"):
        load_problem(f"{script}:problem", **options)
