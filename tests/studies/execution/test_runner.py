"""Running a study: however often it is stopped and resumed, its numbers are the same."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from lrlab import Cosine, RunContext
from lrlab.errors import StudyError, TrainingError
from lrlab.problems import Problem, TrainingFunction, load_problem
from lrlab.studies import (
    Machine,
    Plan,
    Protocol,
    Store,
    StudyResult,
    build_grid,
    build_plan,
    run_study,
)
from lrlab.studies.execution.runner import Progress
from lrlab.training import Settings
from lrlab.training.engines import Engine, EnsembleEngine, LoopEngine
from tests.raising import raises

ENSEMBLE = EnsembleEngine()
ONE = Machine(1)


class Stop(Exception):
    """Stops a study, as Ctrl-C does."""


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


def plan_small_study(problem: Problem, seeds: int = 3, engine: Engine = ENSEMBLE) -> Plan:
    grid = build_grid(Settings(epochs=2, validation_size=0.2), [0.03, 0.3, 3.0], [0, 0.9])
    return build_plan(
        problem, [Cosine()], grid, Protocol(seeds, tuning_seeds=2, grid_extensions=1), engine
    )


@dataclass
class RunCounter:
    """A callback that counts the trained runs, and stops the study after ``max_runs``."""

    max_runs: int = 10**9
    reports: dict[str, Progress] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(report.trained for report in self.reports.values())

    def __call__(self, progress: Progress) -> None:
        self.reports[progress.phase] = progress
        if self.count >= self.max_runs:
            raise Stop


def get_numbers(study: StudyResult) -> dict[str, tuple]:
    return {
        run_id: (result.test_score, result.curve.values.tobytes())
        for run_id, result in study.results.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("engine", [ENSEMBLE, LoopEngine()], ids=str)
def test_a_study_stopped_after_every_run_has_the_same_numbers(
    iris: Problem, tmp_path: Path, engine: Engine
) -> None:
    plan = plan_small_study(iris, engine=engine)
    with Store(None) as store:
        whole = run_study(plan, store, ONE)
    study = None
    for attempt in count():
        # Each time another memory would give other blocks of the remaining runs.
        machine = Machine(1, memory=(2 << 30) + attempt)
        with Store(tmp_path / "lrlab.db") as store, suppress(Stop):
            study = run_study(plan, store, machine, RunCounter(max_runs=1))
            break
    assert study is not None
    assert get_numbers(study) == get_numbers(whole)
    assert [phase.name for phase in study.phases] == [phase.name for phase in whole.phases]
    assert study.comparison == whole.comparison


def test_runs_of_another_study_are_not_trained_again(iris: Problem, tmp_path: Path) -> None:
    few, more = plan_small_study(iris), plan_small_study(iris, seeds=5)
    counter = RunCounter()
    with Store(tmp_path / "lrlab.db") as store:
        first = run_study(few, store, ONE, counter)
        assert counter.count == len(first.results)
        assert all(report.trained == report.planned for report in counter.reports.values())
        counter = RunCounter()
        second = run_study(more, store, ONE, counter)
        assert {run_id: second.results[run_id] for run_id in first.results} == first.results
        candidates = len(second.phases[-1].candidates)
        assert counter.count == len(second.results) - len(first.results) == 2 * candidates
        counter = RunCounter()
        assert get_numbers(run_study(more, store, ONE, counter)) == get_numbers(second)
        assert counter.count == 0
        assert all(report.stored == report.planned for report in counter.reports.values())


def test_recorded_blocks_are_kept(iris: Problem) -> None:
    plan = plan_small_study(iris)
    with Store(None) as store:
        run_study(plan, store, Machine(1))
        recorded = store.load_phase(plan.id, "tuning")
        assert recorded is not None
        run_study(plan, store, Machine(2))
        assert store.load_phase(plan.id, "tuning") == recorded


def test_runs_deleted_while_a_phase_is_planned_are_trained(
    iris: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, more = plan_small_study(iris), plan_small_study(iris, seeds=5)
    find_stored_runs = Store.find_stored_runs

    def find_and_delete_runs(store: Store, run_ids: Sequence[str]) -> set[str]:
        stored = find_stored_runs(store, run_ids)
        with Store(tmp_path / "lrlab.db") as other:
            if other.has_study(few.id):
                other.delete_study(few.id)
        return stored

    with Store(tmp_path / "lrlab.db") as store:
        whole = run_study(few, store, ONE)
        monkeypatch.setattr(Store, "find_stored_runs", find_and_delete_runs)
        study = run_study(more, store, ONE)
        assert not store.has_study(few.id)
        assert study.results.keys() > whole.results.keys()
        assert get_numbers(run_study(more, store, ONE)) == get_numbers(study)


def test_a_phase_planned_by_another_version_is_rejected(iris: Problem) -> None:
    plan = plan_small_study(iris)
    with Store(None) as store:
        store.add_study(plan.id, plan.problem, plan.engine, "{}")
        store.add_phase(plan.id, "tuning", [("0" * 32, 0)])
        with raises(StudyError, plan.id, "tuning", f'lrlab.delete_study("{plan.id}")'):
            run_study(plan, store, ONE)


def test_the_final_runs_have_the_selected_settings(iris: Problem) -> None:
    plan = plan_small_study(iris)
    with Store(None) as store:
        study = run_study(plan, store, ONE)
    assert list(study.final_results) == list(plan.schedules)
    for schedule, selection in study.selections.items():
        assert (schedule, selection.settings) in study.phases[-1].candidates
    assert study.comparison.seed_count == 3


def test_a_study_that_cannot_be_trained_is_not_stored(tmp_path: Path) -> None:
    function = TrainingFunction(raise_error, metric="accuracy")
    plan = build_plan(function, [Cosine()], Settings(epochs=2), Protocol(2))
    with Store(tmp_path / "lrlab.db") as store:
        with raises(TrainingError, "on purpose"):
            run_study(plan, store, ONE)
        assert not store.has_study(plan.id)
        assert store.load_phase(plan.id, "final") is None


def raise_error(run: RunContext) -> None:
    raise ValueError("on purpose")
