"""Plans: checked before training, written and read back; seeds and default schedules."""

import json

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from lrlab import Absolute, Constant, Cosine, Custom, Formula, Linear, Plateau, one_cycle
from lrlab.errors import ScheduleError, StudyError, TrainingError
from lrlab.lab import plan_study
from lrlab.problems import Problem, load_problem
from lrlab.studies import BASELINE, Plan, Protocol, build_default_schedules, build_grid, build_plan
from lrlab.studies.plan.plan import FINAL_STREAM, TUNING_STREAM, draw_seeds
from lrlab.training import Settings
from lrlab.training.engines import EnsembleEngine
from tests.raising import raises


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


def test_duplicate_schedules_are_dropped(iris: Problem) -> None:
    plan = build_plan(iris, [Cosine(), Constant(1), Cosine()], Settings())
    assert plan.schedules == (BASELINE, Cosine())


def test_written_plans_are_read_back(iris: Problem) -> None:
    grid = build_grid(
        Settings(optimizer="adam", betas=(0.8, 0.9), validation_size=0.2), [0.01, 0.1], [0]
    )
    engine = EnsembleEngine()
    before = build_plan(
        iris, [one_cycle(), Cosine(end=Absolute(1e-5))], grid, Protocol(7, 3, 1), engine
    )
    after = Plan.from_dict(json.loads(json.dumps(before.to_dict())), iris, engine)
    assert (after.schedules, after.grid, after.protocol) == (
        before.schedules, before.grid, before.protocol,
    )  # fmt: skip
    assert after.id == before.id


def test_different_studies_have_different_ids(iris: Problem) -> None:
    grid = build_grid(Settings(validation_size=0.2), [0.01, 0.1], [0])
    ids = [
        build_plan(iris, [Cosine()], grid).id,
        build_plan(iris, [Linear(1, 0)], grid).id,
        build_plan(iris, [Cosine()], grid[:1]).id,
        build_plan(iris, [Cosine()], grid, Protocol(score="best")).id,
        build_plan(iris, [Cosine()], grid, Protocol(seeds=31)).id,
        build_plan(iris, [Cosine()], grid, Protocol(tuning_seeds=11)).id,
        build_plan(iris, [Cosine()], grid, engine=EnsembleEngine()).id,
        build_plan(load_problem("wine"), [Cosine()], grid).id,
    ]
    assert len(set(ids)) == len(ids)
    without_tuning = [
        build_plan(iris, [Cosine()], Settings(), Protocol(tuning_seeds=n)).id for n in (10, 11)
    ]
    assert without_tuning[0] == without_tuning[1]


@pytest.mark.parametrize("step_every", ["epoch", "step"])
def test_default_schedules_have_a_peak_of_1_and_decay_per_epoch(
    iris: Problem, step_every: str
) -> None:
    settings = Settings(step_every=step_every, validation_size=0.2)
    steps = settings.count_steps_per_epoch(iris.train_rows)
    schedules = build_default_schedules(settings)
    assert len(schedules) == 12
    assert schedules[0] == BASELINE
    tutorial = (Linear(1.0, 0.5, over=30), Formula("0.99**t"), Formula("1 / (1 + 0.01*t)"))
    for schedule, expected in zip(schedules[1:4], tutorial, strict=True):
        factors = settings.bind(schedule, iris.train_rows)([e * steps for e in range(50)])
        assert factors == pytest.approx(expected(range(50)), rel=1e-12)
    for schedule in schedules:
        bound = settings.bind(schedule, iris.train_rows)
        assert bound(range(50 * steps)).max() == pytest.approx(1, abs=1e-12)
    plan = build_plan(iris, schedules, build_grid(settings, [0.1, 0.2], [0]))
    assert plan.schedules == schedules


def test_tuned_schedules_are_scaled_to_a_peak_of_1(iris: Problem) -> None:
    low, absolute = Formula("0.1 / (1 + 0.01*t)"), Cosine(start=0.5, end=Absolute(1e-5))
    grid = build_grid(Settings(validation_size=0.2), [0.1, 0.2], [0])
    _, scaled, unchanged = build_plan(iris, [low, absolute], grid).schedules
    assert scaled(range(50)) == pytest.approx(10 * low(range(50)))
    assert unchanged == absolute
    assert build_plan(iris, [low], Settings()).schedules[1] == low


INVALID_PLANS = {
    "no seeds": (StudyError, ["seeds", 0], lambda _: Protocol(0)),
    "half a seed": (StudyError, ["tuning_seeds", 1.5], lambda _: Protocol(tuning_seeds=1.5)),
    "many extensions": (StudyError, ["grid_extensions", 21], lambda _: Protocol(1, 1, 21)),
    "score": (StudyError, ["score", "fnal", "final"], lambda _: Protocol(score="fnal")),
    "not a text": (
        ScheduleError,
        ["cannot be written as text"],
        lambda iris: build_plan(iris, [Custom(lambda t: 1.0)], Settings()),
    ),
    "below zero": (
        ScheduleError,
        ["t = 4", "-1"],
        lambda iris: build_plan(iris, [Formula("3 - t")], Settings()),
    ),
    "no metric": (
        TrainingError,
        ["accuracy", "validation_size"],
        lambda iris: build_plan(iris, [Plateau(mode="max")], Settings()),
    ),
    "no training rows": (
        TrainingError,
        ["validation_size", 0.999],
        lambda iris: build_plan(iris, [Cosine()], Settings(validation_size=0.999)),
    ),
    "no validation rows to tune": (
        StudyError,
        ["2 settings (lr)", "validation_size"],
        lambda iris: build_plan(iris, [Cosine()], build_grid(Settings(), [0.1, 0.2], [0])),
    ),
    "no validation rows to select epochs": (
        StudyError,
        ["epoch", "validation_size"],
        lambda iris: build_plan(iris, [Cosine()], Settings(), Protocol(score="best")),
    ),
    "no peak": (
        StudyError,
        [Linear(0.0, 1.0, over=1), "0 at each of its 1 steps"],
        lambda iris: plan_study(iris, [Linear(0.0, 1.0, over=1)], epochs=1),
    ),
    "baseline alone": (
        StudyError,
        ["nothing to compare", BASELINE],
        lambda iris: plan_study(iris, [Constant(1.0)]),
    ),
    "two settings untuned": (
        StudyError,
        ["tuning", "2 settings", "`tune=False`"],
        lambda iris: plan_study(iris, tune=False, lr=[0.1, 0.2]),
    ),
}


@pytest.mark.parametrize("name", INVALID_PLANS)
def test_invalid_plans_are_rejected(iris: Problem, name: str) -> None:
    error, mentions, build = INVALID_PLANS[name]
    with raises(error, *mentions):
        build(iris)


@given(study_seed=integers(0, 2**63 - 1), count=integers(1, 400))
def test_seeds_of_a_study_are_distinct(study_seed: int, count: int) -> None:
    tuning, final = (draw_seeds(study_seed, s, count) for s in (TUNING_STREAM, FINAL_STREAM))
    assert len({*tuning, *final}) == 2 * count
    assert all(0 <= seed < 2**32 for seed in (*tuning, *final))


@given(study_seed=integers(0, 1000), count=integers(1, 50), more=integers(0, 300))
def test_a_larger_count_appends_seeds(study_seed: int, count: int, more: int) -> None:
    seeds = draw_seeds(study_seed, FINAL_STREAM, count + more)
    assert seeds[:count] == draw_seeds(study_seed, FINAL_STREAM, count)


def test_seeds_that_are_drawn_twice_are_replaced() -> None:
    # Of 200 000 seeds out of 2^31, about nine are drawn twice.
    seeds = draw_seeds(0, TUNING_STREAM, 200_000)
    assert len(set(seeds)) == 200_000
    assert seeds[:150_000] == draw_seeds(0, TUNING_STREAM, 150_000)


def test_seeds_of_two_studies_differ() -> None:
    assert not set(draw_seeds(0, FINAL_STREAM, 100)) & set(draw_seeds(1, FINAL_STREAM, 100))
