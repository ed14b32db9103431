"""The store: what is written is read back, and errors lose nothing."""

import resource
import signal
import sqlite3
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC
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
class PlannedStudy:
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
def study() -> PlannedStudy:
    return PlannedStudy(build_plan(load_problem("iris"), [Cosine()], Settings(), Protocol(5)))


def query_file(db: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(sql).fetchall()


def make_result(score: float) -> Result:
    epochs = (Epoch(0, 0.1, 1 / 30, 0.7, 0.1 + 0.2), Epoch(1, 1 / 30, 0.0, 0.5, score))
    return Result(score, diverged=False, curve=Curve.from_epochs(epochs), seconds=0.1)


def add_study(store: Store, study: PlannedStudy, study_id: str) -> None:
    store.add_study(study_id, study.problem, study.engine, '{"seeds": 5}')


def add_results(store: Store, study: PlannedStudy, run_ids: list[str]) -> None:
    results = dict.fromkeys(run_ids, make_result(0.5))
    store.add_results(study.problem, study.engine, study.runs, results)


def test_results_are_read_back_bit_for_bit(tmp_path: Path, study: PlannedStudy) -> None:
    expected = {run_id: make_result(i / 7) for i, run_id in enumerate(study.runs)}
    with Store(tmp_path / "lrlab.db") as store:
        assert store.load_results(study.runs) == {}
        store.add_results(study.problem, study.engine, study.runs, expected)
    with Store(tmp_path / "lrlab.db") as store:
        assert store.load_results(study.runs) == expected
        assert store.load_results(["nothing"]) == {}
        assert store.find_stored_runs([*study.runs, "nothing"]) == set(study.runs)


def test_all_kinds_of_curves_are_read_back(tmp_path: Path, study: PlannedStudy) -> None:
    validated = Curve.from_epochs(
        [Epoch(i, 0.1, 1e-300, 0.7, 1 / 3, 2 / 3, 1 / 7) for i in range(3)]
    )
    reported = Curve(
        np.hstack([validated.values, [[0.5], [np.nan], [2]]]), (*EPOCH_COLUMNS, "accuracy")
    )
    results = (
        Result(0.5, True, Curve.from_epochs([]), 0.1, 0, validation_dummy_score=1 / 7),
        Result(1 / 3, False, validated, 0.0),
        Result(1 / 3, False, reported, 0.0),
    )
    expected = dict(zip(study.runs, results, strict=False))
    with Store(tmp_path / "lrlab.db") as store:
        store.add_results(study.problem, study.engine, study.runs, expected)
        loaded = store.load_results(study.runs)
        assert loaded == expected
        assert all(result.ended_at.tzinfo == UTC for result in loaded.values())


def test_results_are_stored_all_or_none(tmp_path: Path, study: PlannedStudy) -> None:
    good, bad = list(study.runs)[:2]
    broken = replace(make_result(0.5), test_score=None)
    with Store(tmp_path / "lrlab.db") as store:
        with raises(StudyError, "NOT NULL"):
            store.add_results(
                study.problem, study.engine, study.runs, {good: make_result(0.5), bad: broken}
            )
        assert store.find_stored_runs(study.runs) == set()


def test_more_ids_than_parameters_of_a_query(tmp_path: Path, study: PlannedStudy) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        store.add_results(
            study.problem, study.engine, study.runs, dict.fromkeys(study.runs, make_result(0.5))
        )
        run_ids = [*(f"{i:032x}" for i in range(300_000)), *study.runs]
        assert store.find_stored_runs(run_ids) == set(study.runs)
        assert store.load_results(run_ids).keys() == study.runs.keys()


def test_a_stored_run_stays_as_it_is(tmp_path: Path, study: PlannedStudy) -> None:
    run_id = next(iter(study.runs))
    with Store(tmp_path / "lrlab.db") as store:
        store.add_results(study.problem, study.engine, study.runs, {run_id: make_result(0.5)})
        store.add_results(study.problem, study.engine, study.runs, {run_id: make_result(0.9)})
        assert store.load_results([run_id])[run_id].test_score == 0.5


def test_rows_are_readable_by_humans(tmp_path: Path, study: PlannedStudy) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        store.add_results(
            study.problem, study.engine, study.runs, {list(study.runs)[-1]: make_result(0.5)}
        )
    rows = query_file(
        tmp_path / "lrlab.db",
        "SELECT problem, schedule, seed, test_score, json_extract(settings, '$.lr') FROM run",
    )
    assert rows == [("iris", "Cosine()", study.plan.final_seeds[-1], 0.5, 0.1)]


def test_many_processes_may_write(tmp_path: Path, study: PlannedStudy) -> None:
    def write(i: int) -> None:
        with Store(tmp_path / "lrlab.db") as store:
            problem = replace(study.problem, fingerprint=str(i))
            other = PlannedStudy(replace(study.plan, problem=problem))
            for run_id in other.runs:
                add_results(store, other, [run_id])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(16)))
    assert query_file(tmp_path / "lrlab.db", "SELECT count(*) FROM run") == [
        (16 * len(study.runs),)
    ]


def test_it_waits_while_another_process_creates_the_database(tmp_path: Path) -> None:
    path = tmp_path / "lrlab.db"
    with Store(path):
        pass
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA journal_mode = DELETE")  # as before it is switched to WAL
    other.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.5, other.execute, ["COMMIT"])
    end.start()
    with Store(path) as store:
        assert store.find_stored_runs(["no such run"]) == set()
    end.join()
    other.close()


def test_studies_phases_and_blocks_are_read_back(tmp_path: Path, study: PlannedStudy) -> None:
    tuning = [(run_id, i // 2) for i, run_id in enumerate(study.runs)]
    with Store(tmp_path / "lrlab.db") as store:
        assert not store.has_study("0123abcd")
        add_study(store, study, "0123abcd")
        assert store.load_phase("0123abcd", "tuning") is None
        store.add_phase("0123abcd", "tuning", tuning)
        store.add_phase("0123abcd", "grid extension 1", [])
    with Store(tmp_path / "lrlab.db") as store:
        add_study(store, study, "0123abcd")  # as a repeated command does
        assert store.has_study("0123abcd")
        assert store.load_phase("0123abcd", "tuning") == tuning
        assert store.load_phase("0123abcd", "grid extension 1") == []
        assert store.load_phase("0123abcd", "final") is None


def test_the_first_plan_of_a_phase_stays(study: PlannedStudy) -> None:
    with Store(None) as store:
        add_study(store, study, "0123abcd")
        store.add_phase("0123abcd", "final", [("a", None), ("b", 0)])
        store.add_phase("0123abcd", "final", [("a", 3), ("b", 4), ("c", 5)])
        assert store.load_phase("0123abcd", "final") == [("a", None), ("b", 0)]


def test_a_phase_is_stored_completely_or_not_at_all(study: PlannedStudy) -> None:
    with Store(None) as store:
        add_study(store, study, "0123abcd")
        with raises(StudyError, "NOT NULL"):
            store.add_phase("0123abcd", "final", [("a", 0), (None, 0)])
        assert store.load_phase("0123abcd", "final") is None
        with raises(StudyError, "FOREIGN KEY"):
            store.add_phase("no study", "final", [("a", 0)])


def test_shared_runs_are_deleted_with_the_second_study(study: PlannedStudy) -> None:
    run_ids = list(study.runs)
    with Store(None) as store:
        store.add_results(
            study.problem, study.engine, study.runs, dict.fromkeys(run_ids, make_result(0.5))
        )
        for study_id, members in (("0123abcd", run_ids[:6]), ("4567cdef", run_ids[3:9])):
            add_study(store, study, study_id)
            store.add_phase(study_id, "final", [(run_id, None) for run_id in members])
        assert store.delete_study("0123abcd") == 3
        assert store.find_stored_runs(run_ids) == set(run_ids[3:])
        assert not store.has_study("0123abcd")
        assert store.load_phase("0123abcd", "final") is None
        assert store.load_phase("4567cdef", "final") is not None
        with raises(StudyError, "0123abcd", "lrlab.list_studies"):
            store.delete_study("0123abcd")
        assert store.delete_study("4567cdef") == 6
        assert store.find_stored_runs(run_ids) == {run_ids[9]}  # a run without a study stays


def test_it_waits_for_another_writer_until_the_timeout(tmp_path: Path, study: PlannedStudy) -> None:
    run_ids = list(study.runs)
    path = tmp_path / "lrlab.db"
    with Store(path, timeout=0.05) as store, closing(sqlite3.connect(path)) as other:
        add_results(store, study, run_ids[:1])
        other.execute("BEGIN IMMEDIATE")
        with raises(StudyError, path, "another process"):
            add_results(store, study, run_ids[1:2])
        other.execute("COMMIT")
        add_results(store, study, run_ids[2:3])
        assert store.find_stored_runs(run_ids) == {run_ids[0], run_ids[2]}


@pytest.mark.parametrize("removed", [True, False])
def test_a_file_moved_while_it_is_used_is_an_error(
    tmp_path: Path, study: PlannedStudy, removed: bool
) -> None:
    run_ids = list(study.runs)
    path, moved, another = (tmp_path / f"{name}.db" for name in ("lrlab", "moved", "another"))
    with Store(another) as store:
        add_results(store, study, run_ids[:2])
    with Store(path) as store:
        add_results(store, study, run_ids[2:5])
        path.rename(moved)
        if not removed:
            another.rename(path)
        with raises(StudyError, path, "moved, removed or replaced"):
            add_results(store, study, run_ids[5:])
    with Store(moved) as store:
        assert store.find_stored_runs(run_ids) == set(run_ids[2:5])
    with Store(path) as store:
        assert store.find_stored_runs(run_ids) == (set() if removed else set(run_ids[:2]))


def test_a_full_disk_is_an_error_and_loses_nothing(tmp_path: Path, study: PlannedStudy) -> None:
    run_ids = list(study.runs)
    with Store(tmp_path / "lrlab.db") as store:
        add_results(store, study, run_ids[:1])
        with store._database.open_transaction() as writing:
            writing.execute("PRAGMA max_page_count = 1")
        noise = np.random.default_rng(0).normal(size=(20_000, 7))
        huge = replace(make_result(0.5), curve=Curve(noise))
        results = {run_ids[1]: make_result(0.5), run_ids[2]: huge}
        with raises(StudyError, "disk is full"):
            store.add_results(study.problem, study.engine, study.runs, results)
        assert store.find_stored_runs(run_ids) == {run_ids[0]}
    with Store(tmp_path / "lrlab.db") as store:
        assert list(store.load_results(run_ids)) == run_ids[:1]


@pytest.mark.skipif(
    not hasattr(signal, "SIGXFSZ"), reason="this system cannot limit the size of files"
)
def test_a_disk_error_is_reported_and_loses_nothing(tmp_path: Path, study: PlannedStudy) -> None:
    run_ids = list(study.runs)
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    noise = np.random.default_rng(0).normal(size=(20_000, 7))
    huge = {run_ids[1]: replace(make_result(0.5), curve=Curve(noise))}
    with Store(tmp_path / "lrlab.db") as store:
        add_results(store, study, run_ids[:1])
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
        try:
            with raises(StudyError, "lrlab.db", "disk"):
                store.add_results(study.problem, study.engine, study.runs, huge)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert store.find_stored_runs(run_ids) == {run_ids[0]}
        add_results(store, study, run_ids[2:3])
    with Store(tmp_path / "lrlab.db") as store:
        assert store.find_stored_runs(run_ids) == {run_ids[0], run_ids[2]}
