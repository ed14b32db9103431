"""Plans: what is asked for is checked before anything is trained, and comes back from text."""

import json

import pytest

from lrlab import Constant, Cosine, Custom, Formula, Linear, Plateau, Rate, one_cycle
from lrlab.errors import LrlabError, ScheduleError, StudyError, TrainingError
from lrlab.problems import Problem, load
from lrlab.studies import BASELINE, Plan, Protocol, cross, default_schedules, plan, planned
from lrlab.training import Settings
from lrlab.training.engines import Engine


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load("iris")


def test_a_schedule_named_twice_stands_once(iris: Problem) -> None:
    study = plan(iris, [Cosine(), Constant(1), Cosine()], Settings())
    assert study.schedules == (BASELINE, Cosine())


def test_a_plan_comes_back_from_its_text(iris: Problem) -> None:
    grid = cross(Settings(optimizer="adam", betas=(0.8, 0.9), validation=0.2), [0.01, 0.1], [0])
    engine = Engine("ensemble")
    before = plan(iris, [one_cycle(), Cosine(end=Rate(1e-5))], grid, Protocol(7, 3, 1), engine)
    after = Plan.read(json.loads(json.dumps(before.described())), iris, engine)
    assert (after.schedules, after.grid, after.protocol) == (
        before.schedules, before.grid, before.protocol,
    )  # fmt: skip
    assert after.id == before.id


def test_studies_that_differ_have_other_ids(iris: Problem) -> None:
    grid = cross(Settings(validation=0.2), [0.01, 0.1], [0])
    ids = [
        plan(iris, [Cosine()], grid).id,
        plan(iris, [Linear(1, 0)], grid).id,
        plan(iris, [Cosine()], grid[:1]).id,
        plan(iris, [Cosine()], grid, Protocol(score="best")).id,
        plan(iris, [Cosine()], grid, Protocol(seeds=31)).id,
        plan(iris, [Cosine()], grid, Protocol(tuning_seeds=11)).id,
        plan(iris, [Cosine()], grid, engine=Engine("ensemble")).id,
        plan(load("wine"), [Cosine()], grid).id,
    ]
    assert len(set(ids)) == len(ids)
    alone = [plan(iris, [Cosine()], Settings(), Protocol(tuning_seeds=n)).id for n in (10, 11)]
    assert alone[0] == alone[1]  # where nothing is tuned, nothing depends on it


@pytest.mark.parametrize("per", ["epoch", "step"])
def test_the_default_schedules_have_peak_1_and_decay_per_epoch(iris: Problem, per: str) -> None:
    settings = Settings(per=per, validation=0.2)
    steps = settings.steps_per_epoch(iris.train_rows)
    chosen = default_schedules(settings)
    assert len(chosen) == 12
    assert chosen[0] == BASELINE
    tutorial = (Linear(1.0, 0.5, over=30), Formula("0.99**t"), Formula("1 / (1 + 0.01*t)"))
    for schedule, expected in zip(chosen[1:4], tutorial, strict=True):
        rates = settings.bind(schedule, iris.train_rows)([e * steps for e in range(50)])
        assert rates == pytest.approx(expected(range(50)), rel=1e-12)
    for schedule in chosen:
        bound = settings.bind(schedule, iris.train_rows)
        assert bound(range(50 * steps)).max() == pytest.approx(1, abs=1e-12)
    assert plan(iris, chosen, cross(settings, [0.1, 0.2], [0])).schedules == chosen


def test_where_rates_are_tuned_all_schedules_have_peak_1(iris: Problem) -> None:
    low, absolute = Formula("0.1 / (1 + 0.01*t)"), Cosine(start=0.5, end=Rate(1e-5))
    grid = cross(Settings(validation=0.2), [0.1, 0.2], [0])
    _, tuned, left = plan(iris, [low, absolute], grid).schedules
    assert tuned(range(50)) == pytest.approx(10 * low(range(50)))
    assert left == absolute
    assert plan(iris, [low], Settings()).schedules[1] == low  # as published


def test_what_words_leave_out(iris: Problem) -> None:
    usual = planned(iris)
    assert len(usual.schedules) == 12
    assert len(usual.grid) == 5 * 2
    assert {s.validation for s in usual.grid} == {0.2}
    adam = planned(iris, optimizer="adam")
    assert (len(adam.grid), {s.momentum for s in adam.grid}) == (5, {0.0})
    published = planned(iris, [Cosine()], tune=False)
    assert published.grid == (Settings(),)
    best = planned(iris, [Cosine()], tune=False, protocol=Protocol(score="best"))
    assert best.grid == (Settings(validation=0.2),)
    single = planned(iris, [Cosine()], rates=[0.3], momenta=[0.9])
    assert single.grid == (Settings(lr=0.3, momentum=0.9),)


def test_what_cannot_be_planned(iris: Problem) -> None:
    several = cross(Settings(), [0.1, 0.2], [0])
    refused: list[tuple[type[LrlabError], str, object]] = [
        (StudyError, "seeds must be a whole number from 1 to 100000, got 0", lambda: Protocol(0)),
        (StudyError, "from 1 to 100000, got 1.5", lambda: Protocol(tuning_seeds=1.5)),
        (StudyError, "final or best, got fnal; did you", lambda: Protocol(score="fnal")),
        (ScheduleError, "cannot be written as text",
         lambda: plan(iris, [Custom(lambda t: 1.0)], Settings())),
        (ScheduleError, "at t = 4 it gives -1", lambda: plan(iris, [Formula("3 - t")], Settings())),
        (TrainingError, "the accuracy of rows held out",
         lambda: plan(iris, [Plateau(mode="max")], Settings())),
        (TrainingError, "leaves none to train on",
         lambda: plan(iris, [Cosine()], Settings(validation=0.999))),
        (StudyError, "the best of 2 settings .lr. is chosen by rows held out",
         lambda: plan(iris, [Cosine()], several)),
        (StudyError, "the best epoch of a run is chosen by rows held out",
         lambda: plan(iris, [Cosine()], Settings(), Protocol(score="best"))),
        (StudyError, "is 0 at each of its 1 steps, so it has no peak",
         lambda: planned(iris, [Linear(0.0, 1.0, over=1)], epochs=1)),
        (StudyError, "there is nothing to compare", lambda: planned(iris, [Constant(1.0)])),
        (StudyError, "no setting epoch; did you mean epochs", lambda: planned(iris, epoch=3)),
        (StudyError, "one rate and one momentum, got 2",
         lambda: planned(iris, tune=False, rates=[0.1, 0.2])),
    ]  # fmt: skip
    for kind, said, asked in refused:
        with pytest.raises(kind, match=said):
            asked()
