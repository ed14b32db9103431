"""``lrlab plan``: what it says is what ``lrlab compare`` then does, and it does nothing itself."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lrlab.problems import load_problem
from lrlab.studies import Machine, Protocol, build_grid, build_plan, estimate_cost
from lrlab.training import Settings
from tests.cli.stopping import query
from tests.cli.test_own import TRAINING
from tests.studies.old_files import old_file
from tests.studies.stored import write

SMALL = [
    "iris", "--schedule", "Cosine()", "--schedule", "Linear(1, 0)", "--lr", "0.03,0.3",
    "--momentum", "0,0.9", "--tuning-seeds", "2", "--seeds", "3", "--epochs", "2",
    "--engine", "loop",
]  # fmt: skip


def said_of(out: str, phase: str) -> int:
    """The runs that a plan says a phase has."""
    (found,) = re.findall(rf"^{phase} +(?:<= *)?(\d+) runs  ", out, re.MULTILINE)
    return int(found)


def done(db: Path, phases: str) -> int:
    return query(db, f"SELECT count(*) FROM planned_run WHERE phase GLOB '{phases}'")[0][0]


@pytest.mark.parametrize("widenings", [0, 2])
def test_the_runs_of_every_phase_are_those_of_the_study(
    lrlab: Callable, tmp_path: Path, widenings: int
) -> None:
    study = [*SMALL, "--widen", widenings]
    said = lrlab("plan", *study)
    assert said.code == 0
    assert list(tmp_path.iterdir()) == []
    assert lrlab("compare", *study).code == 0
    db = tmp_path / "lrlab.db"
    assert said_of(said.out, "tuning") == done(db, "tuning") == 3 * 4 * 2
    least, most = re.search(
        r"^(\d+)(?: to (\d+))? runs of 2 epochs, loop$", said.out, re.M
    ).groups()
    if widenings:
        # Of two rates one is the best, and both are at an edge: every schedule is widened.
        assert 3 * 2 * 2 <= done(db, "widening*") <= said_of(said.out, "widening")
        assert int(most) == int(least) + said_of(said.out, "widening")
        assert int(least) < done(db, "*") <= int(most)
    else:
        assert "widening" not in said.out
        assert most is None
        assert said_of(said.out, "final") == done(db, "final") == (3 + 4 - 1 + 2) * 3
        assert done(db, "*") == int(least)

    again = lrlab("plan", *study)
    assert "24 of them stored already" in again.out
    assert "24 of them stored already" not in said.out
    assert again.out.replace(", 24 of them stored already", "") == _as_timed(said.out, again.out)


def _as_timed(said: str, other: str) -> str:
    """With the time that the other one tells."""
    time = re.compile(r"^about .* on this machine$", re.MULTILINE)
    (found,) = time.findall(other)
    return time.sub(found, said)


def test_all_that_widening_may_cost_is_said() -> None:
    grid = build_grid(Settings(epochs=1, validation_size=0.2), [0.03, 0.3], [0, 0.9])
    study = build_plan(
        load_problem("iris"), [], grid, Protocol(seeds=5, tuning_seeds=3, grid_extensions=2)
    )
    taken = estimate_cost(study, Machine(1))
    assert taken.tuning_runs == 4 * 3
    assert taken.final_runs == (4 + 2) * 5  # the rate halfway between the two, with either momentum
    # Two rates with two momenta each: tuned, then run over fresh seeds, as is what lies halfway.
    assert taken.max_extension_runs == 4 * (3 + 2 * 5)


def test_what_is_not_tuned_has_final_runs_alone(lrlab: Callable, tmp_path: Path) -> None:
    study = ["iris", "--no-tune", "--seeds", 40, "--epochs", 30, "--engine", "ensemble"]
    said = lrlab("plan", *study)
    assert said_of(said.out, "final") == 12 * 40
    assert "tuning" not in said.out
    assert "480 runs of 30 epochs, ensemble\n" in said.out
    assert lrlab("compare", *study).code == 0
    assert done(tmp_path / "lrlab.db", "*") == 480
    (megabytes,) = re.findall(r"^about (\S+) MB in the database$", said.out, re.MULTILINE)
    assert 1 / 2 < float(megabytes) * 1e6 / (tmp_path / "lrlab.db").stat().st_size < 2


def test_the_schedules_are_shown_as_they_are_run(lrlab: Callable, tmp_path: Path) -> None:
    study = [
        "iris", "--schedule", "Linear(0.5, 0)", "--lr", "0.1,0.2", "--momentum", "0",
        "--tuning-seeds", "1", "--seeds", "1", "--epochs", "1", "--widen", "0", "--engine", "loop",
    ]  # fmt: skip
    said = lrlab("plan", *study)
    listed = said.out[said.out.index("schedules\n") :].split("\n\n")[0].splitlines()[1:]
    assert listed == ["  Constant(1.0)", "  2.0 * Linear(0.5, 0.0)"]
    assert lrlab("compare", *study).code == 0
    trained = query(tmp_path / "lrlab.db", "SELECT DISTINCT schedule FROM run")
    assert {f"  {schedule}" for (schedule,) in trained} == set(listed)


def test_a_training_function_has_no_time(lrlab: Callable, scripts: Path) -> None:
    (scripts / "own_plan_training.py").write_text(TRAINING)
    said = lrlab("plan", "own_plan_training.py:train", "--metric", "error", "--lower-is-better",
                 "--dummy-score", 3, "--epochs", 2)  # fmt: skip
    assert said.code == 0
    assert "time: as long as the function takes, which only it knows" in said.out
    assert "on this machine" not in said.out
    assert "2 epochs, loop" in said.out
    assert "Plateau" not in said.out  # a function may give its scheduler no metric


@pytest.mark.parametrize("made", [write, lambda db: old_file(db, 2), Path.touch])
def test_a_database_is_read_and_never_written(
    lrlab: Callable, tmp_path: Path, made: Callable
) -> None:
    made(tmp_path / "lrlab.db")
    before = (tmp_path / "lrlab.db").read_bytes()
    (tmp_path / "lrlab.db").chmod(0o444)
    said = lrlab("plan", *SMALL, "--engine", "auto")
    assert said.code == 0, said.err
    assert [file.name for file in tmp_path.iterdir()] == ["lrlab.db"]
    assert (tmp_path / "lrlab.db").read_bytes() == before


def test_the_engine_is_the_one_that_the_study_then_has(lrlab: Callable) -> None:
    study = ["iris", "--schedule", "Cosine()", "--no-tune", "--seeds", "2", "--epochs", "1"]
    assert lrlab("compare", *study, "--engine", "loop").code == 0
    said = lrlab("plan", *study)
    assert "engine: loop (this study was begun with it)" in said.err
    assert "4 runs of 1 epoch, loop, 4 of them stored already" in said.out
