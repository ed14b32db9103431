"""Which engine trains a study."""

from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from lrlab import Cosine
from lrlab.errors import LrlabError
from lrlab.problems import load
from lrlab.studies import (
    Catalog,
    Machine,
    Plan,
    Protocol,
    Store,
    candidates,
    carry_out,
    first,
    plan,
    settle,
)
from lrlab.training import Settings, engines
from lrlab.training.engines import Choice, Engine

LOOP, ENSEMBLE = Engine("loop"), Engine("ensemble")
BOTH = candidates("auto")


def dropping() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(), nn.Linear(8, 3))


@pytest.fixture(scope="module")
def study() -> Plan:
    return plan(load("iris"), [Cosine()], Settings(epochs=1), Protocol(seeds=2))


def test_the_engine_asked_for(study: Plan, tmp_path: Path) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        for engine in BOTH:
            assert settle(study, store, candidates(engine.kind))[0] == engine


def test_auto_takes_what_is_found_faster(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def choose(problem: object, runs: list, *words: object) -> Choice:
        asked.append((len(runs), *words))
        return Choice(ENSEMBLE, "12 times as fast", seconds=1e-6)

    monkeypatch.setattr(engines, "choose", choose)
    with Store(tmp_path / "lrlab.db") as store:
        assert settle(study, store, BOTH, Machine(3, 5)) == (ENSEMBLE, "12 times as fast")
    assert asked == [(4, "cpu", False, 3, 5)]


def test_the_choice_is_made_on_the_problem_itself(study: Plan, tmp_path: Path) -> None:
    problem = replace(study.problem, model=dropping)
    with Store(tmp_path / "lrlab.db") as store:
        engine, why = settle(replace(study, problem=problem), store, BOTH)
    assert engine == LOOP
    assert "dropout" in why.lower()


def nothing_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "choose", lambda *_: pytest.fail("nothing was to be chosen"))


def test_a_study_keeps_the_engine_it_was_begun_with(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_is_chosen(monkeypatch)
    begun = replace(study, engine=ENSEMBLE)
    with Store(tmp_path / "lrlab.db") as store:
        store.begin(begun.id, begun.problem, ENSEMBLE, "{}")
        for asked in (store, Catalog(tmp_path / "lrlab.db")):
            assert settle(study, asked, BOTH) == (ENSEMBLE, "this study was begun with it")


def test_stored_runs_keep_their_engine_and_no_other_is_mixed_in(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_is_chosen(monkeypatch)
    more = replace(study, protocol=Protocol(seeds=4))
    by_loop = first(more).runs
    by_ensemble = first(replace(more, engine=ENSEMBLE)).runs
    assert not by_ensemble.keys() & by_loop.keys()
    with Store(tmp_path / "lrlab.db") as store:
        result = next(iter(carry_out(study, store, Machine(1)).results.values()))
        catalog = Catalog(tmp_path / "lrlab.db")
        for asked in (store, catalog):
            assert settle(more, asked, BOTH) == (LOOP, "4 of these runs were trained by it")
        # Of both, that of which more are stored.
        few = dict.fromkeys(list(by_ensemble)[:3], result)
        store.add(more.problem, ENSEMBLE, by_ensemble, few)
        assert settle(more, store, BOTH)[1] == "4 of these runs were trained by it"
        store.add(more.problem, ENSEMBLE, by_ensemble, dict.fromkeys(by_ensemble, result))
        for asked in (store, catalog):
            assert settle(more, asked, BOTH) == (ENSEMBLE, "8 of these runs were trained by it")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ensembel",), "one of auto, loop, ensemble, got ensembel; did you mean ensemble"),
        (("auto", "tpu"), "can use here, got tpu"),
        (("loop", "cpu", True), "only the ensemble can be compiled"),
    ],
)
def test_no_such_engine(words: tuple, said: str) -> None:
    with pytest.raises(LrlabError, match=said):
        candidates(*words)
