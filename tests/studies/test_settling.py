"""Which engine trains a study."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lrlab import Cosine
from lrlab.errors import StudyError, TrainingError
from lrlab.problems import load
from lrlab.studies import Plan, Store, carry_out, plan, settle
from lrlab.training import Settings, engines
from lrlab.training.engines import Choice, Engine

ENSEMBLE = Engine("ensemble")


@pytest.fixture(scope="module")
def study() -> Plan:
    return plan(load("iris"), [Cosine()], Settings(epochs=1), seeds=2)


def test_the_engine_asked_for(study: Plan, tmp_path: Path) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        assert settle(study, store, "loop").engine == Engine("loop")
        assert settle(study, store, "ensemble", compiled=True).engine == Engine(
            "ensemble", compiled=True
        )


def test_auto_takes_what_is_found_faster(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def choose(problem: object, runs: list, *words: object) -> Choice:
        asked.append((len(runs), *words))
        return Choice(ENSEMBLE, "12 times as fast")

    monkeypatch.setattr(engines, "choose", choose)
    with Store(tmp_path / "lrlab.db") as store:
        assert settle(study, store, memory=5) == Choice(ENSEMBLE, "12 times as fast")
    assert asked == [(4, "cpu", False, 5)]


def test_a_problem_that_the_ensemble_cannot_train_goes_to_the_loop(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Choice:
        raise TrainingError("dropout draws for each run; use the loop.")

    monkeypatch.setattr(engines, "choose", refuse)
    with Store(tmp_path / "lrlab.db") as store:
        choice = settle(study, store)
    assert choice.engine == Engine("loop")
    assert "dropout draws for each run" in choice.reason


def test_stored_runs_keep_their_engine_and_no_other_is_mixed_in(
    study: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "choose", lambda *_: pytest.fail("nothing was to be chosen"))
    by_ensemble = replace(study, engine=ENSEMBLE)
    assert not by_ensemble.runs.keys() & study.runs.keys()
    with Store(tmp_path / "lrlab.db") as store:
        results = carry_out(study, store, workers=1)
        assert settle(study, store).engine == Engine("loop")
        # Of both, that of which more are stored.
        store.add(study, results)
        few = dict(list(zip(by_ensemble.runs, results.values(), strict=True))[:3])
        store.add(by_ensemble, few)
        assert settle(study, store) == Choice(Engine("loop"), "it trained 4 of these runs before")
        more = replace(study, seeds=(0, 1, 2))
        store.add(
            replace(more, engine=ENSEMBLE),
            dict.fromkeys(replace(more, engine=ENSEMBLE).runs, next(iter(results.values()))),
        )
        assert settle(more, store).engine == ENSEMBLE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ensembel",), "one of auto, loop, ensemble, got ensembel; did you mean ensemble"),
        (("auto", "tpu"), "the device must be one of cpu, cuda, got tpu"),
        (("loop", "cpu", True), "the loop is never compiled"),
    ],
)
def test_no_such_engine(study: Plan, tmp_path: Path, words: tuple, said: str) -> None:
    with Store(tmp_path / "lrlab.db") as store, pytest.raises(StudyError, match=said):
        settle(study, store, *words)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a device")
def test_a_device_that_is_not_there(study: Plan, tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store, pytest.raises(StudyError, match="finds none here"):
        settle(study, store, device="cuda")
