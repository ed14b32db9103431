"""What stands in a Python file of the user's own, and every way to name it wrongly."""

from pathlib import Path

import pytest

from lrlab.errors import LrlabError, ProblemError
from lrlab.problems import Problem, TrainingFunction, load_problem
from lrlab.problems.user_code import load_object

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

made = problem()
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
    (scripts / "own_script.py").write_text(SCRIPT)
    return str(scripts / "own_script.py")


@pytest.mark.parametrize("name", ["problem", "made"])
def test_a_problem_or_what_gives_one(script: str, name: str) -> None:
    problem = load_problem(f"{script}:{name}")
    assert isinstance(problem, Problem)
    assert problem.name == "mine"
    assert problem.split(0).x_test.shape == (45, 4)


def test_a_training_function_or_what_becomes_one(script: str) -> None:
    plain = load_problem(
        f"{script}:train", function_options={"metric": "accuracy", "dummy_score": 0.3}
    )
    made = load_problem(f"{script}:function")
    assert isinstance(plain, TrainingFunction)
    assert isinstance(made, TrainingFunction)
    assert (plain.name, plain.metric.name, plain.dummy_score) == ("own_script", "accuracy", 0.3)
    assert plain.fingerprint != made.fingerprint  # another guess


def test_it_is_imported_by_its_own_name(script: str) -> None:
    model = load_object(f"{script}:model")
    assert (model.__module__, model.__name__) == ("own_script", "model")
    assert load_object(f"{script}:model") is model


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (":prolbem", "no prolbem in .*own_script.py; did you mean problem"),
        (":", "behind a colon, such as .*own_script.py:problem"),
        ("", "behind a colon, such as .*own_script.py:problem"),
        (":number", "got a value of type int"),
        (":two", "got a value of type function"),
        (":failing", r"failed at own_script.py:\d+: KeyError: 'nothing'"),
        (":refusing", r"\(own_script.py:\d+\): the model cannot take"),
        (":model", "got a value of type Linear"),
    ],
)
def test_names_that_are_none(script: str, name: str, said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        load_problem(script + name)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target": "x"}, "--target is for a table"),
        ({"test": Path("x")}, "--test is for a table"),
        ({"file": Path("x")}, "--file is for ionosphere"),
        ({"function": {"metric": "x"}}, "--metric is for a plain function"),
        (
            {"function_options": {"greater_is_better": False}},
            "--greater-is-better is for a plain function",
        ),
    ],
)
def test_options_that_do_not_go_with_a_problem(script: str, options: dict, said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        load_problem(f"{script}:problem", **options)
    with pytest.raises(ProblemError, match="is for a training function of your own"):
        load_problem("iris", function_options={"dummy_score": 0.0})


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("broken.py", "x = 1\ndef f(:\n", "fails at broken.py:2: SyntaxError"),
        ("failing.py", "\n\n1 / 0\n", "fails at failing.py:3: ZeroDivisionError"),
        ("lacking.py", "import not_there_at_all\n", "lacking.py:1: ModuleNotFoundError"),
        ("stopping.py", "import sys; sys.exit(3)\n", "stopping.py:1: SystemExit: 3"),
        ("refused.py", "import lrlab; lrlab.Cosine(-1)", r"refused.py:1\): Cosine"),
        ("json.py", "x = 1\n", "because json is .*; rename your file"),
        ("two.dots.py", "x = 1\n", "one dot in its name"),
    ],
)
def test_files_that_cannot_be_imported(
    script: str, tmp_path: Path, file: str, text: str, said: str
) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(LrlabError, match=said):
        load_problem(f"{tmp_path / file}:x")


def test_a_file_that_is_not_there(script: str, tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="there is no file"):
        load_problem(f"{tmp_path / 'nothing.py'}:x")
