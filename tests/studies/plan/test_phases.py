"""Phases: the runs that follow from a plan and the results so far."""

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lrlab import Cosine, Linear, parse
from lrlab.problems import Problem, load_problem
from lrlab.schedules import Schedule
from lrlab.studies import (
    BASELINE,
    Phase,
    Plan,
    Protocol,
    build_grid,
    build_plan,
    plan_first_phase,
    plan_next_phase,
    select_tuned_settings,
)
from lrlab.training import Curve, Epoch, Result, Run, Settings
from lrlab.training.engines import Engine, EnsembleEngine, LoopEngine
from lrlab.user_code import import_user_module
from tests.schedules.definitions import DEFINITION

LRS = [0.01, 0.03, 0.1, 0.3, 1.0]
COSINE, LOOP = Cosine(), LoopEngine()
PROTOCOL = Protocol(seeds=4, tuning_seeds=2, grid_extensions=2)


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


def plan_study(problem: Problem, momenta: tuple[float, ...] = (0.0, 0.9)) -> Plan:
    grid = build_grid(Settings(epochs=1, validation_size=0.2), LRS, momenta)
    return build_plan(problem, [Cosine()], grid, PROTOCOL)


def make_result(score: float) -> Result:
    return Result(0.5, False, Curve.from_epochs([Epoch(0, 0.1, 0.1, 1.0, 0.5, 0.7, score)]), 0.0)


def plan_phases(
    plan: Plan, compute_validation_score: Callable[[Run], float]
) -> tuple[list[Phase], dict[str, Result]]:
    """Return all phases and results, with validation scores computed by a function."""
    phases, results = [plan_first_phase(plan)], {}
    while True:
        results |= {
            run_id: make_result(compute_validation_score(run))
            for run_id, run in phases[-1].runs.items()
        }
        phase = plan_next_phase(plan, phases, results)
        if phase is None:
            return phases, results
        phases.append(phase)


def make_score_function(constant: float, cosine: float) -> Callable[[Run], float]:
    """Make a function that scores runs by how near they are to the best learning rate.

    Args:
        constant, cosine: best learning rate of each of the two schedules.
    """

    def compute_validation_score(run: Run) -> float:
        best = constant if run.schedule == BASELINE else cosine
        nearness = min(run.settings.lr, best) / max(run.settings.lr, best)
        return nearness - 0.001 * run.settings.momentum

    return compute_validation_score


def list_tried_lrs(phase: Phase, schedule: Schedule) -> list[float]:
    return sorted({settings.lr for other, settings in phase.candidates if other == schedule})


def test_all_schedules_are_tuned_with_the_same_settings_and_seeds(iris: Problem) -> None:
    plan = plan_study(iris)
    phase = plan_first_phase(plan)
    assert phase.name == "tuning"
    assert [(run.schedule, run.settings, run.seed) for run in phase.runs.values()] == [
        (schedule, settings, seed)
        for schedule in (BASELINE, Cosine())
        for settings in plan.grid
        for seed in plan.tuning_seeds
    ]


def test_the_selected_settings_are_trained_over_fresh_seeds(iris: Problem) -> None:
    plan = plan_study(iris)
    phases, results = plan_phases(plan, make_score_function(constant=0.1, cosine=0.3))
    assert [phase.name for phase in phases] == ["tuning", "final"]
    selected_lrs = {BASELINE: 0.1, Cosine(): 0.3}
    final = [(run.schedule, run.settings.lr, run.seed) for run in phases[-1].runs.values()]
    assert final[: 2 * 4] == [
        (schedule, lr, seed) for schedule, lr in selected_lrs.items() for seed in plan.final_seeds
    ]
    assert not set(plan.final_seeds) & set(plan.tuning_seeds)
    selections = select_tuned_settings(plan, phases, results)
    assert {
        schedule: (selection.settings.lr, selection.settings.momentum, selection.at_grid_edge)
        for schedule, selection in selections.items()
    } == {
        BASELINE: (0.1, 0.0, False),
        Cosine(): (0.3, 0.0, False),
    }


def test_the_final_runs_have_the_baseline_at_all_its_settings_and_midpoints(iris: Problem) -> None:
    phases, _ = plan_phases(plan_study(iris), make_score_function(constant=3.0, cosine=0.3))
    tried = {
        settings
        for phase in phases[:-1]
        for schedule, settings in phase.candidates
        if schedule == BASELINE
    }
    assert len(tried) == 2 * (5 + 2)
    final = {settings for schedule, settings in phases[-1].candidates if schedule == BASELINE}
    assert tried <= final
    midpoints = final - tried
    assert sorted({settings.lr for settings in midpoints}) == [0.017, 0.055, 0.17, 0.55, 1.7, 5.5]
    assert len(midpoints) == 2 * 6
    assert len(phases[-1].candidates) == len(final) + 1


def test_the_grid_is_extended_for_the_schedule_that_is_best_at_its_edge(iris: Problem) -> None:
    phases, results = plan_phases(plan_study(iris), make_score_function(constant=0.1, cosine=3.0))
    assert [phase.name for phase in phases] == [
        "tuning",
        "grid extension 1",
        "grid extension 2",
        "final",
    ]
    assert [list_tried_lrs(phase, Cosine()) for phase in phases[1:3]] == [[3.0], [10.0]]
    assert all(list_tried_lrs(phase, BASELINE) == [] for phase in phases[1:3])
    assert all(phase.seeds == phases[0].seeds for phase in phases[1:3])
    assert {settings.momentum for _, settings in phases[1].candidates} == {0.0, 0.9}
    selection = select_tuned_settings(plan_study(iris), phases, results)[Cosine()]
    assert (selection.settings.lr, selection.at_grid_edge) == (3.0, False)


def test_the_edge_is_reported_after_the_last_extension(iris: Problem) -> None:
    phases, results = plan_phases(plan_study(iris), make_score_function(constant=1e-9, cosine=1e9))
    assert [phase.name for phase in phases] == [
        "tuning",
        "grid extension 1",
        "grid extension 2",
        "final",
    ]
    assert [list_tried_lrs(phase, BASELINE) for phase in phases[1:3]] == [[0.003], [0.001]]
    selections = select_tuned_settings(plan_study(iris), phases, results).values()
    assert [(s.settings.lr, s.edge_side) for s in selections] == [(0.001, -1), (10.0, 1)]


def test_without_tuning_there_are_only_final_runs(iris: Problem) -> None:
    plan = build_plan(iris, [Cosine()], Settings(epochs=1), PROTOCOL)
    phase = plan_first_phase(plan)
    assert phase.name == "final"
    assert len(phase.runs) == 2 * 4
    assert plan_next_phase(plan, [phase], {}) is None
    selections = select_tuned_settings(plan, [phase], {}).values()
    assert not any(selection.at_grid_edge for selection in selections)


def test_a_single_learning_rate_has_no_edge(iris: Problem) -> None:
    grid = build_grid(Settings(epochs=1, validation_size=0.2), [0.1], [0, 0.9])
    phases, _ = plan_phases(
        build_plan(iris, [Cosine()], grid, PROTOCOL), make_score_function(constant=1, cosine=1)
    )
    assert [phase.name for phase in phases] == ["tuning", "final"]


def test_ids_of_runs_are_the_same_in_all_versions(iris: Problem) -> None:
    problem = dataclasses.replace(iris, fingerprint="0")
    plan = build_plan(problem, [Cosine()], Settings(), Protocol(seeds=1))

    def list_ids(settings: Settings, seeds: tuple[int, ...]) -> list[str]:
        candidates = [(BASELINE, settings), (Cosine(), settings)]
        return list(Phase.from_plan(plan, "final", candidates, seeds).runs)

    assert list_ids(Settings(), (0, 1)) == [
        "b4df98ca60d222ae1ba7a7d8fbac67b7",
        "9789bc34b32d2dff637f3b57e65a4356",
        "7dc34032ad414dcab59eca3c2264cd69",
        "49e7a3b944f436c9f4fa71cf67913417",
    ]
    assert list_ids(Settings(lr=0.2, momentum=0.9, step_every="step"), (0,)) == [
        "0d52103da97fca9cbd08fca5dec30e5c",
        "98a7c9b49f27f179fee7710939c26e78",
    ]


def test_ids_depend_only_on_what_affects_the_numbers(iris: Problem) -> None:
    def get_ids(
        problem: Problem = iris,
        schedule: Schedule = COSINE,
        engine: Engine = LOOP,
        protocol: Protocol = PROTOCOL,
        **settings: object,
    ) -> set[str]:
        return set(
            plan_first_phase(
                build_plan(problem, [schedule], Settings(**settings), protocol, engine)
            ).runs
        )

    ids = get_ids()
    assert len(ids) == 8
    assert get_ids(dataclasses.replace(iris, name="flowers", summary="x")) == ids
    assert get_ids(momentum=0, epochs=50, lr=0.1) == ids
    assert get_ids(protocol=dataclasses.replace(PROTOCOL, seeds=5)) > ids
    for changes in (
        {"lr": 0.2},
        {"momentum": 0.9},
        {"optimizer": "adam"},
        {"epochs": 49},
        {"batch_size": 23},
        {"step_every": "step"},
        {"shuffle": False},
        {"validation_size": 0.2},
        {"engine": EnsembleEngine()},
        {"protocol": dataclasses.replace(PROTOCOL, seed=1)},
        {"problem": dataclasses.replace(iris, fingerprint="0")},
    ):
        assert not get_ids(**changes) & ids
    assert len(get_ids(schedule=Linear(1, 0)) & ids) == 4  # the runs of the baseline


def list_first_ids(plan: Plan) -> list[str]:
    """Return the id of the first run of each schedule."""
    phase = plan_first_phase(plan)
    return list(phase.runs)[:: len(phase.seeds)]


def test_runs_that_are_stored_keep_their_ids(iris: Problem) -> None:
    """A change of these ids would make every stored run of lrlab's own schedules useless."""
    problem = dataclasses.replace(iris, fingerprint="f")
    schedules = [Cosine(), parse("0.5 * Warmup(3) >> torch.StepLR(2)")]
    plan = build_plan(problem, schedules, Settings(epochs=5))
    assert list_first_ids(plan) == [
        "63022bae56e8167da4f734feccd556a8",
        "a4a720280fe1348f6dd8997761433465",
        "84f91be64f87509420e626d657a5297a",
    ]
    assert plan.id == "398660b3"


def test_the_code_of_a_users_class_is_part_of_the_ids(iris: Problem, scripts: Path) -> None:
    def build(definition: str) -> Plan:
        (scripts / "my_schedules.py").write_text(definition)
        sys.modules.pop("my_schedules", None)
        import_user_module(str(scripts / "my_schedules.py"))
        schedules = [Cosine(), parse("Warmup(3) >> MyDecay(0.3)")]
        return build_plan(iris, schedules, Settings(epochs=5))

    plan, same, edited = map(
        build, (DEFINITION, DEFINITION, DEFINITION.replace("1 / (1 + x)", "1 / (2 + x)"))
    )
    first, again, others = map(list_first_ids, (plan, same, edited))
    assert first == again
    assert first[:2] == others[:2]  # the baseline and the cosine
    assert first[2] != others[2]
    assert plan.id == same.id != edited.id
    # A stored plan is shown with the code that it was trained with, and trained with today's.
    data = json.loads(json.dumps(plan.to_dict()))
    assert Plan.from_dict(data, iris, plan.engine, data["classes"]).id == plan.id
    assert Plan.from_dict(data, iris, plan.engine).id == edited.id
