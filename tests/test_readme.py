"""The README says what is so: its figures are measured, its code runs, its command is CI's."""

import ast
import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lrlab import testing
from lrlab.problems import Problem, TrainingFunction, load_problem
from lrlab.views.answer import NumberFormat
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
MEASURED = json.loads((REPOSITORY / "benchmarks" / "results" / "tutorial.json").read_text())


@pytest.mark.parametrize("name", MEASURED["schedules"])
def test_the_table_is_the_measured_one(name: str) -> None:
    row, style = MEASURED["schedules"][name], NumberFormat(percent=True, decimals=0)
    cells = [row["schedule"], style.format_score(row["mean"]), style.format_sd(row["sd"])]
    if "difference" in row:
        cells += [
            style.format_difference(row["difference"]),
            style.format_interval(row["ci_low"], row["ci_high"]),
        ]
    pattern = r"\s+".join(re.escape(cell) for cell in cells)
    assert re.search(pattern, README), f"the README lacks {cells}"


def test_the_other_figures_are_measured() -> None:
    assert f"over {MEASURED['seeds']} paired seeds" in README
    assert f"in {100 * MEASURED['luck_fraction']:.0f} % of pairs" in README


def test_its_examples_run() -> None:
    assert doctest.testfile(str(REPOSITORY / "README.md"), module_relative=False).failed == 0
    (loop,) = [
        code for code in re.findall(r"```python\n(.*?)```", README, re.S) if ">>>" not in code
    ]
    names: dict = {}
    exec(loop, names)
    assert names["scheduler"].last_epoch == 50
    assert names["scheduler"].get_last_lr() == [0.1 * 0.01]


DOCUMENTS = [
    document
    for document in sorted((REPOSITORY / "docs").glob("*.md"))
    if ">>>" in document.read_text()
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_examples_of_the_documents_run(document: Path) -> None:
    done = doctest.testfile(str(document), module_relative=False)
    assert done.attempted
    assert not done.failed


def test_what_the_documents_import_is_there() -> None:
    found = [re.findall(r"```python\n(.*?)```", file.read_text(), re.S) for file in DOCUMENTS]
    trees = [ast.parse(code) for blocks in found for code in blocks if ">>>" not in code]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imports = [ast.unparse(n) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    assert any("lightning" in line for line in imports)
    program = [sys.executable, "-W", "ignore", "-c", "\n".join(imports)]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_example_file_runs_and_resumes() -> None:
    example = REPOSITORY / "examples" / "own_loop.py"
    done = subprocess.run([sys.executable, str(example)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Epoch 0: SGD lr 0.1000 -> 0.0983"
    assert lines[20] == "Epoch 20: SGD lr 0.0667 -> 0.0650"
    assert lines[49] == "Epoch 49: SGD lr 0.0500 -> 0.0500"


@pytest.mark.parametrize("name", ["own_problem.py:problem", "own_training.py:train"])
def test_the_examples_of_ones_own_are_what_they_should_be(name: str, scripts: Path) -> None:
    place = f"{REPOSITORY / 'examples'}/{name}"
    if name.endswith("problem"):
        problem = load_problem(place)
        assert isinstance(problem, Problem)
        testing.check_problem(problem)
    else:
        function = load_problem(place, function_options={"metric": "accuracy"})
        assert isinstance(function, TrainingFunction)
        testing.check_training(function)


def test_every_file_it_names_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (REPOSITORY / target).exists(), target


def test_ci_runs_the_readmes_test_command() -> None:
    commands = (REPOSITORY / ".ci" / "run").read_text().splitlines()
    assert commands[-1] == "make test"
    assert "make test" in README
