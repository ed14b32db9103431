"""What a person may name."""

from pathlib import Path

import pytest

from lrlab.errors import ProblemError
from lrlab.problems import load_problem


@pytest.mark.parametrize(
    ("name", "kind", "inputs", "outputs"),
    [
        ("breast-cancer", "classification", 30, 1),
        ("digits", "classification", 64, 10),
        ("wine", "classification", 13, 3),
        ("iris", "classification", 4, 3),
        ("diabetes", "regression", 10, 1),
    ],
)
def test_scikit_learns_data_sets(name: str, kind: str, inputs: int, outputs: int) -> None:
    problem = load_problem(name)
    assert problem.name == name
    assert problem.task.kind == kind
    assert problem.shuffle
    hidden = next(problem.model().children())
    assert (hidden.in_features, hidden.out_features) == (inputs, inputs)
    assert problem.model()(problem.split(0).x_test).shape[1] == outputs


def test_a_file_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "my data.csv"
    path.write_text("x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(20)))
    assert load_problem(str(path)).name == "my data"


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="did you mean breast-cancer"):
        load_problem("breast_cancer")
    with pytest.raises(ProblemError, match="Data sets are breast-cancer, digits"):
        load_problem("nowhere/data.csv")
    with pytest.raises(ProblemError, match="is a folder"):
        load_problem(str(tmp_path))


@pytest.mark.parametrize(
    "options", [{"target": "x"}, {"task": "regression"}, {"header": True}, {"file": Path("x")}]
)
def test_options_that_do_not_go_with_a_data_set(options: dict) -> None:
    with pytest.raises(ProblemError, match="leave it out"):
        load_problem("iris", **options)
