"""``lrlab plan`` predicts what ``lrlab compare`` then does, and does nothing itself."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lrlab.problems import load_problem
from lrlab.studies import Machine, build_grid, build_plan, estimate_cost
from lrlab.studies.plan.plan import Protocol
from lrlab.training import Settings
from tests.cli.conftest import Lrlab
from tests.cli.database import query
from tests.cli.scripts import METRIC_OPTIONS, TRAINING
from tests.studies.store.factories import write_study

pytestmark = pytest.mark.slow

SMALL = [
    "iris", "--schedule", "Cosine()", "--schedule", "Linear(1, 0)", "--lr", "0.03,0.3",
    "--momentum", "0,0.9", "--tuning-seeds", "2", "--seeds", "3", "--epochs", "2",
    "--engine", "loop",
]  # fmt: skip


def get_planned_count(out: str, phase: str) -> int:
    """Return the number of runs that a plan prints for a phase."""
    (count,) = re.findall(rf"^  {phase} +(?:<= )?(\d+)  ", out, re.MULTILINE)
    return int(count)


def get_run_count_range(out: str) -> tuple[int, int]:
    """Return the smallest and the largest number of runs that a plan prints."""
    min_count, max_count = re.findall(r"^(\d+)(?: to (\d+))? runs of ", out, re.MULTILINE)[0]
    return int(min_count), int(max_count or min_count)


def count_stored_runs(db: Path, phases: str = "*") -> int:
    return query(db, f"SELECT count(*) FROM planned_run WHERE phase GLOB '{phases}'")[0][0]


@pytest.mark.parametrize("extensions", [0, 2])
def test_the_planned_runs_are_the_trained_ones(
    lrlab: Lrlab, tmp_path: Path, extensions: int
) -> None:
    study = [*SMALL, "--grid-extensions", extensions]
    planned = lrlab("plan", *study)
    assert planned.code == 0
    assert list(tmp_path.iterdir()) == []
    assert lrlab("compare", *study).code == 0
    db = tmp_path / "lrlab.db"
    assert get_planned_count(planned.out, "tuning") == count_stored_runs(db, "tuning") == 3 * 4 * 2
    min_count, max_count = get_run_count_range(planned.out)
    if extensions:
        # Of two learning rates one is the best, and both are at an edge: every schedule gets more.
        planned_extension = get_planned_count(planned.out, "grid extension")
        assert 3 * 2 * 2 <= count_stored_runs(db, "grid extension*") <= planned_extension
        assert max_count == min_count + planned_extension
        assert min_count < count_stored_runs(db) <= max_count
    else:
        assert "grid extension" not in planned.out
        final = get_planned_count(planned.out, "final")
        assert final == count_stored_runs(db, "final") == (3 + 4 - 1 + 2) * 3
        assert count_stored_runs(db) == min_count == max_count

    again = lrlab("plan", *study)
    time = re.compile(r"^time: .*$", re.MULTILINE)
    stored = ", 24 of them stored already"
    assert stored in again.out
    assert time.sub("", again.out.replace(stored, "")) == time.sub("", planned.out)


def test_the_cost_of_grid_extensions() -> None:
    grid = build_grid(Settings(epochs=1, validation_size=0.2), [0.03, 0.3], [0, 0.9])
    plan = build_plan(
        load_problem("iris"), [], grid, Protocol(seeds=5, tuning_seeds=3, grid_extensions=2)
    )
    estimate = estimate_cost(plan, Machine(1), seconds_per_run_step=None)
    assert estimate.tuning_runs == 4 * 3
    # The final runs include the rate halfway between the two, with either momentum.
    assert estimate.final_runs == (4 + 2) * 5
    # Two rates with two momenta each: tuned, then run over final seeds, as is what lies halfway.
    assert estimate.max_extension_runs == 4 * (3 + 2 * 5)


def test_a_study_without_tuning_has_final_runs_only(lrlab: Lrlab, tmp_path: Path) -> None:
    study = ["iris", "--no-tune", "--seeds", 40, "--epochs", 30, "--engine", "ensemble"]
    planned = lrlab("plan", *study)
    assert get_planned_count(planned.out, "final") == 12 * 40
    assert "tuning" not in planned.out
    assert get_run_count_range(planned.out) == (480, 480)
    assert lrlab("compare", *study).code == 0
    assert count_stored_runs(tmp_path / "lrlab.db") == 480
    (megabytes,) = re.findall(r"^database: about (\S+) MB$", planned.out, re.MULTILINE)
    assert 1 / 2 < float(megabytes) * 1e6 / (tmp_path / "lrlab.db").stat().st_size < 2


def test_the_planned_schedules_are_the_trained_ones(lrlab: Lrlab, tmp_path: Path) -> None:
    study = [
        "iris", "--schedule", "Linear(0.5, 0)", "--lr", "0.1,0.2", "--momentum", "0",
        "--tuning-seeds", "1", "--seeds", "1", "--epochs", "1", "--grid-extensions", "0",
        "--engine", "loop",
    ]  # fmt: skip
    planned = lrlab("plan", *study)
    block = planned.out[planned.out.index("schedules\n") :].split("\n\n")[0]
    assert block.splitlines()[1:] == ["  Constant(1.0)", "  2.0 * Linear(0.5, 0.0)"]
    assert "Linear(0.5, 0.0) is divided by its peak" in planned.err
    assert lrlab("compare", *study).code == 0
    trained = query(tmp_path / "lrlab.db", "SELECT DISTINCT schedule FROM run")
    assert {f"  {schedule}" for (schedule,) in trained} == set(block.splitlines()[1:])


def test_the_time_of_a_training_function_is_unknown(lrlab: Lrlab, scripts: Path) -> None:
    (scripts / "plan_training.py").write_text(TRAINING)
    planned = lrlab("plan", "plan_training.py:train", *METRIC_OPTIONS, "--epochs", 2)
    assert planned.code == 0
    assert "time: unknown" in planned.out
    assert "engine: loop" in planned.out
    assert "Plateau" not in planned.out  # a function may give its scheduler no metric


@pytest.mark.parametrize("create_db", [write_study, Path.touch])
def test_a_database_is_read_and_never_written(
    lrlab: Lrlab, tmp_path: Path, create_db: Callable[[Path], None]
) -> None:
    create_db(tmp_path / "lrlab.db")
    before = (tmp_path / "lrlab.db").read_bytes()
    (tmp_path / "lrlab.db").chmod(0o444)
    planned = lrlab("plan", *SMALL, "--engine", "auto")
    assert planned.code == 0, planned.err
    assert [file.name for file in tmp_path.iterdir()] == ["lrlab.db"]
    assert (tmp_path / "lrlab.db").read_bytes() == before


def test_a_stored_study_keeps_its_engine(lrlab: Lrlab) -> None:
    study = ["iris", "--schedule", "Cosine()", "--no-tune", "--seeds", "2", "--epochs", "1"]
    assert lrlab("compare", *study, "--engine", "loop").code == 0
    planned = lrlab("plan", *study)
    assert "engine: loop" in planned.err
    assert get_run_count_range(planned.out) == (4, 4)
    assert "4 of them stored already; engine: loop" in planned.out
