"""Any network in the ensemble."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lrlab.errors import TrainingError
from lrlab.problems.metrics import make_regression_task
from lrlab.training import ensemble
from tests.training.cases import briefly, made, one_number, squares
from tests.training.equality import assert_like_the_loop
from tests.training.networks import NETWORKS

DECAYED = ("sgd, weight decay", "adam")


@pytest.mark.parametrize("network", NETWORKS)
def test_networks(network: str) -> None:
    model, shape = NETWORKS[network]
    assert_like_the_loop(squares(model, *shape), briefly("sgd, weight decay", max_grad_norm=1.0))


@pytest.mark.parametrize("network", ["tied weights", "frozen weights", "an unused weight"])
def test_weights_of_their_own_kind(network: str) -> None:
    model, shape = NETWORKS[network]
    assert_like_the_loop(squares(model, *shape), briefly("adam"))


def integers(rows: int, *shape: int) -> Callable[[torch.Generator, int], Tensor]:
    return lambda generator, rows_: torch.randint(rows, (rows_, *shape), generator=generator)


@pytest.mark.parametrize(("optimizer", "padding"), [(DECAYED[0], None), (DECAYED[1], 0)])
def test_embeddings_of_whole_numbers(optimizer: str, padding: int | None) -> None:
    def model() -> nn.Module:
        layers = (nn.Embedding(7, 3, padding_idx=padding), nn.Flatten(), nn.Linear(6, 1))
        return nn.Sequential(*layers).double()

    problem = made(integers(7, 2), one_number, model, make_regression_task())
    assert problem.split(0).x_train.dtype == torch.int64
    assert_like_the_loop(problem, briefly(optimizer))


@pytest.mark.parametrize(
    "model",
    [
        lambda: nn.Sequential(nn.Flatten(), nn.BatchNorm1d(12, momentum=None)),
        lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True),
        lambda: First(nn.GRU(4, 3, batch_first=True)),
        lambda: First(nn.LSTM(4, 3, batch_first=True)),
        lambda: First(nn.RNN(4, 3, batch_first=True)),
        lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)),
    ],
    ids=["average", "transformer", "gru", "lstm", "rnn", "weight norm"],
)
@pytest.mark.filterwarnings("ignore:.*enable_nested_tensor.*")
def test_what_is_trained_at_all_is_trained_right(model: Callable[[], nn.Module]) -> None:
    problem = squares(lambda: nn.Sequential(model(), Mean()), 3, 4)
    try:
        ensemble.train(problem, briefly("sgd, momentum")[:1])
    except TrainingError:
        with pytest.raises(TrainingError, match="loop"):
            ensemble.train(problem, briefly("sgd, momentum"))
    else:
        assert_like_the_loop(problem, briefly("sgd, momentum"))


class First(nn.Module):
    """What a recurrent layer gives first."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.layer(x)[0]
        return outputs


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).mean(1, keepdim=True)
