"""``lrlab resume``: a stopped study becomes the study that was never stopped."""

import re
import shlex
import signal
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

import lrlab as lrlab_package
from lrlab.studies import Store
from lrlab.studies.execution.runner import Progress
from tests.cli.conftest import CommandResult, Lrlab, assert_refused
from tests.cli.database import query, read_numbers, read_rows
from tests.cli.processes import stop_command
from tests.cli.scripts import METRIC_OPTIONS, PROBLEM, TRAINING

pytestmark = pytest.mark.slow

TINY = [
    "--schedule", "Cosine()", "--lr", "0.03,0.3", "--momentum", "0", "--tuning-seeds", "1",
    "--grid-extensions", "1", "--seeds", "2", "--epochs", "1", "--engine", "loop",
    "--workers", "1",
]  # fmt: skip


@pytest.fixture
def run_interrupted(lrlab: Lrlab, monkeypatch: pytest.MonkeyPatch) -> Lrlab:
    """Runs a command that Ctrl-C stops when its third block has finished."""

    def run(*arguments: object) -> CommandResult:
        blocks, add_results = count(1), Store.add_results

        def add_results_and_stop(store: Store, *block: object) -> None:
            add_results(store, *block)
            if next(blocks) == 3:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(Store, "add_results", add_results_and_stop)
            return lrlab(*arguments)

    return run


def get_stopped_study(result: CommandResult) -> str:
    """Return the id of the study that a command stopped in."""
    assert (result.code, result.out) == (130, "")
    assert "Traceback" not in result.err
    (study_id,) = re.findall(r"lrlab resume (\w{8})", result.err)
    return study_id


@pytest.mark.integration
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_a_resumed_study_equals_an_uninterrupted_one(
    lrlab: Lrlab, run_interrupted: Lrlab, tmp_path: Path, signal_number: signal.Signals
) -> None:
    study = [
        "compare", "wine", "--epochs", "40", "--lr", "0.03,0.3", "--momentum", "0",
        "--grid-extensions", "1", "--schedule", "Cosine()", "--tuning-seeds", "4", "--seeds", "4",
        "--engine", "loop",
    ]  # fmt: skip
    err = stop_command(tmp_path, signal_number, 5, *study, "--workers", 2)
    db = tmp_path / "lrlab.db"
    ((study_id,),) = query(db, "SELECT id FROM study")
    before = read_rows(db)
    if signal_number is signal.SIGINT:
        assert err.endswith(f"lrlab resume {study_id}\n")
        assert "lrlab.db" in err.splitlines()[-1]
        assert "Traceback" not in err
        assert list((tmp_path / "temporary").glob("lrlab*")) == []
    assert f"lrlab resume {study_id}" in lrlab("status").out

    repeated = run_interrupted(*study, "--workers", 1)  # repeating the command continues it, too
    assert get_stopped_study(repeated) == study_id
    assert f"tuning: {len(before)} of 16 runs are already stored" in repeated.err
    resumed = lrlab("resume", study_id, "--workers", 1)
    assert resumed.code == 0, resumed.err
    assert read_rows(db).items() > before.items()  # none was trained again
    assert "finished" in lrlab("status").out

    whole = lrlab(*study, "--workers", 1, "--db", "whole.db")
    assert resumed.out.splitlines()[:-1] == whole.out.splitlines()[:-1]
    assert read_numbers(db) == read_numbers(tmp_path / "whole.db")


def test_a_study_is_found_by_id_prefix_or_problem(
    lrlab: Lrlab, run_interrupted: Lrlab, tmp_path: Path
) -> None:
    lrlab("compare", "iris", *TINY, "--db", "whole.db")
    whole = read_numbers(tmp_path / "whole.db")
    study_id = get_stopped_study(run_interrupted("compare", "iris", *TINY))
    for name in ([study_id], [study_id[:3]], ["iris"], []):
        again = run_interrupted("resume", *name)
        if again.code:  # three more runs each time, until all are stored
            assert get_stopped_study(again) == study_id
    assert lrlab("resume").code == 0
    assert read_numbers(tmp_path / "lrlab.db") == whole


def test_an_ambiguous_name_is_refused(lrlab: Lrlab, run_interrupted: Lrlab) -> None:
    first = get_stopped_study(run_interrupted("compare", "iris", *TINY))
    second = get_stopped_study(run_interrupted("compare", "iris", *TINY, "--seed", 1))
    for name in ([], ["iris"]):
        assert_refused(lrlab("resume", *name), first, second)
    assert lrlab("resume", second).code == 0
    assert f"lrlab resume {first}" in lrlab("status", first).out
    assert "lrlab resume" not in lrlab("status", second).out


def test_a_finished_study_is_shown_again(lrlab: Lrlab, tmp_path: Path) -> None:
    first = lrlab("compare", "iris", *TINY)
    before = read_rows(tmp_path / "lrlab.db")
    (plot,) = tmp_path.glob("iris-*.png")
    plot.unlink()
    again = lrlab("resume")
    assert again.code == 0
    assert again.out.splitlines()[:-1] == first.out.splitlines()[:-1]
    assert plot.exists()
    assert read_rows(tmp_path / "lrlab.db") == before
    other = lrlab("resume", "--target-score", 0.987, "--output", "other.png")
    assert "98.7 %" in other.out
    assert (tmp_path / "other.png").exists()
    assert_refused(lrlab("resume", "--output", "other.png"), "other.png", "--force")
    assert lrlab("resume", "--output", "other.png", "--force").code == 0


def write_table(path: Path, classes: str = "ab") -> None:
    rows = "".join(f"{i % 7},{classes[i % 2]}\n" for i in range(40))
    path.write_text("x,y\n" + rows)


def test_resuming_in_another_folder(
    lrlab: Lrlab, run_interrupted: Lrlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_folder, current_folder = tmp_path / "there", tmp_path / "here and now"
    start_folder.mkdir()
    current_folder.mkdir()
    monkeypatch.chdir(start_folder)
    write_table(start_folder / "data.csv")
    write_table(start_folder / "test.csv")
    study = ["compare", "data.csv", "--test-file", "test.csv", *TINY]
    stopped = run_interrupted(*study, "--db", current_folder / "lrlab.db")
    study_id = get_stopped_study(stopped)
    db = shlex.quote(str(current_folder / "lrlab.db"))
    assert stopped.err.endswith(f"lrlab resume {study_id} --db {db}\n")
    monkeypatch.chdir(current_folder)
    (current_folder / "notes.png").write_text("mine")
    assert_refused(lrlab("resume", "--output", "notes.png"), "notes.png", "--force")
    again = run_interrupted("resume")
    assert again.err.endswith(f"lrlab resume {study_id}\n")
    monkeypatch.chdir(tmp_path)
    resumed = lrlab("resume", "--db", "here and now/lrlab.db")
    assert resumed.code == 0, resumed.err
    assert [path.name for path in tmp_path.glob("*.png")] == [f"data-{study_id}.png"]
    assert sorted(file.name for file in start_folder.iterdir()) == ["data.csv", "test.csv"]

    monkeypatch.chdir(start_folder)
    assert lrlab(*study, "--db", tmp_path / "whole.db").code == 0
    assert read_numbers(current_folder / "lrlab.db") == read_numbers(tmp_path / "whole.db")


@pytest.mark.parametrize(
    ("reference", "source", "options"),
    [
        ("resumed_problem.py:problem", PROBLEM, []),
        ("resumed_training.py:train", TRAINING, METRIC_OPTIONS),
    ],
)
def test_problems_and_training_functions_in_a_file(
    lrlab: Lrlab,
    run_interrupted: Lrlab,
    scripts: Path,
    reference: str,
    source: str,
    options: list[str],
) -> None:
    (scripts / reference.partition(":")[0]).write_text(source)
    study = ["compare", reference, *TINY, *options]
    get_stopped_study(run_interrupted(*study))
    assert lrlab("resume").code == 0
    assert lrlab(*study, "--db", "whole.db").code == 0
    assert read_numbers(scripts / "lrlab.db") == read_numbers(scripts / "whole.db")


@pytest.fixture
def stopped_study(run_interrupted: Lrlab, tmp_path: Path) -> str:
    """The id of a stopped study of data.csv."""
    write_table(tmp_path / "data.csv")
    return get_stopped_study(run_interrupted("compare", "data.csv", *TINY))


def assert_resume_refused(lrlab: Lrlab, db: Path, *mentions: object) -> None:
    before = db.read_bytes()
    assert_refused(lrlab("resume", "--db", db), *mentions)
    assert db.read_bytes() == before


def test_changed_data_is_refused(lrlab: Lrlab, stopped_study: str, tmp_path: Path) -> None:
    write_table(tmp_path / "data.csv", classes="ba")
    assert_resume_refused(lrlab, tmp_path / "lrlab.db", "data.csv", "changed", stopped_study)
    write_table(tmp_path / "data.csv")
    assert lrlab("resume").code == 0


def test_missing_data_is_refused(lrlab: Lrlab, stopped_study: str, tmp_path: Path) -> None:
    (tmp_path / "data.csv").rename(tmp_path / "moved.csv")
    assert_resume_refused(lrlab, tmp_path / "lrlab.db", "data.csv")


def test_a_missing_folder_is_refused(
    lrlab: Lrlab, run_interrupted: Lrlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    get_stopped_study(run_interrupted("compare", "iris", *TINY, "--db", tmp_path / "lrlab.db"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").rmdir()
    assert_resume_refused(lrlab, tmp_path / "lrlab.db", tmp_path / "gone", "iris", "No such file")


def test_a_study_started_in_python_is_resumed(
    lrlab: Lrlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    write_table(Path("data.csv"))
    with pytest.raises(KeyboardInterrupt):
        lrlab_package.compare(
            "data.csv", "Cosine()", target="y", tune=False, seeds=1, epochs=1, engine="loop",
            db="lrlab.db", progress=interrupt,
        )  # fmt: skip
    result = lrlab("resume", "--workers", 1)
    assert result.code == 0, result.err
    assert result.out.startswith("data · 2 schedules · ")


def test_damaged_options_are_refused(lrlab: Lrlab, stopped_study: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "lrlab.db")) as connection:
        connection.execute("UPDATE study SET source = '{'")
        connection.commit()
    assert_resume_refused(lrlab, tmp_path / "lrlab.db", stopped_study, "damaged")
