"""The examples run: each script, and the notebook with a restart of its kernel in between."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from lrlab import testing
from lrlab.problems import Problem, TrainingFunction, load_problem
from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
NOTEBOOK = nbformat.read(EXAMPLES / "study.ipynb", as_version=4)


@pytest.mark.integration
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_runs_without_warnings(script: Path, tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout
    assert "Warning" not in process.stderr


@pytest.mark.integration
def test_the_training_loop_resumes() -> None:
    process = subprocess.run(
        [sys.executable, EXAMPLES / "training_loop.py"], capture_output=True, text=True
    )
    lines = process.stdout.splitlines()
    assert lines[0] == "Epoch 0: SGD lr 0.1000 -> 0.0983"
    assert lines[20] == "Epoch 20: SGD lr 0.0667 -> 0.0650"
    assert lines[49] == "Epoch 49: SGD lr 0.0500 -> 0.0500"


@pytest.mark.parametrize("name", ["custom_problem.py:problem", "custom_training.py:train"])
def test_problems_pass_their_checks(name: str, scripts: Path) -> None:
    reference = f"{EXAMPLES}/{name}"
    if name.endswith("problem"):
        problem = load_problem(reference)
        assert isinstance(problem, Problem)
        testing.check_problem(problem)
    else:
        function = load_problem(reference, metric="accuracy")
        assert isinstance(function, TrainingFunction)
        testing.check_training(function)


def execute_cells(cells: Sequence[nbformat.NotebookNode], folder: Path) -> nbformat.NotebookNode:
    """Execute some cells of the notebook in a new kernel."""
    notebook = nbformat.from_dict({**NOTEBOOK, "cells": list(cells)})
    return NotebookClient(notebook, resources={"metadata": {"path": folder}}).execute()


def collect_outputs(cell: nbformat.NotebookNode, mime_type: str) -> list[str]:
    """Return the outputs of a cell that have a representation of some type."""
    data = [output.data for output in cell.outputs if "data" in output]
    return [representations[mime_type] for representations in data if mime_type in representations]


@pytest.mark.integration
def test_the_notebook_runs_and_loads_its_study_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Torch imports tqdm, which warns in notebooks without ipywidgets.
    monkeypatch.setenv("PYTHONWARNINGS", "ignore:IProgress not found")
    later = next(i for i, cell in enumerate(NOTEBOOK.cells) if cell.source.startswith("## Later"))
    halves = [NOTEBOOK.cells[:later], NOTEBOOK.cells[later:]]
    executed = [execute_cells(cells, tmp_path).cells for cells in halves]
    cells = [cell for half in executed for cell in half if cell.cell_type == "code"]
    compared, shown = cells[:2]
    assert any("final" in text for text in collect_outputs(compared, "text/plain"))
    (page,) = collect_outputs(shown, "text/html")
    assert "On this data" in page
    for cell in cells:
        is_plot = cell.source.startswith("study.plot")
        assert len(collect_outputs(cell, "image/png")) == is_plot
        assert not [output for output in cell.outputs if output.get("name") == "stderr"]


def test_the_notebook_is_stored_without_outputs() -> None:
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in NOTEBOOK.cells)
