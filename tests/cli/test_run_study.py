"""Running a study from the command line: its progress, its plot, and how it is continued."""

import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from lrlab.errors import StudyError
from lrlab.lab import plan_study, planned_study
from lrlab.problems import load_problem
from lrlab.studies import RayCluster
from lrlab.studies.execution.runner import Progress
from lrlab.training.engines import LoopEngine
from lrlab.training.probing import EngineChoice, EngineReason
from tests.cli.conftest import CommandResult, Lrlab, assert_refused

pytestmark = pytest.mark.slow

STUDY = ["iris", "--schedule", "Cosine()", "--no-tune", "--seeds", "2", "--epochs", "1"]
LOOP = ["--engine", "loop", "--workers", "1"]


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_output_is_relative_to_the_current_folder(
    lrlab: Lrlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lrlab("compare", *STUDY, *LOOP).code == 0
    (tmp_path / "elsewhere" / "plots").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = lrlab("resume", "--db", "../lrlab.db", "--output", "plots/a.png", "--workers", "1")
    assert (result.code, result.err.count("error")) == (0, 0)
    assert (tmp_path / "elsewhere" / "plots" / "a.png").is_file()


def test_a_study_started_in_python_and_repeated_by_a_command_can_be_resumed(
    lrlab: Lrlab, tmp_path: Path
) -> None:
    planned = plan_study(
        load_problem("iris"), "Cosine()", tune=False, seeds=2, epochs=1, db=tmp_path / "lrlab.db",
        engine="loop", workers=1,
    )  # fmt: skip

    def interrupt(progress: Progress) -> None:
        if progress.trained == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        planned.run(interrupt)
    assert_refused(lrlab("resume", "--workers", "1"), planned.id, "Python")
    repeated = lrlab("compare", *STUDY, *LOOP)
    assert planned.id in repeated.out
    assert lrlab("resume", "--workers", "1").code == 0


def test_the_command_that_continues_a_study_can_be_pasted(
    lrlab: Lrlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planned_study, "run_study", stop)
    result = lrlab("compare", *STUDY, *LOOP, "--db", tmp_path / "my studies.db")
    assert result.code == 130
    command = rf"lrlab resume \w{{8}} --db '{tmp_path}/my studies.db'\n"
    assert re.search(command, result.err)


def test_a_study_on_a_cluster_is_continued_there(
    lrlab: Lrlab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planned_study, "run_study", stop)
    monkeypatch.setattr(RayCluster, "open", lambda backend: nullcontext())
    monkeypatch.setattr(RayCluster, "get_cluster_info", lambda backend: None)

    def run_and_get_command(*options: str) -> str:
        result: CommandResult = lrlab("compare", *STUDY, "--engine", "ray", *options)
        assert result.code == 130
        return result.err.rpartition("lrlab resume ")[2].partition(" ")[2]

    cluster = ["--address", "10.0.0.1:6379", "--gpus-per-run", "0.5"]
    assert run_and_get_command(*cluster) == f"--engine ray {' '.join(cluster)}\n"
    assert run_and_get_command("--db", "my own.db") == "--db 'my own.db' --engine ray\n"


def test_a_long_study_is_warned_of(lrlab: Lrlab, monkeypatch: pytest.MonkeyPatch) -> None:
    choice = EngineChoice(LoopEngine(), EngineReason.REQUESTED, seconds_per_run_step=100.0)
    monkeypatch.setattr(planned_study, "select_engine", lambda *_: choice)
    result = lrlab("compare", *STUDY, "--workers", "1")
    assert result.code == 0
    (line,) = [line for line in result.err.splitlines() if "33 min" in line]
    assert line.startswith("warning: this study takes about 33 min; ")
    assert "lrlab.db" in line


def test_a_target_score_is_checked_before_anything_starts(lrlab: Lrlab, tmp_path: Path) -> None:
    assert_refused(lrlab("compare", *STUDY, *LOOP, "--target-score", "inf"), "inf", "0.95")
    assert list(tmp_path.iterdir()) == []


def test_an_error_during_training_is_printed(lrlab: Lrlab, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StudyError("the disk is full.")

    monkeypatch.setattr(planned_study, "run_study", fail)
    assert_refused(lrlab("compare", *STUDY, *LOOP), "error: the disk is full.")
