"""Which engine trains a study."""

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
from lrlab.training import Settings, engines
from lrlab.training.engines import Engine, EngineChoice
from tests.raising import raises

LOOP, ENSEMBLE = Engine("loop"), Engine("ensemble")
BOTH = list_engines("auto")


def make_dropout_network() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(), nn.Linear(8, 3))


@pytest.fixture(scope="module")
def study() -> Plan:
    return build_plan(load_problem("iris"), [Cosine()], Settings(epochs=1), Protocol(seeds=2))


def test_the_engine_asked_for(study: Plan, tmp_path: Path) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        for engine in BOTH:
            assert select_engine(study, store, list_engines(engine.kind))[0] == engine


def test_auto_takes_what_is_found_faster(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def choose(problem: object, runs: list, *words: object) -> EngineChoice:
        asked.append((len(runs), *words))
        return EngineChoice(ENSEMBLE, "12 times as fast", seconds_per_run_step=1e-6)

    monkeypatch.setattr(engines, "select_faster_engine", choose)
    with Store(tmp_path / "lrlab.db") as store:
        assert select_engine(study, store, BOTH, Machine(3, 5)) == (ENSEMBLE, "12 times as fast")
    assert asked == [(4, "cpu", False, 3, 5)]


def test_the_choice_is_made_on_the_problem_itself(study: Plan, tmp_path: Path) -> None:
    problem = replace(study.problem, model=make_dropout_network)
    with Store(tmp_path / "lrlab.db") as store:
        engine, why = select_engine(replace(study, problem=problem), store, BOTH)
    assert engine == LOOP
    assert "dropout" in why.lower()


def forbid_probing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        engines, "select_faster_engine", lambda *_: pytest.fail("nothing was to be chosen")
    )


def test_a_study_keeps_the_engine_it_was_begun_with(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_probing(monkeypatch)
    begun = replace(study, engine=ENSEMBLE)
    with Store(tmp_path / "lrlab.db") as store:
        store.add_study(begun.id, begun.problem, ENSEMBLE, "{}")
        for asked in (store, StoreReader(tmp_path / "lrlab.db")):
            assert select_engine(study, asked, BOTH) == (ENSEMBLE, "this study began with it")


def test_stored_runs_keep_their_engine_and_no_other_is_mixed_in(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_probing(monkeypatch)
    more = replace(study, protocol=Protocol(seeds=4))
    by_loop = plan_first_phase(more).runs
    by_ensemble = plan_first_phase(replace(more, engine=ENSEMBLE)).runs
    assert not by_ensemble.keys() & by_loop.keys()
    with Store(tmp_path / "lrlab.db") as store:
        result = next(iter(run_study(study, store, Machine(1)).results.values()))
        catalog = StoreReader(tmp_path / "lrlab.db")
        for asked in (store, catalog):
            assert select_engine(more, asked, BOTH) == (LOOP, "4 of these runs are stored from it")
        # Of both, that of which more are stored.
        few = dict.fromkeys(list(by_ensemble)[:3], result)
        store.add_results(more.problem, ENSEMBLE, by_ensemble, few)
        assert select_engine(more, store, BOTH)[1] == "4 of these runs are stored from it"
        store.add_results(more.problem, ENSEMBLE, by_ensemble, dict.fromkeys(by_ensemble, result))
        for asked in (store, catalog):
            assert select_engine(more, asked, BOTH) == (
                ENSEMBLE,
                "8 of these runs are stored from it",
            )


@pytest.mark.parametrize(
    ("error", "arguments", "mentions"),
    [
        (StudyError, ("ensembel",), ["ensembel", "did you mean ensemble"]),
        (TrainingError, ("auto", "tpu"), ["tpu"]),
        (TrainingError, ("loop", "cpu", True), ["torch_compile", "ensemble"]),
    ],
)
def test_no_such_engine(error: type[LrlabError], arguments: tuple, mentions: list[str]) -> None:
    with raises(error, *mentions):
        list_engines(*arguments)
