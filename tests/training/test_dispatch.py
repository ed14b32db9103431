"""How a run of any problem is trained: by the loop, by a training function, or as registered."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from lrlab.errors import TrainingError
from lrlab.problems import Metric, Problem, Trainable, TrainingFunction, load_problem
from lrlab.training import Curve, Result, Run, Settings, loop, train
from lrlab.training.engines import EnsembleEngine, LoopEngine
from lrlab.training.probing import select_faster_engine
from tests.raising import raises
from tests.training.assertions import assert_same_result

RUN = Run(None, Settings(epochs=2), seed=1)


def report_seed(run: Any) -> None:
    for epoch in range(run.epochs):
        run.report(epoch, score=run.seed, loss=0.5)


@pytest.mark.parametrize(
    "problem", [load_problem("iris"), TrainingFunction(report_seed)], ids=["problem", "function"]
)
def test_problems_and_training_functions_are_trainable(problem: Trainable) -> None:
    assert isinstance(problem, Trainable)
    epochs = []
    result = train(problem, RUN, epochs.append)
    assert len(epochs) == len(result.curve) == 2
    (in_engine,) = LoopEngine().train(problem, [RUN])
    assert_same_result(in_engine, result)


def test_a_problem_is_trained_by_the_loop_and_a_function_by_itself() -> None:
    iris = load_problem("iris")
    assert_same_result(train(iris, RUN), loop.train(iris, RUN))
    assert train(TrainingFunction(report_seed), RUN).test_score == RUN.seed


PRIZE = Metric("prize", lambda outputs, targets: torch.zeros(()))


@dataclass(frozen=True)
class Lottery:
    """A problem that is neither: its score is drawn by the seed."""

    name: str = "lottery"
    fingerprint: str = "lottery 1"
    summary: str = "a draw"
    metric: Metric = PRIZE
    shuffle: bool = False
    train_rows: int = 1
    test_train_ratio: float | None = None
    data_warnings: tuple[str, ...] = ()
    has_rows: bool = False
    feeds_metrics: bool = False
    loop_only_reason: str | None = "a lottery has nothing to train together"


@pytest.fixture
def registered() -> Iterator[None]:
    @train.register
    def _draw(problem: Lottery, run: Run, *_: object, **__: object) -> Result:
        return Result(float(run.seed % 7), False, Curve.from_epochs([]), seconds=0.0)

    yield
    train.register(Lottery, train.dispatch(object))


@pytest.mark.usefixtures("registered")
def test_another_kind_of_problem_is_trained_as_registered() -> None:
    lottery = Lottery()
    assert isinstance(lottery, Trainable)
    (result,) = LoopEngine().train(lottery, [replace(RUN, seed=12)])
    assert result.test_score == 5
    choice = select_faster_engine(lottery, [RUN], EnsembleEngine())
    assert (choice.engine, choice.obstacle) == (LoopEngine(), lottery.loop_only_reason)


def test_what_nobody_can_train_is_refused() -> None:
    with raises(TrainingError, "lottery", "Lottery", "train.register"):
        train(Lottery(), RUN)
    with raises(TrainingError, "nothing to train together", '`engine="loop"`'):
        EnsembleEngine().train(Lottery(), [RUN])
    with raises(TrainingError, "lottery", "must be a Problem"):
        EnsembleEngine().train(replace(Lottery(), loop_only_reason=None), [RUN])


def test_what_lacks_a_fact_is_not_trainable() -> None:
    assert not isinstance(Problem, Trainable)  # the class itself
    assert not isinstance("iris", Trainable)
