"""Networks in the ensemble: every kind of layer, and what is left to the loop."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lrlab.errors import TrainingError
from lrlab.problems import Problem, Split
from lrlab.problems.metrics import OutputKind, make_task
from lrlab.training import Run, ensemble, loop
from tests.raising import raises
from tests.training.assertions import assert_equals_loop, assert_same_result
from tests.training.factories import (
    make_images_problem,
    make_numbers,
    make_problem,
    make_regression_problem,
    make_short_runs,
)
from tests.training.networks import NETWORKS

pytestmark = pytest.mark.slow

DECAYED = ("sgd, weight decay", "adam")


@pytest.mark.parametrize("network", NETWORKS)
def test_networks(network: str) -> None:
    model, shape = NETWORKS[network]
    assert_equals_loop(
        make_regression_problem(model, *shape),
        make_short_runs("sgd, weight decay", max_grad_norm=1.0),
    )


@pytest.mark.parametrize("network", ["tied weights", "frozen weights", "unused weight"])
def test_special_weights_with_adam(network: str) -> None:
    model, shape = NETWORKS[network]
    assert_equals_loop(make_regression_problem(model, *shape), make_short_runs("adam"))


def sample_integers(high: int, *shape: int) -> Callable[[torch.Generator, int], Tensor]:
    return lambda generator, rows: torch.randint(high, (rows, *shape), generator=generator)


@pytest.mark.parametrize(("optimizer", "padding"), [(DECAYED[0], None), (DECAYED[1], 0)])
def test_embeddings_of_whole_numbers(optimizer: str, padding: int | None) -> None:
    def model() -> nn.Module:
        layers = (nn.Embedding(7, 3, padding_idx=padding), nn.Flatten(), nn.Linear(6, 1))
        return nn.Sequential(*layers).double()

    problem = make_problem(
        sample_integers(7, 2), make_numbers, model, make_task(OutputKind.QUANTITY)
    )
    assert problem.split(0).x_train.dtype == torch.int64
    assert_equals_loop(problem, make_short_runs(optimizer))


@pytest.mark.parametrize(
    "model",
    [
        lambda: nn.Sequential(nn.Flatten(), nn.BatchNorm1d(12, momentum=None)),
        pytest.param(
            lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True),
            marks=pytest.mark.slow,
        ),
        lambda: FirstOutput(nn.GRU(4, 3, batch_first=True)),
        lambda: FirstOutput(nn.LSTM(4, 3, batch_first=True)),
        lambda: FirstOutput(nn.RNN(4, 3, batch_first=True)),
        lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)),
    ],
    ids=["average", "transformer", "gru", "lstm", "rnn", "weight norm"],
)
@pytest.mark.filterwarnings("ignore:.*enable_nested_tensor.*")
def test_networks_are_trained_right_or_rejected(model: Callable[[], nn.Module]) -> None:
    problem = make_regression_problem(lambda: nn.Sequential(model(), Mean()), 3, 4)
    try:
        ensemble.train(problem, make_short_runs("sgd, momentum")[:1])
    except TrainingError:
        with raises(TrainingError, '`engine="loop"`'):
            ensemble.train(problem, make_short_runs("sgd, momentum"))
    else:
        assert_equals_loop(problem, make_short_runs("sgd, momentum"))


class FirstOutput(nn.Module):
    """The first output of a recurrent layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.layer(x)[0]
        return outputs


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).mean(1, keepdim=True)


class Noisy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.randn_like(x) if self.training else x


class Dropping(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(x, 0.5, self.training)


@pytest.mark.parametrize("layer", [nn.Dropout(), nn.AlphaDropout(), Noisy(), Dropping()], ids=repr)
def test_random_layers_are_rejected(layer: nn.Module) -> None:
    problem = make_regression_problem(
        lambda: nn.Sequential(nn.Linear(4, 4), layer, nn.Linear(4, 1))
    )
    with raises(TrainingError, "random", '`engine="loop"`'):
        ensemble.train(problem, make_short_runs("sgd"))


def test_layers_without_a_batching_rule_are_rejected() -> None:
    problem = make_regression_problem(
        lambda: nn.Sequential(nn.Linear(4, 4), nn.RReLU(), nn.Linear(4, 1))
    )
    with raises(TrainingError, "rrelu", '`engine="loop"`'):
        ensemble.train(problem, make_short_runs("sgd"))


class Choosing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.head(x)
        return y if y.sum() > 0 else 2 * y


class Reading(Choosing):
    def forward(self, x: Tensor) -> Tensor:
        y = self.head(x)
        return y / (1 + float(y.detach().abs().max()))


class Remembering(Choosing):
    """Keeps state from batch to batch outside its buffers."""

    before = 0.0

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(x) + self.before
        self.before = y.detach().mean()
        return y


class Counting(Choosing):
    """Behaves differently from its hundredth call on."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        y: Tensor = self.head(x)
        return y if self.calls < 100 else 2 * y


class Constant(Choosing):
    """Has a number that differs between seeds and is not a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = float(torch.rand(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x * self.scale)


class Gated(Choosing):
    """Keeps state from batch to batch behind a gate that is 0 at first."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.zeros(()))
        self.count = 0

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        return self.head(x) + self.gate * self.count


class Watched(Choosing):
    """Changes the gradient of its output by a hook, in training mode only."""

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(x)
        if self.training:
            y.register_hook(lambda gradient: 0.1 * gradient)
        return y


class Hooked(Choosing):
    """Changes the gradient of its weight by a hook."""

    def __init__(self) -> None:
        super().__init__()
        self.head.weight.register_hook(lambda gradient: 0.1 * gradient)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x)


@pytest.mark.parametrize("model", [Remembering, Constant, Gated, Watched, Hooked])
def test_networks_with_other_state_are_trained_right_or_rejected(
    model: Callable[[], nn.Module],
) -> None:
    problem, runs = make_regression_problem(model), make_short_runs("sgd")
    try:
        results = ensemble.train(problem, runs)
    except TrainingError:
        return
    for run, result in zip(runs, results, strict=True):
        assert_same_result(result, loop.train(problem, run))


class Gathering(Choosing):
    """Has outputs that depend on the other rows, but not with the initial weights."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x) + self.gate * x.mean()


def test_rows_are_evaluated_together_if_they_may_depend_on_each_other() -> None:
    assert_equals_loop(
        make_regression_problem(Gathering, rows=300), make_short_runs("sgd", validation_size=0.5)
    )


@pytest.mark.parametrize("model", [Choosing, Reading])
def test_networks_that_depend_on_values_are_rejected(
    model: Callable[[], nn.Module],
) -> None:
    with raises(TrainingError, '`engine="loop"`'):
        ensemble.train(make_regression_problem(model), make_short_runs("sgd"))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.complex128])
def test_other_types_than_float32_and_float64_are_rejected(dtype: torch.dtype) -> None:
    class Typed(Choosing):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(4, dtype=dtype))

        def forward(self, x: Tensor) -> Tensor:
            return self.head(x * self.scale.real.double())

    problem = make_regression_problem(Choosing)
    with raises(TrainingError, "float64", dtype, '`engine="loop"`'):
        ensemble.train(
            replace(problem, model=lambda: convert_children_to_float64(Typed())),
            make_short_runs("sgd"),
        )


def convert_children_to_float64(model: nn.Module) -> nn.Module:
    for child in model.children():
        child.double()
    return model


def test_seeds_with_different_numbers_of_rows_are_rejected() -> None:
    problem = make_regression_problem(nn.Flatten, 1)

    def split(seed: int) -> Split:
        rows = problem.split(seed)
        return replace(rows, x_test=rows.x_test[seed:], y_test=rows.y_test[seed:])

    runs = make_short_runs("sgd")
    with raises(TrainingError, "29 and 30", '`engine="loop"`'):
        ensemble.train(replace(problem, split=split, model=lambda: nn.Linear(1, 1).double()), runs)


def make_trainers(problem: Problem, runs: list[Run]) -> list[Callable[[], Any]]:
    return [lambda: loop.train(problem, runs[0]), lambda: ensemble.train(problem, runs)]


def test_a_network_without_weights_is_rejected_like_in_the_loop() -> None:
    for train in make_trainers(make_regression_problem(nn.Flatten, 1), make_short_runs("sgd")):
        with pytest.raises(ValueError, match="parameter"):
            train()


def test_a_batch_of_one_row_cannot_be_normalized_like_in_the_loop() -> None:
    model, shape = NETWORKS["batch norm"]
    problem = make_regression_problem(model, *shape, rows=17)
    for train in make_trainers(problem, make_short_runs("sgd", validation_size=0.0, batch_size=16)):
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            train()


def test_a_batch_of_one_image_is_normalized() -> None:
    runs = make_short_runs("sgd, momentum", validation_size=0.0, batch_size=43)
    assert_equals_loop(make_images_problem(), runs)


class Scaling:
    """Builds models, or is a loss or metric, that depend on its number; has no hash."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scaling)

    def model(self) -> nn.Module:
        return Scaled(self.factor).double()

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (self.factor * outputs - targets).square().mean()


class Scaled(Choosing):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * self.head(x)


def test_changed_networks_and_losses_are_noticed() -> None:
    basic = make_regression_problem(Choosing)
    builder, loss, metric = Scaling(1.0), Scaling(1.0), Scaling(1.0)
    task = replace(basic.task, loss=loss, metric=replace(basic.task.metric, fn=metric))
    problem = replace(basic, model=builder.model, task=task)
    scores = [assert_equals_loop(problem, make_short_runs("sgd"))[0].test_score]
    builder.factor = 2.0
    scores.append(assert_equals_loop(problem, make_short_runs("sgd"))[0].test_score)
    loss.factor = 2.0
    scores.append(assert_equals_loop(problem, make_short_runs("sgd"))[0].test_score)
    metric.factor = 2.0
    scores.append(assert_equals_loop(problem, make_short_runs("sgd"))[0].test_score)
    assert len(set(scores)) == 4
