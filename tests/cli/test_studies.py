"""``lrlab studies`` and ``lrlab status``: what a database has, and how far a study is."""

import json
from pathlib import Path

from tests.cli.conftest import Lrlab, assert_refused
from tests.studies.store.factories import write_study


def test_studies_lists_all_studies(lrlab: Lrlab, tmp_path: Path) -> None:
    write_study(tmp_path / "lrlab.db")
    write_study(tmp_path / "lrlab.db", "4567cdef", "wine", phases={"final": range(2)})
    result = lrlab("studies")
    assert result.code == 0
    assert [line.split()[:4] for line in result.out.splitlines()[1:3]] == [
        ["0123abcd", "iris", "loop", "6/8"],
        ["4567cdef", "wine", "loop", "2/2"],
    ]
    assert result.out.endswith("lrlab status 4567cdef\n")


def test_the_status_of_the_only_study(lrlab: Lrlab, tmp_path: Path) -> None:
    write_study(tmp_path / "my.db", source="{}")
    result = lrlab("status", "--db", "my.db")
    assert result.code == 0
    first_line = result.out.splitlines()[0]
    assert first_line.startswith("0123abcd · iris · loop · 75 % of 8 runs")
    assert result.out.endswith("lrlab resume 0123abcd --db my.db\n")


def test_scripts_get_json(lrlab: Lrlab, tmp_path: Path) -> None:
    write_study(tmp_path / "lrlab.db")
    status = json.loads(lrlab("status", "--json").out)
    assert (status["id"], status["state"]) == ("0123abcd", "unfinished")
    assert (status["planned_count"], status["ended_count"]) == (8, 6)
    assert {"runs_per_second", "seconds_left"} <= status.keys()
    (listed,) = json.loads(lrlab("studies", "--json").out)
    assert listed.items() <= status.items()


def test_mistakes(lrlab: Lrlab, tmp_path: Path) -> None:
    assert_refused(lrlab("studies"), "lrlab.db", "--db")
    write_study(tmp_path / "my.db")
    before = (tmp_path / "my.db").read_bytes()
    assert_refused(lrlab("status", "--db", "my.db", "iriss"), "my.db", "iriss", "iris?")
    assert [file.name for file in tmp_path.iterdir()] == ["my.db"]
    assert (tmp_path / "my.db").read_bytes() == before
