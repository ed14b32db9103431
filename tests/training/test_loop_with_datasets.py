"""The loop on torch data sets: against plain PyTorch with a DataLoader, and against arrays."""

import random
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

import lrlab
from lrlab import Cosine, Problem
from lrlab.errors import TrainingError
from lrlab.problems import derive_seeds
from lrlab.testing import check_problem
from lrlab.training import Run, Settings, loop, probing
from lrlab.training.engines import Engine, EnsembleEngine, LoopEngine
from tests.raising import raises
from tests.training.assertions import assert_same_result, assert_same_weights

ROWS = 75
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(ROWS, 4, generator=GENERATOR, dtype=torch.float64)
CLASSES = torch.bucketize(X[:, 0] + 0.5 * X[:, 1], torch.tensor([-0.5, 0.5]).double())
QUANTITY = X[:, :1].sin() + 0.1 * X[:, 1:2]
SETTINGS = Settings(lr=0.05, epochs=4, batch_size=8, momentum=0.9)


def build_classifier() -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)
    ).double()


def build_regressor() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()


CLASSIFICATION = TensorDataset(X, CLASSES)
REGRESSION = TensorDataset(X, QUANTITY)


class Augmented(Dataset[Any]):
    """Rows with noise from torch's, NumPy's and Python's random numbers."""

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        noise = float(torch.randn(())) + np.random.normal() + random.gauss()  # noqa: NPY002
        return X[index] + 0.1 * noise, int(CLASSES[index])


def test_a_run_equals_a_plain_loop_over_a_data_loader() -> None:
    fixed_test = Subset(CLASSIFICATION, range(60, ROWS))
    train_items = Subset(CLASSIFICATION, range(60))
    problem = Problem.from_datasets(train_items, fixed_test, build_classifier, in_memory=False)
    seeds = derive_seeds(3)

    torch.manual_seed(seeds.weights)
    model = build_classifier()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    order = torch.Generator().manual_seed(seeds.batch_order)
    losses = []
    for _ in range(4):
        model.train()
        batches = torch.randperm(60, generator=order).split(8)
        loader = DataLoader(train_items, batch_sampler=[batch.tolist() for batch in batches],
                            generator=torch.Generator())  # fmt: skip
        total = 0.0
        for x, y in loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        losses.append(total / 60)
    model.eval()
    with torch.no_grad():
        correct = sum(
            int((model(x).argmax(1) == y).sum()) for x, y in DataLoader(fixed_test, batch_size=8)
        )

    ours, result = loop.train_and_get_model(problem, Run(None, SETTINGS, seed=3))
    for name, weight in model.state_dict().items():
        assert torch.equal(ours.state_dict()[name], weight)
    np.testing.assert_allclose(result.curve.get_column("loss"), losses, rtol=1e-14)
    assert result.test_score == pytest.approx(correct / 15)


@pytest.mark.parametrize("test_items", [None, "fixed"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"shuffle": False, "batch_size": 200},
        {"validation_size": 0.2, "step_every": "step"},
        {"optimizer": "adam", "momentum": 0.0, "max_grad_norm": 0.5},
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_batches_of_a_data_set_train_like_arrays(
    kind: str, changes: dict[str, Any], test_items: str | None
) -> None:
    items = CLASSIFICATION if kind == "classification" else REGRESSION
    model = build_classifier if kind == "classification" else build_regressor
    test_set = None
    if test_items:
        items, test_set = Subset(items, range(60)), Subset(items, range(60, ROWS))
    problems = [
        Problem.from_datasets(items, test_set, model, in_memory=in_memory)
        for in_memory in (True, False)
    ]
    run = Run(Cosine(), replace(SETTINGS, **changes), seed=1)
    (expected_model, expected), (loaded_model, result) = (
        loop.train_and_get_model(problem, run) for problem in problems
    )
    assert_same_result(result, expected)
    assert_same_weights(loaded_model.state_dict(), expected_model)


def test_a_run_with_random_transforms_gives_the_same_bits_again() -> None:
    problems = [
        Problem.from_datasets(Augmented(), CLASSIFICATION, build_classifier) for _ in range(2)
    ]
    curves = []
    for problem in (problems[0], problems[0], problems[1]):
        torch.manual_seed(len(curves))
        random.seed(len(curves))
        curves.append(loop.train(problem, Run(Cosine(), SETTINGS, seed=1)).curve)
    assert curves[0] == curves[1] == curves[2]
    assert curves[0] != loop.train(problems[0], Run(Cosine(), SETTINGS, seed=2)).curve
    assert curves[0] != loop.train(
        Problem.from_datasets(CLASSIFICATION, CLASSIFICATION, build_classifier),
        Run(Cosine(), SETTINGS, seed=1),
    ).curve  # fmt: skip


@pytest.mark.integration
def test_workers_change_no_bit_of_a_run() -> None:
    curves = [
        loop.train(
            Problem.from_datasets(Augmented(), None, build_classifier, num_workers=num_workers),
            Run(Cosine(), replace(SETTINGS, validation_size=0.2), seed=1),
        ).curve
        for num_workers in (0, 2)
    ]
    assert curves[0] == curves[1]


class Recorder(nn.Module):
    """Records the inputs of training."""

    inputs: list[Tensor]

    def __init__(self, inputs: list[Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 3).double()
        self.inputs = inputs

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.inputs.append(x)
        return self.linear(x)


def test_all_runs_of_a_seed_train_on_the_same_augmented_batches() -> None:
    inputs: list[Tensor] = []
    problem = Problem.from_datasets(Augmented(), None, partial(Recorder, inputs))
    recorded = []
    for schedule, lr, momentum in ((None, 0.1, 0.0), (Cosine(), 0.01, 0.9)):
        inputs.clear()
        settings = replace(SETTINGS, lr=lr, momentum=momentum)
        loop.train(problem, Run(schedule, settings, seed=4))
        recorded.append(torch.cat(inputs))
    assert torch.equal(*recorded)
    epochs = recorded[0].chunk(4)
    assert not torch.isin(epochs[0], epochs[1]).any()  # every epoch has noise of its own


@pytest.mark.parametrize("validation_size", [0.0, 0.2])
def test_a_run_that_diverges_gets_the_dummy_scores_of_arrays(validation_size: float) -> None:
    settings = replace(SETTINGS, lr=1e30, validation_size=validation_size, momentum=0.0)
    results = [
        loop.train(
            Problem.from_datasets(REGRESSION, None, build_regressor, in_memory=in_memory),
            Run(None, settings, seed=1),
        )
        for in_memory in (True, False)
    ]
    assert results[0].diverged
    assert_same_result(results[1], results[0])
    dummy_scores = [result.validation_dummy_score for result in results]
    assert (dummy_scores[0] is not None) == (validation_size > 0)
    assert dummy_scores[1] == (dummy_scores[0] and pytest.approx(dummy_scores[0], rel=1e-12))


@pytest.mark.parametrize(
    ("in_memory", "engine"),
    [(True, LoopEngine()), (False, LoopEngine()), (True, EnsembleEngine())],
)
def test_a_last_batch_of_one_row_that_the_model_refuses_is_an_error(
    in_memory: bool, engine: Engine
) -> None:
    run = Run(None, replace(SETTINGS, batch_size=26), seed=0)  # of 53 training rows
    problem = Problem.from_datasets(CLASSIFICATION, None, build_classifier, in_memory=in_memory)
    with raises(TrainingError, "1 row", "more than 1 value per channel", "`batch_size`"):
        engine.train(problem, [run])


def test_only_the_loop_trains_what_is_read_in_batches() -> None:
    problem = Problem.from_datasets(Augmented(), None, build_classifier)
    runs = [Run(None, SETTINGS, seed) for seed in (0, 1)]
    with raises(TrainingError, "random transforms", '`engine="loop"`'):
        EnsembleEngine().train(problem, runs)
    choice = probing.select_faster_engine(problem, runs, EnsembleEngine())
    assert choice.engine == LoopEngine()
    assert choice.obstacle is not None
    assert "random transforms" in choice.obstacle
    assert choice.seconds_per_run_step > 0
    stacked = Problem.from_datasets(CLASSIFICATION, None, build_regressor, task="regression")
    loop_results, results = (
        engine.train(stacked, runs) for engine in (LoopEngine(), EnsembleEngine())
    )
    for expected, result in zip(loop_results, results, strict=True):
        assert_same_result(result, expected)


@pytest.mark.integration
def test_a_study_has_the_same_results_in_worker_processes() -> None:
    problem = Problem.from_datasets(
        Augmented(), None, build_classifier, unaugmented_train=CLASSIFICATION, name="noisy"
    )
    check_problem(problem)
    studies = [
        lrlab.compare(
            problem, ["Cosine()"], tune=False, seeds=4, epochs=2, workers=workers, db=None
        )
        for workers in (1, 2)
    ]
    scores = [study.table.sort_values("schedule")["mean"].tolist() for study in studies]
    assert scores[0] == scores[1]
