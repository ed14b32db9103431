"""Which number of an epoch schedules read: never one of the test rows."""

from dataclasses import replace

import pytest

from lrlab import Constant, Cosine, Greedy, Plateau, Schedule, Warmup
from lrlab.errors import TrainingError
from lrlab.problems import Problem, load_problem
from lrlab.training import Epoch, Settings
from lrlab.training.loop import select_schedule_metric

EPOCH = Epoch(3, 0.1, 0.1, loss=1.0, test_score=2.0, validation_loss=3.0, validation_score=4.0)
ALONE = replace(EPOCH, validation_loss=None, validation_score=None)
HELD, NONE_HELD = Settings(validation_size=0.2), Settings()
RISING = Plateau(mode="max")


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


@pytest.mark.parametrize(
    ("schedules", "settings", "epoch", "number"),
    [
        ([Plateau()], HELD, EPOCH, 3.0),
        ([Plateau()], NONE_HELD, ALONE, 1.0),
        ([RISING], HELD, EPOCH, 4.0),
        ([Warmup(3) >> Greedy() * Constant(0.5), Plateau(0.5)], HELD, EPOCH, 3.0),
        ([Warmup(3) >> RISING, Greedy(mode="max")], HELD, EPOCH, 4.0),
        ([Cosine()], NONE_HELD, ALONE, 1.0),
    ],
)
def test_what_is_read(
    iris: Problem, schedules: list[Schedule], settings: Settings, epoch: Epoch, number: float
) -> None:
    assert select_schedule_metric(schedules, settings, iris)(epoch) == number


def test_what_cannot_be_read(iris: Problem) -> None:
    with pytest.raises(TrainingError, match=r"must all read the same metric, but .*one mode\."):
        select_schedule_metric([Plateau(), Warmup(2) >> RISING], HELD, iris)
    with pytest.raises(TrainingError, match=r'Plateau\(mode="max"\) reads the accuracy of rows'):
        select_schedule_metric([Cosine(), RISING], NONE_HELD, iris)
    with pytest.raises(TrainingError, match="RMSE is better when it falls"):
        select_schedule_metric([RISING], HELD, load_problem("diabetes"))
