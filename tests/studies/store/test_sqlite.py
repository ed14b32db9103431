"""The store: what goes in comes out, and no file is harmed."""

import resource
import signal
import sqlite3
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from lrlab import Cosine
from lrlab.errors import StudyError
from lrlab.problems import Trainable, load_problem
from lrlab.studies import Plan, Protocol, Store, build_plan, plan_first_phase
from lrlab.training import Curve, Epoch, Result, Run, Settings
from lrlab.training.engines import Engine
from lrlab.training.result import EPOCH_COLUMNS
from tests.raising import raises


@dataclass(frozen=True)
class Given:
    """A plan and the runs of its first phase."""

    plan: Plan

    @property
    def problem(self) -> Trainable:
        return self.plan.problem

    @property
    def engine(self) -> Engine:
        return self.plan.engine

    @cached_property
    def runs(self) -> Mapping[str, Run]:
        return plan_first_phase(self.plan).runs


@pytest.fixture(scope="module")
def study() -> Given:
    return Given(build_plan(load_problem("iris"), [Cosine()], Settings(), Protocol(5)))


def query_file(db: Path, question: str) -> list[tuple]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(question).fetchall()


def make_result(score: float) -> Result:
    epochs = (Epoch(0, 0.1, 1 / 30, 0.7, 0.1 + 0.2), Epoch(1, 1 / 30, 0.0, 0.5, score))
    return Result(score, diverged=False, curve=Curve.from_epochs(epochs), seconds=0.1)


def add_study(store: Store, study: Given, id: str) -> None:
    store.add_study(id, study.problem, study.engine, '{"seeds": 5}')


def add_results(store: Store, study: Given, ids: list[str]) -> None:
    store.add_results(study.problem, study.engine, study.runs, dict.fromkeys(ids, make_result(0.5)))


def test_what_goes_in_comes_out_bit_for_bit(tmp_path: Path, study: Given) -> None:
    expected = {id: make_result(i / 7) for i, id in enumerate(study.runs)}
    with Store(tmp_path / "lrlab.db") as store:
        assert store.load_results(study.runs) == {}
        store.add_results(study.problem, study.engine, study.runs, expected)
    with Store(tmp_path / "lrlab.db") as store:
        assert store.load_results(study.runs) == expected
        assert store.load_results(["nothing"]) == {}
        assert store.find_stored_runs([*study.runs, "nothing"]) == set(study.runs)


def test_every_kind_of_curve_comes_out(tmp_path: Path, study: Given) -> None:
    held_out = Curve.from_epochs(
        [Epoch(i, 0.1, 1e-300, 0.7, 1 / 3, 2 / 3, 1 / 7) for i in range(3)]
    )
    reported = Curve(
        np.hstack([held_out.values, [[0.5], [np.nan], [2]]]), (*EPOCH_COLUMNS, "accuracy")
    )
    results = (
        Result(0.5, True, Curve.from_epochs([]), 0.1, diverged_at_step=0),
        Result(1 / 3, False, held_out, 0.0),
        Result(1 / 3, False, reported, 0.0),
    )
    expected = dict(zip(study.runs, results, strict=False))
    with Store(tmp_path / "lrlab.db") as store:
        store.add_results(study.problem, study.engine, study.runs, expected)
        assert store.load_results(study.runs) == expected


def test_runs_that_end_together_are_stored_together_or_not_at_all(
    tmp_path: Path, study: Given
) -> None:
    good, bad = list(study.runs)[:2]
    broken = replace(make_result(0.5), test_score=None)
    with Store(tmp_path / "lrlab.db") as store:
        with raises(StudyError, "NOT NULL"):
            store.add_results(
                study.problem, study.engine, study.runs, {good: make_result(0.5), bad: broken}
            )
        assert store.find_stored_runs(study.runs) == set()


def test_more_ids_than_a_query_has_places_for(tmp_path: Path, study: Given) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        store.add_results(
            study.problem, study.engine, study.runs, dict.fromkeys(study.runs, make_result(0.5))
        )
        ids = [*(f"{i:032x}" for i in range(300_000)), *study.runs]
        assert store.find_stored_runs(ids) == set(study.runs)
        assert store.load_results(ids).keys() == study.runs.keys()


def test_a_run_that_is_there_stays(tmp_path: Path, study: Given) -> None:
    id = next(iter(study.runs))
    with Store(tmp_path / "lrlab.db") as store:
        store.add_results(study.problem, study.engine, study.runs, {id: make_result(0.5)})
        store.add_results(study.problem, study.engine, study.runs, {id: make_result(0.9)})
        assert store.load_results([id])[id].test_score == 0.5


def test_rows_are_readable_by_people(tmp_path: Path, study: Given) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        store.add_results(
            study.problem, study.engine, study.runs, {list(study.runs)[-1]: make_result(0.5)}
        )
    rows = query_file(
        tmp_path / "lrlab.db",
        "SELECT problem, schedule, seed, test_score, json_extract(settings, '$.lr') FROM run",
    )
    assert rows == [("iris", "Cosine()", study.plan.final_seeds[-1], 0.5, 0.1)]


def test_many_writers_do_not_get_into_each_others_way(tmp_path: Path, study: Given) -> None:
    def write(i: int) -> None:
        with Store(tmp_path / "lrlab.db") as store:
            problem = replace(study.problem, fingerprint=str(i))
            other = Given(replace(study.plan, problem=problem))
            for id in other.runs:
                store.add_results(other.problem, other.engine, other.runs, {id: make_result(0.5)})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(16)))
    assert query_file(tmp_path / "lrlab.db", "SELECT count(*) FROM run") == [
        (16 * len(study.runs),)
    ]


def test_a_database_that_another_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "lrlab.db"
    with Store(path):
        pass
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA journal_mode = DELETE")  # as it is before it is switched
    other.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.5, other.execute, ["COMMIT"])
    end.start()
    with Store(path) as store:
        assert store.find_stored_runs(["no such run"]) == set()
    end.join()
    other.close()


def test_a_study_its_phases_and_their_blocks_come_out(tmp_path: Path, study: Given) -> None:
    tuning = [(id, i // 2) for i, id in enumerate(study.runs)]
    with Store(tmp_path / "lrlab.db") as store:
        assert not store.has_study("0123abcd")
        add_study(store, study, "0123abcd")
        assert store.load_phase("0123abcd", "tuning") is None
        store.add_phase("0123abcd", "tuning", tuning)
        store.add_phase("0123abcd", "grid extension 1", [])
    with Store(tmp_path / "lrlab.db") as store:
        add_study(store, study, "0123abcd")  # as a command that is repeated does
        assert store.has_study("0123abcd")
        assert store.load_phase("0123abcd", "tuning") == tuning
        assert store.load_phase("0123abcd", "grid extension 1") == []
        assert store.load_phase("0123abcd", "final") is None


def test_of_two_plans_of_a_phase_the_first_stays(study: Given) -> None:
    with Store(None) as store:
        add_study(store, study, "0123abcd")
        store.add_phase("0123abcd", "final", [("a", None), ("b", 0)])
        store.add_phase("0123abcd", "final", [("a", 3), ("b", 4), ("c", 5)])
        assert store.load_phase("0123abcd", "final") == [("a", None), ("b", 0)]


def test_a_phase_is_planned_whole_or_not_at_all(study: Given) -> None:
    with Store(None) as store:
        add_study(store, study, "0123abcd")
        with raises(StudyError, "NOT NULL"):
            store.add_phase("0123abcd", "final", [("a", 0), (None, 0)])
        assert store.load_phase("0123abcd", "final") is None
        with raises(StudyError, "FOREIGN KEY"):
            store.add_phase("no study", "final", [("a", 0)])


def test_what_two_studies_share_is_deleted_with_the_second(study: Given) -> None:
    ids = list(study.runs)
    with Store(None) as store:
        store.add_results(
            study.problem, study.engine, study.runs, dict.fromkeys(ids, make_result(0.5))
        )
        for study_id, members in (("0123abcd", ids[:6]), ("4567cdef", ids[3:9])):
            add_study(store, study, study_id)
            store.add_phase(study_id, "final", [(id, None) for id in members])
        assert store.delete_study("0123abcd") == 3
        assert store.find_stored_runs(ids) == set(ids[3:])
        assert not store.has_study("0123abcd")
        assert store.load_phase("0123abcd", "final") is None
        assert store.load_phase("4567cdef", "final") is not None
        with raises(StudyError, "0123abcd", "lrlab studies"):
            store.delete_study("0123abcd")
        assert store.delete_study("4567cdef") == 6
        assert store.find_stored_runs(ids) == {ids[9]}, "a run of no study stays"


def test_another_that_writes_is_waited_for_and_not_for_ever(tmp_path: Path, study: Given) -> None:
    ids = list(study.runs)
    path = tmp_path / "lrlab.db"
    with Store(path, timeout=0.05) as store, closing(sqlite3.connect(path)) as other:
        add_results(store, study, ids[:1])
        other.execute("BEGIN IMMEDIATE")
        with raises(StudyError, path, "another process"):
            add_results(store, study, ids[1:2])
        other.execute("COMMIT")
        add_results(store, study, ids[2:3])
        assert store.find_stored_runs(ids) == {ids[0], ids[2]}


@pytest.mark.parametrize("removed", [True, False])
def test_a_file_that_is_replaced_while_it_is_written(
    tmp_path: Path, study: Given, removed: bool
) -> None:
    ids = list(study.runs)
    path, moved, another = (tmp_path / f"{name}.db" for name in ("lrlab", "moved", "another"))
    with Store(another) as store:
        add_results(store, study, ids[:2])
    with Store(path) as store:
        add_results(store, study, ids[2:5])
        path.rename(moved)
        if not removed:
            another.rename(path)
        with raises(StudyError, path, "moved, removed or replaced"):
            add_results(store, study, ids[5:])
    with Store(moved) as store:
        assert store.find_stored_runs(ids) == set(ids[2:5]), (
            "what was stored is in the file that was moved"
        )
    with Store(path) as store:
        assert store.find_stored_runs(ids) == (set() if removed else set(ids[:2]))


def test_a_full_disk_is_an_error_and_loses_nothing(tmp_path: Path, study: Given) -> None:
    ids = list(study.runs)
    with Store(tmp_path / "lrlab.db") as store:
        add_results(store, study, ids[:1])
        with store._database.open_transaction() as writing:
            writing.execute("PRAGMA max_page_count = 1")
        noise = np.random.default_rng(0).normal(size=(20_000, 7))
        huge = replace(make_result(0.5), curve=Curve(noise))
        both = {ids[1]: make_result(0.5), ids[2]: huge}
        with raises(StudyError, "disk is full"):
            store.add_results(study.problem, study.engine, study.runs, both)
        assert store.find_stored_runs(ids) == {ids[0]}
    with Store(tmp_path / "lrlab.db") as store:
        assert list(store.load_results(ids)) == ids[:1]


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system limits no file's size")
def test_a_disk_that_refuses_is_an_error_and_loses_nothing(tmp_path: Path, study: Given) -> None:
    ids = list(study.runs)
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    noise = np.random.default_rng(0).normal(size=(20_000, 7))
    huge = {ids[1]: replace(make_result(0.5), curve=Curve(noise))}
    with Store(tmp_path / "lrlab.db") as store:
        add_results(store, study, ids[:1])
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
        try:
            with raises(StudyError, "lrlab.db", "disk"):
                store.add_results(study.problem, study.engine, study.runs, huge)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert store.find_stored_runs(ids) == {ids[0]}
        add_results(store, study, ids[2:3])
    with Store(tmp_path / "lrlab.db") as store:
        assert store.find_stored_runs(ids) == {ids[0], ids[2]}
