"""README and docs: figures are measured, examples run, links exist, and CI runs what is written."""

import ast
import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lrlab.views.number_format import NumberFormat
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
RESULTS = REPOSITORY / "benchmarks" / "results"
TUTORIAL = json.loads((RESULTS / "tutorial.json").read_text())
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
WITH_EXAMPLES = [document for document in DOCUMENTS if ">>>" in document.read_text()]


@pytest.mark.parametrize("name", TUTORIAL["schedules"])
def test_the_tutorials_table_is_the_measured_one(name: str) -> None:
    row, number = TUTORIAL["schedules"][name], NumberFormat(percent=True, decimals=0)
    cells = [row["schedule"], number.format_score(row["mean"]), number.format_sd(row["sd"])]
    if "difference" in row:
        cells += [
            number.format_difference(row["difference"]),
            number.format_interval(row["ci_low"], row["ci_high"]),
        ]
    pattern = r"\s+".join(re.escape(cell) for cell in cells)
    assert re.search(pattern, (REPOSITORY / "docs" / "studies.md").read_text()), cells


def test_the_readmes_figures_are_measured() -> None:
    loss = -100 * TUTORIAL["schedules"]["linear"]["difference"]
    assert f"over {TUTORIAL['seeds']} paired seeds" in README
    assert f"*loses* {loss:.2f} points" in README
    assert f"in {100 * TUTORIAL['luck_fraction']:.0f} % of pairs" in README
    rows = json.loads((RESULTS / "ensemble.json").read_text())["tutorial"]["rows"]
    medians = {row["name"]: row["median"] for row in rows}
    ensemble, program = medians["lrlab's ensemble"], medians["the tutorial's program"]
    assert f"cost {ensemble:.1f} µs" in README
    assert f"costs {program:.0f}" in README


@pytest.mark.parametrize("document", WITH_EXAMPLES, ids=lambda document: document.name)
def test_examples_run(document: Path, tmp_path: Path) -> None:
    result = doctest.testfile(str(document), module_relative=False, extraglobs={"folder": tmp_path})
    assert result.attempted
    assert not result.failed


def run_program(word: str) -> dict:
    """Run the program in the README that has a word, and return its names."""
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    (program,) = [code for code in blocks if ">>>" not in code and word in code]
    names: dict = {"__name__": "__main__"}
    exec(program, names)
    return names


@pytest.mark.integration
def test_the_readmes_study_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{i % 7},{i % 5},{0.3 * (i % 7) + i % 5}\n" for i in range(80))
    (tmp_path / "my_table.csv").write_text(f"size,rooms,price\n{rows}")
    study = run_program("lrlab.compare")["study"]
    assert len(study.plan.schedules) == 3
    assert (tmp_path / "study.png").read_bytes().startswith(b"\x89PNG")


def test_the_readmes_loop_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = run_program("LRScheduler")
    assert names["scheduler"].last_epoch == 50
    assert names["scheduler"].get_last_lr() == [0.1 * 0.01]


@pytest.mark.integration
def test_what_the_documents_import_exists() -> None:
    blocks = [re.findall(r"```python\n(.*?)```", file.read_text(), re.S) for file in WITH_EXAMPLES]
    trees = [ast.parse(code) for codes in blocks for code in codes if ">>>" not in code]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imports = [ast.unparse(n) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    assert any("lightning" in line for line in imports)
    program = [sys.executable, "-W", "ignore", "-c", "\n".join(imports)]
    process = subprocess.run(program, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"(?:\]\(|^\[\w+\]: )([^)#\s]+)", document.read_text(), re.M)
    for link in links:
        assert link.startswith("https://") or (document.parent / link).exists(), link


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_ci_runs_the_readmes_test_command() -> None:
    commands = (REPOSITORY / ".ci" / "run").read_text().splitlines()
    assert commands[-1] == "make test"
    assert "`make test`" in README
