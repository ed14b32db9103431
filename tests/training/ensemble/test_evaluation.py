"""Every kind of loss and metric in the ensemble."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn.functional import nll_loss

from lrlab.problems import Split
from lrlab.problems.metrics import Metric, OutputKind, Task, make_task
from tests.training.assertions import assert_equals_loop
from tests.training.factories import (
    make_numbers,
    make_problem,
    make_regression_problem,
    make_short_runs,
    make_three_classes,
    make_two_classes,
    sample_normal,
)

pytestmark = pytest.mark.slow

Loss = Callable[[Tensor, Tensor], Tensor]


def assert_trained_like_loop(
    task: Task, target: Any, loss: Loss, last: Callable[[], nn.Module]
) -> None:
    def model() -> nn.Module:
        layers = (nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, task.output_shape[0]), last())
        return nn.Sequential(*layers).double()

    problem = make_problem(sample_normal(4), target, model, replace(task, loss=loss))
    assert_equals_loop(problem, make_short_runs("sgd, weight decay"))


@pytest.mark.parametrize("loss", [nn.BCELoss(), nn.MSELoss()], ids=repr)
def test_losses_of_a_probability(loss: Loss) -> None:
    assert_trained_like_loop(make_task(OutputKind.PROBABILITY), make_two_classes, loss, nn.Sigmoid)


@pytest.mark.parametrize(
    "loss",
    [nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0]).double()), nn.SoftMarginLoss()],
    ids=repr,
)
def test_losses_of_two_classes(loss: Loss) -> None:
    assert_trained_like_loop(make_task(OutputKind.LOGIT), make_two_classes, loss, nn.Identity)


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(label_smoothing=0.2),
        nn.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0, 0.2]).double()),
        nn.CrossEntropyLoss(reduction="sum"),
        nn.MultiMarginLoss(),
        lambda outputs, y: nll_loss(outputs.log_softmax(1), y),
    ],
    ids=["smoothed", "weighted", "sum", "margin", "a function"],
)
def test_losses_of_several_classes(loss: Loss) -> None:
    assert_trained_like_loop(
        make_task(OutputKind.CLASS_SCORES, (3,)), make_three_classes, loss, nn.Identity
    )


@pytest.mark.parametrize(
    "loss",
    [
        nn.SmoothL1Loss(beta=0.3),
        nn.HuberLoss(delta=0.2),
        nn.L1Loss(),
        lambda outputs, y: (outputs - y).abs().pow(1.5).mean(),
        lambda outputs, y: (outputs - y).square().sum(),
    ],
    ids=["smooth", "huber", "absolute", "a function", "a sum"],
)
def test_losses_of_regression(loss: Loss) -> None:
    assert_trained_like_loop(make_task(OutputKind.QUANTITY), make_numbers, loss, nn.Identity)


def test_a_loss_may_weight_the_rows_of_a_batch() -> None:
    # The last batch of an epoch is smaller.
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        weights = torch.arange(1, len(outputs) + 1, dtype=torch.float64)[:, None]
        return ((outputs - targets).square() * weights).sum() / weights.sum()

    problem = make_regression_problem(lambda: nn.Linear(4, 1))
    problem = replace(problem, task=replace(problem.task, loss=loss))
    assert_equals_loop(problem, make_short_runs("adam"))


@pytest.mark.parametrize(
    "metric",
    [
        lambda outputs, y: float((outputs - y).abs().max()),
        lambda outputs, y: roc_auc_score(y > 0, outputs.numpy()),
        lambda outputs, y: outputs.sub(y).abs().median(),
        lambda outputs, y: (outputs.flatten().argsort() == y.flatten().argsort()).double().mean(),
        lambda outputs, y: outputs[(y > 0).flatten()].mean(),
    ],
    ids=["a float", "of scikit-learn", "a median", "ranks", "selected rows"],
)
def test_metrics(metric: Callable[[Tensor, Tensor], Any]) -> None:
    problem = make_regression_problem(lambda: nn.Linear(4, 1))
    task = replace(problem.task, metric=Metric("own", metric))
    assert_equals_loop(replace(problem, task=task), make_short_runs("sgd", validation_size=0.3))


def test_many_test_rows_that_depend_on_each_other() -> None:
    # There are more test rows than in a chunk, and their mean is part of every output.
    problem = make_regression_problem(lambda: nn.Sequential(nn.Linear(4, 1), Centered()))

    def split(seed: int) -> Split:
        rows = problem.split(seed)
        return replace(
            rows,
            x_test=rows.x_test.repeat(10, 1) * torch.linspace(1, 5, 300)[:, None],
            y_test=rows.y_test.repeat(10, 1),
        )

    assert_equals_loop(replace(problem, split=split), make_short_runs("sgd"))


class Centered(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(0)


def test_outputs_may_be_one_number_per_row() -> None:
    def flat(x: Tensor, generator: torch.Generator) -> Tensor:
        return make_numbers(x, generator).flatten()

    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(4, 1), nn.Flatten(0)).double()

    runs = make_short_runs("sgd, momentum", epochs=9)
    diverging = [replace(run, settings=replace(run.settings, lr=1e38)) for run in runs]
    results = assert_equals_loop(
        make_problem(sample_normal(4), flat, model, make_task(OutputKind.QUANTITY)),
        runs + diverging,
    )
    assert [result.diverged for result in results] == [False] * 4 + [True] * 4
