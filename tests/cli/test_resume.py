"""``lrlab resume``: a study that was stopped goes on, and is the study that was never stopped."""

import re
import shlex
import signal
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from pathlib import Path

import pytest

import lrlab as library
from lrlab import studies
from lrlab.studies import Store
from lrlab.studies.execution import ray as ray_backend
from lrlab.studies.execution import runner
from tests.cli.conftest import Said
from tests.cli.stopping import ended, numbers, query, stopped
from tests.cli.test_own import PROBLEM, TRAINING

Lrlab = Callable[..., Said]

TINY = [
    "--schedule", "Cosine()", "--lr", "0.03,0.3", "--momentum", "0", "--tuning-seeds", "1",
    "--widen", "1", "--seeds", "2", "--epochs", "1", "--engine", "loop", "--workers", "1",
]  # fmt: skip
OWN_METRIC = ["--metric", "error", "--lower-is-better", "--dummy-score", "3"]


@pytest.fixture
def interrupted(lrlab: Lrlab, monkeypatch: pytest.MonkeyPatch) -> Lrlab:
    """Runs a command that a person stops when its third block has ended."""

    def run(*arguments: object) -> Said:
        blocks, add = count(1), Store.add_results

        def stopping(store: Store, *words: object) -> None:
            add(store, *words)
            if next(blocks) == 3:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(Store, "add", stopping)
            return lrlab(*arguments)

    return run


def begun(said: Said) -> str:
    """The id of the study that was stopped."""
    assert said.code == 130
    assert said.out == ""
    assert "Traceback" not in said.err
    (id,) = re.findall(r"To go on: lrlab resume (\w{8})", said.err)
    return id


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_a_stopped_study_is_resumed_as_the_study_that_was_not(
    lrlab: Lrlab, interrupted: Lrlab, tmp_path: Path, how: signal.Signals
) -> None:
    study = [
        "compare", "wine", "--epochs", "40", "--lr", "0.03,0.3", "--momentum", "0", "--widen", "1",
        "--schedule", "Cosine()", "--tuning-seeds", "4", "--seeds", "4", "--engine", "loop",
    ]  # fmt: skip
    said = stopped(tmp_path, how, 5, *study, "--workers", 2)
    db = tmp_path / "lrlab.db"
    ((id,),) = query(db, "SELECT id FROM study")
    before = ended(db)
    if how is signal.SIGINT:
        assert said.endswith(
            f"stopped; what has ended is in lrlab.db. To go on: lrlab resume {id}\n"
        )
        assert "Traceback" not in said
        assert list((tmp_path / "temporary").glob("lrlab*")) == []
    status = lrlab("status")
    assert f"lrlab resume {id}" in status.out

    repeated = interrupted(*study, "--workers", 1)  # by which it goes on too
    assert begun(repeated) == id
    assert f"tuning: {len(before)} of 16 runs are stored already" in repeated.err
    resumed = lrlab("resume", id, "--workers", 1)
    assert resumed.code == 0, resumed.err
    assert ended(db).items() > before.items()  # none was trained again
    assert "finished" in lrlab("status").out

    whole = lrlab(*study, "--workers", 1, "--db", "whole.db")
    assert resumed.out.splitlines()[:-1] == whole.out.splitlines()[:-1]
    assert numbers(db) == numbers(tmp_path / "whole.db")


def test_by_id_by_its_beginning_by_problem_or_without_a_name(
    lrlab: Lrlab, interrupted: Lrlab, tmp_path: Path
) -> None:
    lrlab("compare", "iris", *TINY, "--db", "whole.db")
    whole = numbers(tmp_path / "whole.db")
    id = begun(interrupted("compare", "iris", *TINY))
    for name in ([id], [id[:3]], ["iris"], []):
        again = interrupted("resume", *name)
        if again.code:  # three more runs each time, until none is left
            assert begun(again) == id
    assert lrlab("resume").code == 0
    assert numbers(tmp_path / "lrlab.db") == whole


def test_of_several_studies_one_is_named(lrlab: Lrlab, interrupted: Lrlab, tmp_path: Path) -> None:
    first = begun(interrupted("compare", "iris", *TINY))
    second = begun(interrupted("compare", "iris", *TINY, "--seed", 1))
    for name in ([], ["iris"]):
        refused = lrlab("resume", *name)
        assert refused.code == 2
        assert f"{first} (iris), {second} (iris)" in refused.err
    assert lrlab("resume", second).code == 0
    assert lrlab("status", second).out.startswith(f"{second} · iris · loop · finished")
    assert "finished" not in lrlab("status", first).out


def test_a_finished_study_is_shown_again(lrlab: Lrlab, tmp_path: Path) -> None:
    shown = lrlab("compare", "iris", *TINY)
    before = ended(tmp_path / "lrlab.db")
    (tmp_path / "iris.png").unlink()
    again = lrlab("resume")
    assert again.code == 0
    assert again.out.splitlines()[:-1] == shown.out.splitlines()[:-1]
    assert (tmp_path / "iris.png").exists()
    assert ended(tmp_path / "lrlab.db") == before
    goal = lrlab("resume", "--goal", 0.987, "--png", "other.png")
    assert "98.7 %" in goal.out
    assert (tmp_path / "other.png").exists()


def table(file: Path, of: str = "ab") -> None:
    rows = "".join(f"{i % 7},{of[i % 2]}\n" for i in range(40))
    file.write_text("x,y\n" + rows)


def test_from_another_folder_than_it_was_begun_in(
    lrlab: Lrlab, interrupted: Lrlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = tmp_path / "there", tmp_path / "here and now"
    there.mkdir()
    here.mkdir()
    monkeypatch.chdir(there)
    table(there / "data.csv")
    table(there / "test.csv")
    study = ["compare", "data.csv", "--test", "test.csv", *TINY]
    said = interrupted(*study, "--db", here / "lrlab.db")
    id = begun(said)
    assert said.err.endswith(f"lrlab resume {id} --db {shlex.quote(str(here / 'lrlab.db'))}\n")
    monkeypatch.chdir(here)
    (here / "notes.png").write_text("no picture")
    refused = lrlab("resume", "--png", "notes.png")
    assert "is there and is no picture" in refused.err
    monkeypatch.chdir(here)
    again = interrupted("resume")
    words = shlex.split(again.err.splitlines()[-1].partition("To go on: lrlab ")[2])
    monkeypatch.chdir(tmp_path)  # what it says to go on with is true wherever it is said
    resumed = lrlab(*words)
    assert resumed.code == 0, resumed.err
    assert (tmp_path / "data.png").exists()
    assert resumed.out.endswith(
        f"wrote {here / 'lrlab.db'}, {tmp_path / 'data.png'} · study {id}\n"
    )
    assert sorted(file.name for file in there.iterdir()) == ["data.csv", "test.csv"]

    monkeypatch.chdir(there)
    assert lrlab(*study, "--db", tmp_path / "whole.db").code == 0
    assert numbers(here / "lrlab.db") == numbers(tmp_path / "whole.db")


@pytest.mark.parametrize(
    ("script", "source"),
    [("own_resumed_problem.py:problem", PROBLEM), ("own_resumed_training.py:train", TRAINING)],
)
def test_problems_and_training_functions_of_ones_own(
    lrlab: Lrlab, interrupted: Lrlab, scripts: Path, script: str, source: str
) -> None:
    (scripts / script.partition(":")[0]).write_text(source)
    study = ["compare", script, *TINY, *(OWN_METRIC if source is TRAINING else [])]
    begun(interrupted(*study))
    assert lrlab("resume").code == 0
    assert lrlab(*study, "--db", "whole.db").code == 0
    assert numbers(scripts / "lrlab.db") == numbers(scripts / "whole.db")


def test_a_study_on_a_cluster_goes_on_there(lrlab: Lrlab, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*words: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(studies, "run_study", stop)
    monkeypatch.setattr(runner, "open_backend", lambda place: nullcontext())
    monkeypatch.setattr(ray_backend, "describe_cluster", lambda: "a cluster")
    cluster = ["--address", "10.0.0.1:6379", "--num-gpus", "0.5"]
    study = ["compare", "iris", *TINY[:-4], "--engine", "ray"]
    said = lrlab(*study, *cluster)
    assert said.err.endswith(f"lrlab resume {begun(said)} --engine ray {' '.join(cluster)}\n")
    said = lrlab(*study, "--db", "my own.db")
    assert said.err.endswith(f"lrlab resume {begun(said)} --db 'my own.db' --engine ray\n")


# What cannot go on says why, and changes nothing.


@pytest.fixture
def stopped_table(interrupted: Lrlab, tmp_path: Path) -> str:
    """A study of data.csv, and its id."""
    (tmp_path / "folder").mkdir()
    table(tmp_path / "data.csv")
    return begun(interrupted("compare", "data.csv", *TINY))


def assert_refused(lrlab: Lrlab, db: Path, said: str) -> None:
    before = db.read_bytes()
    refused = lrlab("resume", "--db", db)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert "Traceback" not in refused.err
    assert db.read_bytes() == before


def test_data_that_has_changed(lrlab: Lrlab, stopped_table: str, tmp_path: Path) -> None:
    table(tmp_path / "data.csv", of="ba")
    assert_refused(
        lrlab,
        tmp_path / "lrlab.db",
        f"data.csv is not what study {stopped_table} was begun with: its content has changed",
    )
    table(tmp_path / "data.csv")
    assert lrlab("resume").code == 0


def test_data_that_has_gone(lrlab: Lrlab, stopped_table: str, tmp_path: Path) -> None:
    (tmp_path / "data.csv").rename(tmp_path / "moved.csv")
    assert_refused(lrlab, tmp_path / "lrlab.db", "there is no file data.csv")


def test_a_folder_that_has_gone(
    lrlab: Lrlab, interrupted: Lrlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    id = begun(interrupted("compare", "iris", *TINY, "--db", tmp_path / "lrlab.db"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").rmdir()
    said = f"study {id} was begun in {tmp_path / 'gone'}, which cannot be entered: No such file"
    assert_refused(lrlab, tmp_path / "lrlab.db", said)


def test_a_study_that_was_begun_in_python(lrlab: Lrlab, tmp_path: Path) -> None:
    study = library.compare(
        "iris", ["Cosine()"], tune=False, seeds=1, epochs=1, db=tmp_path / "lrlab.db"
    )
    said = f"study {study.plan.id} was begun in Python, where its problem is; run that script again"
    assert_refused(lrlab, tmp_path / "lrlab.db", said)
