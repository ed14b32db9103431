"""Which engine trains a study."""

from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from lrlab import Cosine
from lrlab.errors import LrlabError
from lrlab.problems import load
from lrlab.studies import Machine, Plan, Store, candidates, carry_out, plan, settle
from lrlab.training import Settings, engines
from lrlab.training.engines import Choice, Engine

ENSEMBLE = Engine("ensemble")
BOTH = candidates("auto")


def dropping() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(), nn.Linear(8, 3))


@pytest.fixture(scope="module")
def study() -> Plan:
    return plan(load("iris"), [Cosine()], Settings(epochs=1), seeds=2)


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
    assert engine == Engine("loop")
    assert "dropout" in why.lower()


def test_stored_runs_keep_their_engine_and_no_other_is_mixed_in(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "choose", lambda *_: pytest.fail("nothing was to be chosen"))
    by_ensemble = replace(study, engine=ENSEMBLE)
    assert not by_ensemble.runs.keys() & study.runs.keys()
    with Store(tmp_path / "lrlab.db") as store:
        results = carry_out(study, store, Machine(1))
        assert settle(study, store, BOTH)[0] == Engine("loop")
        # Of both, that of which more are stored.
        store.add(study.problem, study.engine, study.runs, results)
        few = dict(list(zip(by_ensemble.runs, results.values(), strict=True))[:3])
        store.add(by_ensemble.problem, ENSEMBLE, by_ensemble.runs, few)
        assert settle(study, store, BOTH)[1] == "4 of these runs were trained by it"
        more = replace(study, seeds=(0, 1, 2))
        runs = replace(more, engine=ENSEMBLE).runs
        result = next(iter(results.values()))
        store.add(more.problem, ENSEMBLE, runs, dict.fromkeys(runs, result))
        assert settle(more, store, BOTH)[0] == ENSEMBLE


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
