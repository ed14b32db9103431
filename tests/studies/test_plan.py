"""Plans: which runs, and what their ids depend on."""

import dataclasses

import numpy as np
import pytest

from lrlab import Constant, Cosine, Custom, Formula, Linear, Plateau, Warmup
from lrlab.errors import ScheduleError, StudyError, TrainingError
from lrlab.problems import Problem, load
from lrlab.studies import BASELINE, cross, default_schedules, plan
from lrlab.training import Settings
from lrlab.training.engines import Engine


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load("iris")


def test_every_schedule_runs_over_the_same_seeds(iris: Problem) -> None:
    study = plan(iris, [Cosine(), Linear(1, 0)], Settings(), seeds=3)
    assert study.schedules == (BASELINE, Cosine(), Linear(1, 0))
    assert [(run.schedule, run.seed) for run in study.runs.values()] == [
        (schedule, seed) for schedule in study.schedules for seed in range(3)
    ]


def test_a_grid_is_crossed_with_schedules_and_seeds(iris: Problem) -> None:
    grid = cross(Settings(validation=0.2), [0.1, 0.3, 1], [0, 0.9])
    study = plan(iris, [Cosine()], grid, seeds=4)
    assert len(study.runs) == 2 * 6 * 4
    groups = study.by_candidate(study.runs)
    for (schedule, settings), runs in groups.items():
        assert [(r.schedule, r.settings, r.seed) for r in runs] == [
            (schedule, settings, seed) for seed in range(4)
        ]
    assert list(groups) == [(s, settings) for s in study.schedules for settings in grid]
    assert study.by_schedule(study.runs)[Cosine()] == list(study.runs.values())[24:]


def test_runs_of_the_loop_have_the_ids_they_always_had(iris: Problem) -> None:
    problem = dataclasses.replace(iris, fingerprint="0")
    assert list(plan(problem, [Cosine()], Settings(), seeds=2).runs) == [
        "798a4abb649f7f3b8cab128a023c4eed",
        "1761604214f550775233d574fdf80f04",
        "fd8d785422c8c085826adf1ad2f19217",
        "468ed105389eb6cc79577274162224a1",
    ]
    settings = Settings(lr=0.2, momentum=0.9, per="step")
    assert list(plan(problem, [Cosine()], settings, seeds=1).runs) == [
        "58399a5513694481459f7e1c516b9a5f",
        "42753b9f92bd53a9038293dfe074b6f9",
    ]


def test_a_schedule_named_twice_runs_once(iris: Problem) -> None:
    study = plan(iris, [Cosine(), Constant(1), Cosine()], Settings(), seeds=1)
    assert study.schedules == (BASELINE, Cosine())


def test_ids_depend_on_all_that_numbers_depend_on_and_nothing_else(iris: Problem) -> None:
    def ids(**words: object) -> set[str]:
        problem = words.pop("problem", iris)
        seeds = words.pop("seeds", 2)
        schedule = words.pop("schedule", Cosine())
        engine = words.pop("engine", Engine("loop"))
        return set(plan(problem, [schedule], Settings(**words), seeds, engine).runs)

    same = ids()
    assert len(same) == 4
    assert ids(problem=dataclasses.replace(iris, name="flowers", summary="x")) == same
    assert ids(lr=np.float64(0.1), momentum=0, epochs=np.int64(50)) == same
    assert ids(seeds=3) > same
    for words in (
        {"lr": 0.2},
        {"momentum": 0.9},
        {"optimizer": "adam"},
        {"epochs": 49},
        {"batch_size": 23},
        {"per": "step"},
        {"shuffle": False},
        {"validation": 0.2},
        {"engine": Engine("ensemble")},
        {"problem": dataclasses.replace(iris, fingerprint="0")},
    ):
        assert not ids(**words) & same
    assert len(ids(schedule=Linear(1, 0)) & same) == 2  # the baseline's


@pytest.mark.parametrize("per", ["epoch", "step"])
def test_the_default_schedules_decay_per_epoch_however_they_are_stepped(
    iris: Problem, per: str
) -> None:
    settings = Settings(per=per)
    steps = settings.steps_per_epoch(iris.train_rows)
    chosen = default_schedules(settings)
    assert len(chosen) == 6
    assert chosen[0] == BASELINE
    tutorial = (Linear(1.0, 0.5, over=30), Formula("0.99**t"), Formula("1 / (1 + 0.01*t)"))
    for schedule, expected in zip(chosen[1:4], tutorial, strict=True):
        rates = settings.bind(schedule, iris.train_rows)([e * steps for e in range(50)])
        assert rates == pytest.approx(expected(range(50)), rel=1e-12)
    assert chosen[4:] == (Cosine(), Warmup("10%") >> Cosine())


def test_what_cannot_be_planned(iris: Problem) -> None:
    with pytest.raises(StudyError, match="from 1 to 100000 seeds, got 0"):
        plan(iris, [], Settings(), seeds=0)
    with pytest.raises(ScheduleError, match="cannot be written as text"):
        plan(iris, [Custom(lambda t: 1.0)], Settings(), seeds=1)
    with pytest.raises(ScheduleError, match="at t = 4 it gives -1"):
        plan(iris, [Formula("3 - t")], Settings(), seeds=1)
    with pytest.raises(TrainingError, match="the accuracy of rows held out"):
        plan(iris, [Plateau(mode="max")], Settings(), seeds=1)
    with pytest.raises(TrainingError, match="leaves none to train on"):
        plan(iris, [Cosine()], Settings(validation=0.999), seeds=1)
