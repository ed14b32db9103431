"""``lrlab resume``: from where it is called, and of whom it was begun."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from lrlab import Cosine
from lrlab.cli.compare import run_study_with_progress
from lrlab.lab import plan_study
from lrlab.problems import load_problem
from lrlab.studies import Machine, Plan, Protocol, Store, run_study
from tests.cli.conftest import Said

Lrlab = Callable[..., Said]

WORDS = ["iris", "--schedule", "Cosine()", "--no-tune", "--seeds", "2", "--epochs", "1"]
HERE = ["--engine", "loop", "--workers", "1"]


def same_from_python() -> Plan:
    return plan_study(load_problem("iris"), [Cosine()], tune=False, protocol=Protocol(2), epochs=1)


def test_the_picture_goes_where_the_command_is_given(
    lrlab: Lrlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lrlab("compare", *WORDS, *HERE).code == 0
    (tmp_path / "elsewhere" / "pictures").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    said = lrlab("resume", "--db", "../lrlab.db", "--png", "pictures/own.png", "--workers", "1")
    assert (said.code, said.err.count("error")) == (0, 0)
    assert (tmp_path / "elsewhere" / "pictures" / "own.png").is_file()


def test_a_study_begun_in_python_and_repeated_by_a_command_can_be_resumed(
    lrlab: Lrlab, tmp_path: Path
) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        study = run_study(same_from_python(), store, Machine(1))
    assert "was begun in Python" in lrlab("resume", "--workers", "1").err
    repeated = lrlab("compare", *WORDS, *HERE)
    assert f"study {study.plan.id}" in repeated.out
    assert lrlab("resume", "--workers", "1").code == 0


def test_how_to_go_on_can_be_typed_as_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lrlab.studies.carry_out", stopped)
    with Store(tmp_path / "my studies.db") as store, pytest.raises(typer.Exit) as ended:
        run_study_with_progress(same_from_python(), store, Machine(1), None)
    assert ended.value.exit_code == 130
    assert f" --db '{tmp_path}/my studies.db'" in capsys.readouterr().err


def test_a_goal_that_is_no_number_is_refused_before_anything_is_begun(
    lrlab: Lrlab, tmp_path: Path
) -> None:
    said = lrlab("compare", *WORDS, *HERE, "--goal", "inf")
    assert (said.code, said.err) == (
        2,
        "error: a goal must be a finite number, got inf; such as 0.95.\n",
    )
    assert list(tmp_path.iterdir()) == []
