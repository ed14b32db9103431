"""A study is shown again from its database alone, or refused in one sentence."""

import json
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import torch
from pandas.testing import assert_frame_equal

from lrlab import Cosine, RunContext
from lrlab.errors import StudyError
from lrlab.problems import Trainable, TrainingFunction, load_problem
from lrlab.studies import (
    Machine,
    Plan,
    Protocol,
    Store,
    StoreReader,
    StudyResult,
    build_grid,
    build_plan,
    load_study_result,
    plan_first_phase,
    run_study,
)
from lrlab.studies.execution.runner import Progress
from lrlab.studies.frames import read_epochs_frame, read_runs_frame
from lrlab.studies.store.stored_problem import StoredProblem, describe_problem
from lrlab.training import Settings
from lrlab.training.engines import Engine, EnsembleEngine, LoopEngine
from tests.raising import raises
from tests.views.factories import make_results, make_study

ONE = Machine(1)


def plan_study(problem: Trainable, engine: Engine) -> Plan:
    """Plan a study in which all runs with the second learning rate diverge."""
    grid = build_grid(Settings(epochs=2, validation_size=0.2), [0.1, 1e30], [0])
    return build_plan(problem, [Cosine()], grid, Protocol(3, 2, grid_extensions=0), engine)


def train_or_diverge(run: RunContext) -> None:
    for epoch in range(run.epochs):
        score = run.seed % 7 / 10 if run.lr < 1 else float("nan")
        run.report(epoch, accuracy=score, validation_accuracy=score, extra=epoch)


FUNCTION = TrainingFunction(train_or_diverge, metric="accuracy", percent=True, dummy_score=0.1)


@pytest.fixture(scope="module", params=["problem", "function"])
def study_and_db(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[StudyResult, Path]:
    """A study with diverged runs, and the database that it was stored in."""
    plan = (
        plan_study(load_problem("wine"), EnsembleEngine())
        if request.param == "problem"
        else plan_study(FUNCTION, LoopEngine())
    )
    db = tmp_path_factory.mktemp(request.param) / "lrlab.db"
    with Store(db) as store:
        return run_study(plan, store, ONE), db


def test_a_stored_study_equals_the_one_that_was_run(study_and_db: tuple[StudyResult, Path]) -> None:
    study, db = study_and_db
    stored = load_study_result(StoreReader(db), study.plan.id[:4])
    assert stored.is_finished
    assert stored.runs["diverged"].any()
    assert stored.results == study.results
    assert stored.selections == study.selections
    assert stored.comparison == study.comparison
    assert stored.recommendation == study.recommendation
    assert stored.to_dict() == study.to_dict()
    for name in ("runs", "epochs", "table"):
        assert_frame_equal(getattr(stored, name), getattr(study, name))
    assert_frame_equal(read_runs_frame(StoreReader(db), study.plan.id), study.runs)
    assert_frame_equal(read_epochs_frame(StoreReader(db), study.plan.id), study.epochs)


@pytest.mark.integration
def test_a_database_needs_no_code_of_the_user(
    study_and_db: tuple[StudyResult, Path], tmp_path: Path
) -> None:
    study, db = study_and_db
    code = (
        "import json, sys, pathlib; from lrlab.studies import StoreReader, load_study_result; "
        f"study = load_study_result(StoreReader(pathlib.Path({str(db)!r}))); "
        "print(json.dumps(study.to_dict())); assert 'tests' not in sys.modules"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == study.to_dict()


def test_a_finished_study_needs_no_problem_to_run_again(
    study_and_db: tuple[StudyResult, Path],
) -> None:
    study, db = study_and_db
    stored = load_study_result(StoreReader(db))
    with Store(db) as store:
        assert run_study(stored.plan, store, ONE).results == study.results
    with Store(None) as store, raises(StudyError, stored.plan.problem.name, "lrlab.compare"):
        run_study(stored.plan, store, ONE)


class Stop(Exception):
    """Stops a study, as Ctrl-C does."""


@pytest.mark.parametrize("phase", ["tuning", "final"])
def test_an_unfinished_study_has_the_runs_that_ended(tmp_path: Path, phase: str) -> None:
    def stop(progress: Progress) -> None:
        if (progress.phase, progress.trained) == (phase, 2):
            raise Stop

    plan = plan_study(FUNCTION, LoopEngine())
    db = tmp_path / "lrlab.db"
    with Store(db) as store, pytest.raises(Stop):
        run_study(plan, store, ONE, stop)
    stored = load_study_result(StoreReader(db))
    assert not stored.is_finished
    assert_frame_equal(stored.runs, read_runs_frame(StoreReader(db), plan.id))
    assert_frame_equal(stored.epochs, read_epochs_frame(StoreReader(db), plan.id))
    assert stored.runs["phase"].value_counts()[phase] == 2
    for name in ("selections", "final_results", "comparison", "recommendation", "best", "table"):
        with raises(StudyError, plan.id, "not finished", "lrlab.resume_study"):
            getattr(stored, name)
    with raises(StudyError, "not finished"):
        stored.to_dict()


def test_a_study_without_a_run_is_loaded(tmp_path: Path) -> None:
    plan = plan_study(FUNCTION, LoopEngine())
    with Store(tmp_path / "lrlab.db") as store:
        store.add_study(plan.id, plan.problem, plan.engine, json.dumps(plan.to_dict()))
    stored = load_study_result(StoreReader(tmp_path / "lrlab.db"))
    assert (len(stored.runs), len(stored.epochs), stored.is_finished) == (0, 0, False)


def write_results(db: Path, engine: Engine) -> StudyResult:
    """Write a study of two schedules with invented results."""
    plan = build_plan(load_problem("iris"), [Cosine()], Settings(epochs=2), Protocol(6), engine)
    study = make_study(plan, {s: make_results(0.9, i) for i, s in enumerate(plan.schedules)})
    with Store(db) as store:
        store.add_study(plan.id, plan.problem, engine, json.dumps(plan.to_dict()))
        for phase in study.phases:
            store.add_phase(plan.id, phase.name, [(run_id, 0) for run_id in phase.runs])
            store.add_results(plan.problem, engine, phase.runs, study.results)
    return study


def test_a_study_is_shown_where_its_device_is_missing(tmp_path: Path) -> None:
    study = write_results(tmp_path / "lrlab.db", EnsembleEngine("abacus", torch_compile=True))
    stored = load_study_result(StoreReader(tmp_path / "lrlab.db"))
    assert stored.to_dict()["engine"] == "ensemble, abacus, torch_compile"
    assert_frame_equal(stored.table, study.table)


def read_all(db: Path) -> None:
    load_study_result(StoreReader(db)).to_dict()
    read_runs_frame(StoreReader(db), StoreReader(db).find_study().id)


@pytest.mark.parametrize(
    ("sql", "mention"),
    [
        ("UPDATE study SET plan = replace(plan, 'Cosine()', 'Kosine()')", "Kosine"),
        ("UPDATE study SET plan = replace(plan, 'Cosine()', 'Cosine(')", "schedule"),
        ("UPDATE study SET plan = substr(plan, 1, 50)", "plan"),
        ("UPDATE study SET plan = '[]'", "plan"),
        ("UPDATE study SET plan = '{}'", "plan"),
        ("UPDATE study SET plan = json_set(plan, '$.grid[0].lr', 'fast')", "plan"),
        ("UPDATE study SET plan = json_set(plan, '$.protocol.seeds', -1)", "plan"),
        ("UPDATE study SET plan = json_set(plan, '$.protocol.seeds', 7)", "version"),
        ("UPDATE study SET fingerprint = 'x', problem_facts = '{'", "plan"),
        ("UPDATE study SET problem_facts = '[]'", "plan"),
        ("UPDATE study SET problem_facts = '{}'", "plan"),
        ("UPDATE study SET problem_facts = json_remove(problem_facts, '$.metric')", "plan"),
        ("UPDATE study SET problem_facts = json_set(problem_facts, '$.train_rows', '1a')", "plan"),
        ("UPDATE study SET problem_facts = json_set(problem_facts, '$.fingerprint', 1)", "version"),
        ("UPDATE study SET engine = 'abacus'", "plan"),
        ("UPDATE study SET engine = 'loop, cuda'", "version"),
        ("UPDATE study SET versions = '['", "versions"),
        ("UPDATE study SET began_at = 'yesterday'", "yesterday"),
        ("UPDATE planned_run SET run = 'x' WHERE position = 3", "version"),
        ("DELETE FROM planned_run WHERE position = 3", "version"),
        ("UPDATE run SET curve = x'00'", "run"),
        ("UPDATE run SET curve = substr(curve, 1, 40)", "run"),
        ("UPDATE run SET ended_at = 'soon'", "soon"),
        ("UPDATE run SET settings = '['", "settings"),
        ("UPDATE run SET settings = '3'", "settings"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, sql: str, mention: str) -> None:
    db = tmp_path / "lrlab.db"
    write_results(db, LoopEngine())
    with closing(sqlite3.connect(db, isolation_level=None)) as writing:
        assert writing.execute(sql).rowcount
    with pytest.raises(StudyError, match=mention) as caught:
        read_all(db)
    assert len(str(caught.value).splitlines()) == 1


def test_damaged_scores_of_a_diverged_run_are_one_sentence(
    study_and_db: tuple[StudyResult, Path], tmp_path: Path
) -> None:
    _, db = study_and_db
    copy = tmp_path / "lrlab.db"
    copy.write_bytes(db.read_bytes())
    with closing(sqlite3.connect(copy, isolation_level=None)) as writing:
        writing.execute("UPDATE run SET validation_dummy_score = NULL")
    with raises(StudyError, "diverged", "damaged"):
        load_study_result(StoreReader(copy))


@pytest.mark.slow
def test_changed_bytes_are_reported_or_do_no_harm(
    study_and_db: tuple[StudyResult, Path], tmp_path: Path
) -> None:
    intact, rng = study_and_db[1].read_bytes(), random.Random(0)
    db, errors = tmp_path / "lrlab.db", 0
    for _ in range(100):
        changed = bytearray(intact)
        for _ in range(rng.choice([1, 20])):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        db.write_bytes(changed)
        try:
            read_all(db)
        except StudyError:
            errors += 1
    assert errors > 20


def test_numbers_for_scripts_are_json(study_and_db: tuple[StudyResult, Path]) -> None:
    study, _ = study_and_db
    facts = study.to_dict()
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert (facts["id"], facts["engine"]) == (study.plan.id, str(study.plan.engine))
    assert facts["versions"]["torch"] == torch.__version__
    assert facts["problem"] == describe_problem(study.plan.problem)
    assert [row["schedule"] for row in facts["schedules"]] == list(study.table.index)
    for row in facts["schedules"]:
        expected = study.table.loc[row["schedule"]]
        for name in ("rank", "mean", "diverged_count", "verdict", "at_grid_edge"):
            assert row[name] == expected[name]
        assert row["settings"]["lr"] == expected["lr"]
    assert facts["best"]["schedule"] == repr(study.best.schedule)
    assert facts["reason"] == study.recommendation.reason


def test_a_study_of_one_seed_has_null_for_what_is_unknown() -> None:
    plan = build_plan(load_problem("iris"), [Cosine()], Settings(epochs=2), Protocol(1))
    study = make_study(plan, {s: make_results(0.9)[:1] for s in plan.schedules})
    facts = study.to_dict()
    assert [row["sd"] for row in facts["schedules"]] == [None, None]
    assert [row["validation_score"] for row in facts["schedules"]] == [None, None]
    assert (facts["reason"], facts["best"]["schedule"]) == ("one_seed", "Constant(1.0)")


@pytest.mark.parametrize("problem", [load_problem("wine"), FUNCTION], ids=lambda p: p.name)
def test_a_stored_problem_has_the_facts_and_cannot_be_trained(problem: Trainable) -> None:
    facts = describe_problem(problem)
    stored = StoredProblem.from_facts(json.loads(json.dumps(facts)))
    assert isinstance(stored, Trainable)
    assert describe_problem(stored) == facts
    assert stored.metric.name == problem.metric.name
    runs = list(plan_first_phase(plan_study(problem, LoopEngine())).runs.values())
    for engine in (LoopEngine(), EnsembleEngine()):
        if not problem.loop_only_reason or engine == LoopEngine():
            with raises(StudyError, problem.name, "lrlab.compare"):
                engine.train(stored, runs[:1])
    with raises(StudyError, "lrlab.compare"):
        stored.metric.fn(torch.zeros(1), torch.zeros(1))
