"""``lrlab delete``: it needs --yes or an answer."""

import io
import sys
from pathlib import Path

import pytest

from lrlab.studies import StoreReader
from tests.cli.conftest import Lrlab, assert_refused
from tests.studies.store.factories import write_study


def test_a_study_is_deleted(lrlab: Lrlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study(tmp_path / "lrlab.db")
    write_study(tmp_path / "lrlab.db", "4567cdef", "wine", phases={"final": range(2)})
    assert_refused(lrlab("delete", "wine"), "--yes", "4567cdef")
    for answer, remaining in (("n\n", 2), ("y\n", 1)):
        terminal = io.TextIOWrapper(io.BytesIO(answer.encode()))
        terminal.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", terminal)
        result = lrlab("delete", "0123")
        question = result.out.partition("?")[0]
        assert all(text in question for text in ("0123abcd (iris)", "4 runs", "2 runs"))
        assert len(StoreReader(tmp_path / "lrlab.db").list_studies()) == remaining
    result = lrlab("delete", "wine", "--yes")
    assert (result.code, result.out) == (0, "deleted study 4567cdef with 2 runs\n")
    assert StoreReader(tmp_path / "lrlab.db").list_studies() == []


def test_mistakes(lrlab: Lrlab, tmp_path: Path) -> None:
    assert_refused(lrlab("delete", "89ab", "--yes"), "lrlab.db", "--db")
    write_study(tmp_path / "my.db")
    before = (tmp_path / "my.db").read_bytes()
    assert_refused(lrlab("delete", "89ab", "--yes", "--db", "my.db"), "my.db", "89ab")
    assert [file.name for file in tmp_path.iterdir()] == ["my.db"]
    assert (tmp_path / "my.db").read_bytes() == before
