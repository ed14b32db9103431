"""Running a study: whatever stops it, the resumed study has the same numbers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lrlab import Cosine, RunContext
from lrlab.errors import StudyError, TrainingError
from lrlab.problems import Problem, TrainingFunction, load_problem
from lrlab.studies import (
    Machine,
    Phase,
    Plan,
    Protocol,
    Store,
    StudyResult,
    build_grid,
    build_plan,
    run_study,
)
from lrlab.training import Run, Settings
from lrlab.training.engines import Engine
from tests.raising import raises

ENSEMBLE = Engine("ensemble")
ONE = Machine(1)


class Stop(Exception):
    """What a person's Ctrl-C is here."""


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


def plan_small_study(problem: Problem, seeds: int = 3, engine: Engine = ENSEMBLE) -> Plan:
    grid = build_grid(Settings(epochs=2, validation_size=0.2), [0.03, 0.3, 3.0], [0, 0.9])
    return build_plan(
        problem, [Cosine()], grid, Protocol(seeds, tuning_seeds=2, grid_extensions=1), engine
    )


def record_runs(told: list[Run], most: int = 10**9) -> Callable:
    """Notes the runs that were trained, and stops the study after so many."""

    @contextmanager
    def watch(phase: Phase, missing: Sequence[Run]) -> Iterator[Callable[[Run], None]]:
        left = len(missing)

        def ended(run: Run) -> None:
            nonlocal left
            left -= 1
            told.append(run)
            if len(told) >= most:
                raise Stop

        yield ended
        assert left == 0, "every run that was said to be missing was trained"

    return watch


def get_numbers(study: StudyResult) -> dict[str, tuple]:
    return {
        id: (result.test_score, result.curve.values.tobytes())
        for id, result in study.results.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("engine", [ENSEMBLE, Engine("loop")], ids=str)
def test_a_study_that_is_stopped_again_and_again_is_the_study_that_was_not(
    iris: Problem, tmp_path: Path, engine: Engine
) -> None:
    which = plan_small_study(iris, engine=engine)
    with Store(None) as store:
        whole = run_study(which, store, ONE)
    trained: list[Run] = []
    study = None
    while study is None:
        # Each time on a machine that would have made other blocks of what is left.
        machine = Machine(1, memory=(2 << 30) + len(trained))
        with Store(tmp_path / "lrlab.db") as store:
            try:
                study = run_study(which, store, machine, record_runs(trained, len(trained) + 1))
            except Stop:
                continue
    assert get_numbers(study) == get_numbers(whole)
    assert [phase.name for phase in study.phases] == [phase.name for phase in whole.phases]
    assert study.comparison == whole.comparison


def test_what_another_study_has_trained_is_not_trained_again(iris: Problem, tmp_path: Path) -> None:
    few, more = plan_small_study(iris), plan_small_study(iris, seeds=5)
    told: list[Run] = []
    with Store(tmp_path / "lrlab.db") as store:
        first = run_study(few, store, ONE, record_runs(told))
        assert len(told) == len(first.results)
        told.clear()
        second = run_study(more, store, ONE, record_runs(told))
        assert {id: second.results[id] for id in first.results} == first.results
        candidates = len(second.phases[-1].candidates)
        assert len(told) == len(second.results) - len(first.results) == 2 * candidates
        told.clear()
        assert get_numbers(run_study(more, store, ONE, record_runs(told))) == get_numbers(second)
        assert told == []


def test_blocks_are_those_that_were_recorded(iris: Problem) -> None:
    which = plan_small_study(iris)
    with Store(None) as store:
        run_study(which, store, Machine(1))
        recorded = store.load_phase(which.id, "tuning")
        assert recorded is not None
        run_study(which, store, Machine(2))
        assert store.load_phase(which.id, "tuning") == recorded


def test_runs_that_are_deleted_while_a_phase_is_planned_are_trained(
    iris: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, more = plan_small_study(iris), plan_small_study(iris, seeds=5)
    known = Store.find_stored_runs

    def and_then_deleted(store: Store, ids: Sequence[str]) -> set[str]:
        found = known(store, ids)
        with Store(tmp_path / "lrlab.db") as other:
            if other.has_study(few.id):
                other.delete_study(few.id)
        return found

    with Store(tmp_path / "lrlab.db") as store:
        whole = run_study(few, store, ONE)
        monkeypatch.setattr(Store, "find_stored_runs", and_then_deleted)
        study = run_study(more, store, ONE)
        assert not store.has_study(few.id)
        assert study.results.keys() > whole.results.keys()
        assert get_numbers(run_study(more, store, ONE)) == get_numbers(study)


def test_a_phase_that_other_rules_have_planned_is_refused(iris: Problem) -> None:
    which = plan_small_study(iris)
    with Store(None) as store:
        store.add_study(which.id, which.problem, which.engine, "{}")
        store.add_phase(which.id, "tuning", [("0" * 32, 0)])
        with raises(StudyError, which.id, "tuning", f"lrlab delete {which.id}"):
            run_study(which, store, ONE)


def test_the_final_runs_are_the_schedules_at_their_best_over_fresh_seeds(iris: Problem) -> None:
    which = plan_small_study(iris)
    with Store(None) as store:
        study = run_study(which, store, ONE)
    assert list(study.final_results) == list(which.schedules)
    for schedule, tuned in study.selections.items():
        assert (schedule, tuned.settings) in study.phases[-1].candidates
    assert study.comparison.seed_count == 3


def test_what_cannot_be_trained_is_no_study(tmp_path: Path) -> None:
    function = TrainingFunction(_failing, metric="accuracy")
    which = build_plan(function, [Cosine()], Settings(epochs=2), Protocol(2))
    with Store(tmp_path / "lrlab.db") as store:
        with raises(TrainingError, "on purpose"):
            run_study(which, store, ONE)
        assert not store.has_study(which.id)
        assert store.load_phase(which.id, "final") is None


def _failing(run: RunContext) -> None:
    raise ValueError("on purpose")
