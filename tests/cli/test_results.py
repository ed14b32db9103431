"""``lrlab results`` shows a stored study again, from the database alone."""

from pathlib import Path

import pytest

import lrlab as lrlab_package
from lrlab.studies.execution.runner import Progress
from tests.cli.conftest import Lrlab, assert_refused

OPTIONS = {"tune": False, "seeds": 2, "epochs": 1, "engine": "loop", "workers": 1}


def write_table(path: Path) -> None:
    path.write_text("x,y\n" + "".join(f"{i % 7},{'ab'[i % 2]}\n" for i in range(40)))


@pytest.fixture
def study_id(tmp_path: Path) -> str:
    """The id of a study that Python started, and whose data is gone."""
    write_table(tmp_path / "data.csv")
    problem = lrlab_package.Problem.from_table(tmp_path / "data.csv")
    db = tmp_path / "my.db"
    study = lrlab_package.compare(problem, "Cosine()", db=db, progress=False, **OPTIONS)
    (tmp_path / "data.csv").unlink()
    return study.id


def test_a_study_is_shown_again(lrlab: Lrlab, tmp_path: Path, study_id: str) -> None:
    result = lrlab("results", study_id[:4], "--db", "my.db")
    assert (result.code, result.err) == (0, "")
    study = lrlab_package.load_study(db=tmp_path / "my.db")
    assert result.out.startswith("data · 2 schedules · 2 paired seeds · ")
    assert study.answer.splitlines()[0] in result.out
    assert "  rank  schedule" in result.out
    assert [path.name for path in tmp_path.iterdir()] == ["my.db"]
    other = lrlab("results", "--db", "my.db", "--target-score", 0.321, "--output", "my.png")
    assert "32.1 %" in other.out
    assert (tmp_path / "my.png").read_bytes().startswith(b"\x89PNG")


def test_resume_shows_the_same_from_the_database_alone(lrlab: Lrlab, study_id: str) -> None:
    results = lrlab("results", "--db", "my.db")
    resumed = lrlab("resume", "--db", "my.db")
    assert (resumed.code, resumed.err) == (0, "")
    assert resumed.out.startswith(results.out)


def test_mistakes(lrlab: Lrlab, study_id: str) -> None:
    assert_refused(lrlab("results"), "lrlab.db", "--db")
    assert_refused(lrlab("results", "dta", "--db", "my.db"), "dta", "data?")
    assert_refused(lrlab("results", "--db", "my.db", "--output", "my.db", "--force"), ".png")
    assert_refused(lrlab("results", "--db", "my.db", "--target-score", 95), "95", "0.95")


def test_a_study_that_is_not_finished_is_refused(lrlab: Lrlab, tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lrlab_package.compare(
            "iris", "Cosine()", db=tmp_path / "lrlab.db", progress=interrupt, **OPTIONS
        )
    assert_refused(lrlab("results"), "not finished")
