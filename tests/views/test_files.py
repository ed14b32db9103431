"""The rule for output files, and files written whole or not at all."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lrlab.errors import ViewError
from lrlab.views.files import atomic_write, check_output
from tests.raising import raises

EXTENSIONS = (".png", ".csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file of each sort."""
    (tmp_path / "old.csv").write_text("mine")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    with closing(sqlite3.connect(tmp_path / "data.csv")) as database:
        database.execute("CREATE TABLE run (x)")
    return tmp_path


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", ["new.csv", "NEW.PNG", "a.b.csv"])
def test_new_files_may_be_written(folder: Path, name: str, force: bool) -> None:
    check_output(folder / name, EXTENSIONS, force)
    assert not (folder / name).exists()


def test_an_existing_file_needs_force(folder: Path) -> None:
    with raises(ViewError, folder / "old.csv", "`force=True`"):
        check_output(folder / "old.csv", EXTENSIONS)
    check_output(folder / "old.csv", EXTENSIONS, force=True)
    assert (folder / "old.csv").read_text() == "mine"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("name", "mentions"),
    [
        ("x.pdf", [".png or .csv"]),
        ("x", [".png or .csv"]),
        ("x.cvs", ["did you mean .csv?"]),
        ("no/x.png", ["the folder", "does not exist"]),
        ("old.csv/x.png", ["the folder", "does not exist"]),
        ("folder.png", ["folder"]),
        ("pipe.csv", ["regular file"]),
        ("data.csv", ["database"]),
        ("x" * 300 + ".csv", ["File name too long"]),
    ],
)
def test_refused_with_force_and_without(
    folder: Path, name: str, mentions: list[str], force: bool
) -> None:
    with raises(ViewError, folder / name, *mentions):
        check_output(folder / name, EXTENSIONS, force)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A disk that is full once the temporary file is written."""

    def replace(path: Path, target: Path) -> None:
        assert path.read_text() == "new"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    yield
    monkeypatch.undo()


def write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary_path:
        temporary_path.write_text(text)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("old")
    for name in ("x.csv", "new.csv"):
        with raises(ViewError, tmp_path / name, "No space left on device"):
            write(tmp_path / name, "new")
    assert os.listdir(tmp_path) == ["x.csv"]
    assert (tmp_path / "x.csv").read_text() == "old"


def test_an_error_inside_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_write(tmp_path / "x.csv") as temporary_path:
            temporary_path.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert os.listdir(tmp_path) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    link = tmp_path / "x.csv"
    link.symlink_to(tmp_path / "other" / "real.csv")
    write(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "other" / "real.csv").read_text() == "new"


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write(tmp_path / "x.csv", "new")
    assert (tmp_path / "x.csv").stat().st_mode == (tmp_path / "plain").stat().st_mode
