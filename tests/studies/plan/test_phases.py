"""Phases: which runs follow from a plan and from the results so far, counted by hand."""

import dataclasses
from collections.abc import Callable

import pytest

from lrlab import Cosine, Linear
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
from lrlab.training.engines import Engine

RATES = [0.01, 0.03, 0.1, 0.3, 1.0]
COSINE, LOOP = Cosine(), Engine("loop")
PROTOCOL = Protocol(seeds=4, tuning_seeds=2, grid_extensions=2)


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


def plan_study(problem: Problem, momenta: tuple[float, ...] = (0.0, 0.9)) -> Plan:
    grid = build_grid(Settings(epochs=1, validation_size=0.2), RATES, momenta)
    return build_plan(problem, [Cosine()], grid, PROTOCOL)


def make_result(score: float) -> Result:
    return Result(0.5, False, Curve.from_epochs([Epoch(0, 0.1, 0.1, 1.0, 0.5, 0.7, score)]), 0.0)


def run_phases(which: Plan, score: Callable[[Run], float]) -> tuple[list[Phase], dict]:
    """All phases when the held-out rows score each run so."""
    done, results = [plan_first_phase(which)], {}
    while True:
        results |= {id: make_result(score(run)) for id, run in done[-1].runs.items()}
        phase = plan_next_phase(which, done, results)
        if phase is None:
            return done, results
        done.append(phase)


def make_scorer(**rates: float) -> Callable[[Run], float]:
    """The nearer the rate to that of the schedule, the better."""

    def score(run: Run) -> float:
        best = rates["constant" if run.schedule == BASELINE else "cosine"]
        near = min(run.settings.lr, best) / max(run.settings.lr, best)
        return near - 0.001 * run.settings.momentum

    return score


def list_tried_lrs(phase: Phase, schedule: Schedule) -> list[float]:
    return sorted({settings.lr for one, settings in phase.candidates if one == schedule})


def test_every_schedule_is_tried_with_every_settings_and_the_same_seeds(iris: Problem) -> None:
    which = plan_study(iris)
    phase = plan_first_phase(which)
    assert phase.name == "tuning"
    assert [(run.schedule, run.settings, run.seed) for run in phase.runs.values()] == [
        (schedule, settings, seed)
        for schedule in (BASELINE, Cosine())
        for settings in which.grid
        for seed in which.tuning_seeds
    ]


def test_the_chosen_settings_are_run_on_fresh_seeds(iris: Problem) -> None:
    which = plan_study(iris)
    done, results = run_phases(which, make_scorer(constant=0.1, cosine=0.3))
    assert [phase.name for phase in done] == ["tuning", "final"]
    chosen = {BASELINE: 0.1, Cosine(): 0.3}
    final = [(run.schedule, run.settings.lr, run.seed) for run in done[-1].runs.values()]
    assert final[: 2 * 4] == [
        (schedule, rate, seed) for schedule, rate in chosen.items() for seed in which.final_seeds
    ]
    assert not set(which.final_seeds) & set(which.tuning_seeds)
    tuned = select_tuned_settings(which, done, results)
    assert {
        s: (own.settings.lr, own.settings.momentum, own.at_grid_edge) for s, own in tuned.items()
    } == {
        BASELINE: (0.1, 0.0, False),
        Cosine(): (0.3, 0.0, False),
    }


def test_the_baseline_is_run_on_them_at_all_it_was_tried_with_and_between(iris: Problem) -> None:
    done, _ = run_phases(plan_study(iris), make_scorer(constant=3.0, cosine=0.3))
    tried = [one for phase in done[:-1] for one in phase.candidates if one[0] == BASELINE]
    assert len(tried) == 2 * (5 + 2)
    rivals = {settings for schedule, settings in done[-1].candidates if schedule == BASELINE}
    between = rivals - {settings for _, settings in tried}
    assert rivals - between == {settings for _, settings in tried}
    assert sorted({settings.lr for settings in between}) == [0.017, 0.055, 0.17, 0.55, 1.7, 5.5]
    assert len(between) == 2 * 6
    assert len(done[-1].candidates) == len(rivals) + 1


def test_a_best_rate_at_the_edge_widens_the_grid_for_that_schedule_alone(iris: Problem) -> None:
    done, results = run_phases(plan_study(iris), make_scorer(constant=0.1, cosine=3.0))
    assert [phase.name for phase in done] == [
        "tuning",
        "grid extension 1",
        "grid extension 2",
        "final",
    ]
    assert [list_tried_lrs(phase, Cosine()) for phase in done[1:3]] == [[3.0], [10.0]]
    assert all(list_tried_lrs(phase, BASELINE) == [] for phase in done[1:3])
    assert all(phase.seeds == done[0].seeds for phase in done[1:3])
    assert {settings.momentum for _, settings in done[1].candidates} == {0.0, 0.9}
    tuned = select_tuned_settings(plan_study(iris), done, results)
    assert (tuned[Cosine()].settings.lr, tuned[Cosine()].at_grid_edge) == (3.0, False)


def test_beyond_the_limit_the_edge_is_said(iris: Problem) -> None:
    done, results = run_phases(plan_study(iris), make_scorer(constant=1e-9, cosine=1e9))
    assert [phase.name for phase in done] == [
        "tuning",
        "grid extension 1",
        "grid extension 2",
        "final",
    ]
    assert [list_tried_lrs(phase, BASELINE) for phase in done[1:3]] == [[0.003], [0.001]]
    tuned = select_tuned_settings(plan_study(iris), done, results)
    assert [(own.settings.lr, own.edge_side) for own in tuned.values()] == [(0.001, -1), (10.0, 1)]


def test_what_is_not_tuned_has_final_runs_alone(iris: Problem) -> None:
    which = build_plan(iris, [Cosine()], Settings(epochs=1), PROTOCOL)
    phase = plan_first_phase(which)
    assert phase.name == "final"
    assert len(phase.runs) == 2 * 4
    assert plan_next_phase(which, [phase], {}) is None
    assert not any(own.at_grid_edge for own in select_tuned_settings(which, [phase], {}).values())


def test_one_rate_has_no_edge(iris: Problem) -> None:
    grid = build_grid(Settings(epochs=1, validation_size=0.2), [0.1], [0, 0.9])
    done, _ = run_phases(
        build_plan(iris, [Cosine()], grid, PROTOCOL), make_scorer(constant=1, cosine=1)
    )
    assert [phase.name for phase in done] == ["tuning", "final"]


def test_ids_of_runs_stay_the_same_between_versions(iris: Problem) -> None:
    problem = dataclasses.replace(iris, fingerprint="0")
    which = build_plan(problem, [Cosine()], Settings(), Protocol(seeds=1))

    def ids(settings: Settings, seeds: tuple[int, ...]) -> list[str]:
        both = [(BASELINE, settings), (Cosine(), settings)]
        return list(Phase.from_plan(which, "final", both, seeds).runs)

    assert ids(Settings(), (0, 1)) == [
        "b4df98ca60d222ae1ba7a7d8fbac67b7",
        "9789bc34b32d2dff637f3b57e65a4356",
        "7dc34032ad414dcab59eca3c2264cd69",
        "49e7a3b944f436c9f4fa71cf67913417",
    ]
    assert ids(Settings(lr=0.2, momentum=0.9, step_every="step"), (0,)) == [
        "0d52103da97fca9cbd08fca5dec30e5c",
        "98a7c9b49f27f179fee7710939c26e78",
    ]


def test_ids_depend_on_all_that_numbers_depend_on_and_nothing_else(iris: Problem) -> None:
    def ids(
        problem: Problem = iris,
        schedule: Schedule = COSINE,
        engine: Engine = LOOP,
        protocol: Protocol = PROTOCOL,
        **words: object,
    ) -> set[str]:
        return set(
            plan_first_phase(
                build_plan(problem, [schedule], Settings(**words), protocol, engine)
            ).runs
        )

    same = ids()
    assert len(same) == 8
    assert ids(dataclasses.replace(iris, name="flowers", summary="x")) == same
    assert ids(momentum=0, epochs=50, lr=0.1) == same
    assert ids(protocol=dataclasses.replace(PROTOCOL, seeds=5)) > same
    for words in (
        {"lr": 0.2},
        {"momentum": 0.9},
        {"optimizer": "adam"},
        {"epochs": 49},
        {"batch_size": 23},
        {"step_every": "step"},
        {"shuffle": False},
        {"validation_size": 0.2},
        {"engine": Engine("ensemble")},
        {"protocol": dataclasses.replace(PROTOCOL, seed=1)},
        {"problem": dataclasses.replace(iris, fingerprint="0")},
    ):
        assert not ids(**words) & same
    assert len(ids(schedule=Linear(1, 0)) & same) == 4  # the baseline's
