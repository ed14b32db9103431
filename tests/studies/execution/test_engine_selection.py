"""Selection of the engine that trains a study."""

from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from lrlab import Cosine
from lrlab.errors import LrlabError, StudyError, TrainingError
from lrlab.problems import load_problem
from lrlab.studies import (
    Machine,
    Plan,
    Protocol,
    Store,
    StoreReader,
    build_plan,
    list_engines,
    plan_first_phase,
    run_study,
    select_engine,
)
from lrlab.training import Settings, probing
from lrlab.training.engines import EnsembleEngine, LoopEngine
from lrlab.training.probing import EngineChoice, EngineReason
from tests.raising import raises

LOOP, ENSEMBLE = LoopEngine(), EnsembleEngine()
BOTH = list_engines("auto")


def make_dropout_network() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(), nn.Linear(8, 3))


@pytest.fixture(scope="module")
def study() -> Plan:
    return build_plan(load_problem("iris"), [Cosine()], Settings(epochs=1), Protocol(seeds=2))


def test_a_requested_engine_is_selected(study: Plan, tmp_path: Path) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        for engine in BOTH:
            assert select_engine(study, store, list_engines(engine.kind)).engine == engine


def test_auto_selects_the_faster_engine(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def select_ensemble(problem: object, runs: list, *options: object) -> EngineChoice:
        calls.append((len(runs), *options))
        return EngineChoice(ENSEMBLE, EngineReason.FASTER, seconds_per_run_step=1e-6)

    monkeypatch.setattr(probing, "select_faster_engine", select_ensemble)
    with Store(tmp_path / "lrlab.db") as store:
        choice = select_engine(study, store, BOTH, Machine(3, 5))
    assert (choice.engine, choice.seconds_per_run_step) == (ENSEMBLE, 1e-6)
    assert calls == [(4, ENSEMBLE, 3, 5)]


def test_the_problem_itself_is_probed(study: Plan, tmp_path: Path) -> None:
    problem = replace(study.problem, model=make_dropout_network)
    with Store(tmp_path / "lrlab.db") as store:
        choice = select_engine(replace(study, problem=problem), store, BOTH)
    assert choice.engine == LOOP
    assert choice.reason is EngineReason.LOOP_ONLY
    assert choice.obstacle is not None
    assert "dropout" in choice.obstacle.lower()
    assert choice.seconds_per_run_step is not None
    assert choice.seconds_per_run_step > 0


def forbid_probing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        probing, "select_faster_engine", lambda *_: pytest.fail("no engine should be probed")
    )


def test_a_study_keeps_its_first_engine(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_probing(monkeypatch)
    begun_study = replace(study, engine=ENSEMBLE)
    with Store(tmp_path / "lrlab.db") as store:
        store.add_study(begun_study.id, begun_study.problem, ENSEMBLE, "{}")
        for readable_store in (store, StoreReader(tmp_path / "lrlab.db")):
            choice = select_engine(study, readable_store, BOTH)
            assert (choice.engine, choice.reason) == (ENSEMBLE, EngineReason.STUDY_BEGAN)
            assert choice.seconds_per_run_step is None


def test_the_engine_of_most_stored_runs_is_selected(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_probing(monkeypatch)
    larger_study = replace(study, protocol=Protocol(seeds=4))
    loop_runs = plan_first_phase(larger_study).runs
    ensemble_runs = plan_first_phase(replace(larger_study, engine=ENSEMBLE)).runs
    assert not ensemble_runs.keys() & loop_runs.keys()
    with Store(tmp_path / "lrlab.db") as store:
        result = next(iter(run_study(study, store, Machine(1)).results.values()))
        reader = StoreReader(tmp_path / "lrlab.db")
        for readable_store in (store, reader):
            choice = select_engine(larger_study, readable_store, BOTH)
            assert (choice.engine, choice.reason) == (LOOP, EngineReason.RUNS_STORED)
            assert choice.stored_count == 4
        for count, engine, stored in ((3, LOOP, 4), (8, ENSEMBLE, 8)):
            results = dict.fromkeys(list(ensemble_runs)[:count], result)
            store.add_results(study.problem, ENSEMBLE, ensemble_runs, results)
            for readable_store in (store, reader):
                choice = select_engine(larger_study, readable_store, BOTH)
                assert (choice.engine, choice.stored_count) == (engine, stored)


@pytest.mark.parametrize(
    ("error", "arguments", "mentions"),
    [
        (StudyError, ("ensembel",), ["ensembel", "did you mean ensemble"]),
        (TrainingError, ("auto", "tpu"), ["tpu"]),
        (TrainingError, ("loop", "cpu", True), ["torch_compile", "ensemble"]),
    ],
)
def test_unknown_engines_are_rejected(
    error: type[LrlabError], arguments: tuple, mentions: list[str]
) -> None:
    with raises(error, *mentions):
        list_engines(*arguments)
