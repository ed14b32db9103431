"""Problem.from_datasets: items in memory or read in batches, targets, fingerprints, errors."""

import pickle
import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    default_collate,
)

from lrlab import Metric, Problem, ProblemError
from lrlab.problems import torch_datasets
from lrlab.testing import check_problem
from lrlab.training import Run, Settings, train
from tests.raising import raises

ROWS = 60
RNG = np.random.default_rng(0)
X = torch.from_numpy(RNG.normal(size=(ROWS, 4))).float()
CLASSES = torch.from_numpy(RNG.integers(0, 3, ROWS))
QUANTITY = X @ torch.tensor([1.0, -2.0, 0.5, 0.0])
PAIRS = TensorDataset(X, CLASSES)


def make_linear(outputs: int, inputs: int = 4) -> Any:
    return partial(nn.Linear, inputs, outputs)


class Items(Dataset[Any]):
    """A data set of the user's: ``item`` gives the item of an index."""

    def __init__(self, item: Callable[[int], Any], rows: int = ROWS) -> None:
        self.item, self.rows = item, rows

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, index: int) -> Any:
        return self.item(index)


class Noisy(Dataset[Any]):
    """Rows with noise from torch's, NumPy's or Python's random numbers."""

    def __init__(self, draw: Callable[[], float], scale: float = 0.1) -> None:
        self.draw, self.scale = draw, scale

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return X[index] + self.scale * self.draw(), int(CLASSES[index])


def draw_torch() -> float:
    return float(torch.randn(()))


DRAWS: dict[str, Callable[[], float]] = {
    "torch": draw_torch,
    "NumPy": np.random.normal,
    "Python": random.random,
}


# Items in memory


DATASETS: dict[str, tuple[Any, Any, Any]] = {
    "TensorDataset": (PAIRS, X, CLASSES),
    "Subset": (Subset(PAIRS, range(50, 10, -1)), X[11:51].flip(0), CLASSES[11:51].flip(0)),
    "ConcatDataset": (
        ConcatDataset([PAIRS, Subset(PAIRS, [3, 1])]),
        torch.cat([X, X[[3, 1]]]),
        torch.cat([CLASSES, CLASSES[[3, 1]]]),
    ),
    "a list": ([(x, y) for x, y in zip(X, CLASSES.tolist(), strict=True)], X, CLASSES),
    "arrays": (Items(lambda i: (X[i].numpy(), CLASSES[i].numpy())), X, CLASSES),
    "lists of items": (Items(lambda i: [X[i], CLASSES[i] == 1]), X, CLASSES == 1),
    "texts": (
        Items(lambda i: (X[i], ["no", "maybe", "yes"][CLASSES[i]])),
        X,
        np.array(["no", "maybe", "yes"])[CLASSES],
    ),
}


@pytest.mark.parametrize("name", DATASETS)
def test_items_that_fit_make_the_problem_of_their_arrays(name: str) -> None:
    dataset, x, y = DATASETS[name]
    problem = Problem.from_datasets(dataset, None, make_linear(3), test_size=0.4)
    expected = Problem.from_arrays(x, y, make_linear(3), test_size=0.4)
    assert problem.loop_only_reason is None
    assert problem.fingerprint == expected.fingerprint
    assert (problem.summary, problem.test_train_ratio) == (
        expected.summary,
        expected.test_train_ratio,
    )
    run = Run(None, Settings(epochs=3), seed=2)
    assert train(problem, run).curve == train(expected, run).curve


def test_test_items_are_the_same_for_every_seed() -> None:
    train_items, test_items = Subset(PAIRS, range(40)), Subset(PAIRS, range(40, ROWS))
    problem = Problem.from_datasets(train_items, test_items, make_linear(3), name="fixed")
    expected = Problem.from_arrays(
        X[:40], CLASSES[:40], make_linear(3), x_test=X[40:], y_test=CLASSES[40:]
    )
    assert (problem.name, problem.fingerprint) == ("fixed", expected.fingerprint)
    assert problem.test_train_ratio is None
    loaded = Problem.from_datasets(train_items, test_items, make_linear(3), in_memory=False)
    assert loaded.test_train_ratio is None
    assert torch.equal(loaded.split(5).y_test, expected.split(6).y_test)


def test_float_targets_are_quantities() -> None:
    for in_memory in (True, False):
        problem = Problem.from_datasets(
            Items(lambda i: (X[i], float(QUANTITY[i]))), None, make_linear(1), in_memory=in_memory
        )
        assert problem.metric.name == "RMSE"
        assert problem.split(0).y_train.shape == (42, 1)


# Items that a DataLoader reads


def pick(items: Sequence[dict[str, Any]]) -> tuple[Tensor, Tensor]:
    batch = default_collate(list(items))
    return batch["pixels"], batch["label"]


def pad(items: Sequence[tuple[Tensor, int]]) -> tuple[Tensor, Tensor]:
    sequences, labels = zip(*items, strict=True)
    return nn.utils.rnn.pad_sequence(list(sequences), batch_first=True), torch.tensor(labels)


def make_bag() -> nn.Module:
    return nn.Sequential(nn.EmbeddingBag(9, 4, padding_idx=0), nn.Linear(4, 3))


def make_sequence(index: int) -> tuple[Tensor, int]:
    return torch.arange(index % 5 + 1) % 8 + 1, int(CLASSES[index])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, None),
        ({"in_memory": False}, "in_memory"),
        ({"train": Noisy(draw_torch)}, "train have random transforms"),
        ({"train": PAIRS, "test": Noisy(draw_torch)}, "test have random transforms"),
        ({"unaugmented_train": PAIRS}, "unaugmented_train"),
        ({"train": Items(lambda i: {"pixels": X[i], "label": int(CLASSES[i])}),
          "collate_fn": pick}, None),
        ({"train": Items(lambda i: (X[i], CLASSES[i], i)),
          "collate_fn": lambda items: default_collate([item[:2] for item in items])}, None),
        ({"train": Items(make_sequence), "model": make_bag, "collate_fn": pad}, "neighbors"),
        ({"train": Items(lambda i: (make_sequence(4 if i == 35 else 3)[0], int(CLASSES[i]))),
          "model": make_bag,
          "collate_fn": pad}, "differ in shape or type"),
        ({"train": Noisy(lambda: float(torch.rand(()) > 0.98))}, "random transforms"),
    ],
)  # fmt: skip
def test_items_are_stacked_if_they_are_alike_and_never_change(
    arguments: dict[str, Any], reason: str | None
) -> None:
    options = {"train": PAIRS, "test": None, "model": make_linear(3)} | arguments
    problem = Problem.from_datasets(**options)
    assert (problem.loop_only_reason is None) == (reason is None)
    assert reason is None or reason in str(problem.loop_only_reason)
    assert np.isfinite(train(problem, Run(None, Settings(epochs=1), 0)).test_score)
    if reason and "in_memory" not in arguments:
        with raises(ProblemError, "in_memory=True", reason):
            Problem.from_datasets(**options, in_memory=True)


def test_only_items_of_limited_size_are_stacked(monkeypatch: pytest.MonkeyPatch) -> None:
    size = ROWS * (4 * X.element_size() + CLASSES.element_size())
    monkeypatch.setattr(torch_datasets, "IN_MEMORY_LIMIT", size)
    assert Problem.from_datasets(PAIRS, None, make_linear(3)).loop_only_reason is None
    monkeypatch.setattr(torch_datasets, "IN_MEMORY_LIMIT", size - 1)
    problem = Problem.from_datasets(PAIRS, None, make_linear(3))
    assert "1.44e-06 GB" in str(problem.loop_only_reason)
    stacked = Problem.from_datasets(PAIRS, None, make_linear(3), in_memory=True)
    assert stacked.loop_only_reason is None


TARGETS: dict[str, tuple[Any, int, dict[str, Any]]] = {
    "classes": (CLASSES, 3, {}),
    "classes from 5": (5 + CLASSES, 3, {}),
    "two classes, one output": (CLASSES == 1, 1, {}),
    "texts": (np.array(["no", "yes"])[CLASSES % 2], 2, {}),
    "probabilities": ((CLASSES == 1).double(), 1, {"loss": nn.BCEWithLogitsLoss()}),
    "quantities": (QUANTITY, 1, {"metric": "mae"}),
    "several quantities": (X[:, :2], 2, {}),
    "whole numbers": (CLASSES, 1, {"task": "regression"}),
    "pixels": (CLASSES.reshape(-1, 1).expand(-1, 4), 3, {"loss": nn.CrossEntropyLoss()}),
}


@pytest.mark.parametrize("name", TARGETS)
def test_batches_have_the_rows_and_targets_of_arrays(name: str) -> None:
    y, outputs, options = TARGETS[name]
    x: Any = X
    model = make_linear(outputs)
    if name == "pixels":
        x, model = X.reshape(-1, 1, 4), partial(nn.Conv1d, 1, 3, 1)
    arrays = Problem.from_arrays(x, y, model, **options)
    loaded = Problem.from_datasets(
        Items(lambda i: (x[i], y[i])), None, model, **options, in_memory=False
    )
    assert loaded.summary == f"{arrays.summary}; read in batches"
    assert (loaded.metric.name, loaded.task.kind) == (arrays.metric.name, arrays.task.kind)
    for seed, validation_rows in ((0, 0), (1, 13)):
        expected = arrays.split_arrays(seed, validation_rows)
        split = loaded.split_rows(seed, validation_rows)
        order = torch.randperm(expected.train_rows)
        for epoch in (0, 1):
            batches = zip(
                expected.iter_train_batches(8, order, epoch),
                split.iter_train_batches(8, order, epoch),
                strict=True,
            )
            for expected_batch, batch in batches:
                assert all(map(torch.equal, expected_batch, batch))
        assert torch.equal(split.y_train, expected.y_train)
        assert torch.equal(split.y_test, expected.y_test)
        assert (split.y_validation is None) == (validation_rows == 0)
        if expected.y_validation is not None and split.y_validation is not None:
            assert torch.equal(split.y_validation, expected.y_validation)
        expected_row = arrays.task.dummy_output(expected.y_train)
        assert torch.equal(loaded.task.dummy_output(split.y_train), expected_row)


class Labeled(Items):
    """Items that count how often they are read, and with targets as torchvision's have them."""

    def __init__(self, targets: Any) -> None:
        super().__init__(lambda i: (X[i], int(CLASSES[i])))
        self.targets, self.reads = targets, 0

    def __getitem__(self, index: int) -> Any:
        self.reads += 1
        return super().__getitem__(index)


@pytest.mark.parametrize(
    ("targets", "are_used"),
    [(CLASSES, True), (CLASSES.tolist(), True), (2 - CLASSES, False), (None, False)],
)
def test_items_are_not_read_for_targets_that_a_data_set_has(targets: Any, are_used: bool) -> None:
    expected = Problem.from_arrays(X, CLASSES, make_linear(3)).split(0).y_train
    dataset = Labeled(targets)
    for source in (dataset, Subset(dataset, range(ROWS)), ConcatDataset([dataset])):
        dataset.reads = 0
        problem = Problem.from_datasets(source, None, make_linear(3), in_memory=False)
        assert (dataset.reads < ROWS) == are_used
        assert torch.equal(problem.split(0).y_train, expected)  # stratified by class


def test_validation_and_drawn_test_rows_are_not_augmented() -> None:
    problem = Problem.from_datasets(
        Noisy(draw_torch), None, make_linear(3), unaugmented_train=PAIRS
    )
    assert problem.data_warnings == ()
    split = problem.split_rows(0, 10)
    known = {tuple(row.tolist()) for row in X}
    for batches in (split.iter_test_batches(7), split.iter_validation_batches(7)):
        assert all(tuple(row.tolist()) in known for x, _ in batches for row in x)
    for x, _ in split.iter_train_batches(7, None, epoch=0):
        assert not any(tuple(row.tolist()) in known for row in x)
    (warning,) = Problem.from_datasets(Noisy(draw_torch), None, make_linear(3)).data_warnings
    assert "unaugmented_train" in warning


# Fingerprints


def test_random_transforms_do_not_change_the_fingerprint() -> None:
    problems = [
        Problem.from_datasets(Noisy(draw_torch), PAIRS, make_linear(3), num_workers=workers)
        for workers in (0, 0, 2)
    ]
    train(problems[0], Run(None, Settings(epochs=1), 0))
    assert len({problem.fingerprint for problem in problems}) == 1


def test_the_fingerprint_covers_code_and_state_of_data_sets() -> None:
    def compute(train_items: Any = None, test_items: Any = PAIRS, **options: Any) -> str:
        items = train_items or Noisy(draw_torch)
        model = options.pop("model", make_linear(3))
        return Problem.from_datasets(items, test_items, model, **options).fingerprint

    expected = compute()
    assert compute(name="another") == expected
    fingerprints = [
        compute(Noisy(draw_torch, scale=0.2)),
        compute(Noisy(DRAWS["NumPy"])),
        compute(test_items=Subset(PAIRS, range(50))),
        compute(test_items=None),
        compute(test_items=None, test_size=0.5),
        compute(unaugmented_train=PAIRS),
        compute(collate_fn=lambda items: default_collate(items)),
        compute(model=make_bag_of_four),
        compute(loss=nn.CrossEntropyLoss(label_smoothing=0.1)),
        compute(metric="loss"),
        compute(fingerprint="data of May"),
        compute(fingerprint="data of June"),
    ]
    assert len({expected, *fingerprints}) == 1 + len(fingerprints)
    assert compute(Noisy(draw_torch, scale=0.2), fingerprint="data of May") == fingerprints[-2]
    stacked = compute(PAIRS, fingerprint="data of May")
    assert stacked == compute(TensorDataset(X + 1, CLASSES), fingerprint="data of May")


def make_bag_of_four() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))


def test_a_cache_of_items_does_not_change_the_fingerprint() -> None:
    class Cached(Items):
        def __init__(self) -> None:
            super().__init__(lambda i: (X[i], int(CLASSES[i])))
            self.cache: dict[int, Any] = {}

        def __getitem__(self, index: int) -> Any:
            return self.cache.setdefault(index, super().__getitem__(index))

    first, second = (
        Problem.from_datasets(Cached(), None, make_linear(3), in_memory=False) for _ in range(2)
    )
    assert first.fingerprint == second.fingerprint


# The caller's random numbers, other processes, checks


@pytest.mark.parametrize("name", DRAWS)
def test_the_callers_random_numbers_stay_as_they_are(name: str) -> None:
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    problem = Problem.from_datasets(Noisy(DRAWS[name]), None, make_linear(3))
    run = Run(None, Settings(epochs=2), 0)
    assert train(problem, run).curve == train(problem, run).curve
    assert torch.equal(torch.get_rng_state(), states[0])
    assert repr(np.random.get_state()) == repr(states[1])  # noqa: NPY002
    assert random.getstate() == states[2]


def test_problems_of_data_sets_pass_the_checks() -> None:
    problems = [
        Problem.from_datasets(PAIRS, None, make_linear(3), in_memory=False),
        Problem.from_datasets(
            TensorDataset(X, CLASSES), TensorDataset(X + 1, CLASSES), make_linear(3)
        ),
        Problem.from_datasets(Noisy(draw_torch), Noisy(draw_torch, 0.2), make_linear(3)),
    ]
    for problem in problems:
        check_problem(problem)
        copy = pickle.loads(pickle.dumps(problem))
        assert torch.equal(copy.split(3).y_test, problem.split(3).y_test)


# Errors


class Image:
    """Stands for an image that torch cannot collate, as PIL's."""


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter(PAIRS)


class Failing(Items):
    def __init__(self) -> None:
        super().__init__(lambda i: (X[i], int(CLASSES[i])))

    def __getitem__(self, index: int) -> Any:
        if index == 38:
            raise OSError("truncated file")
        return super().__getitem__(index)


def draw_from_own_generator(generator: np.random.Generator) -> float:
    return float(generator.normal())


PIXELS = np.zeros((ROWS, 6, 6, 3), np.uint8)
WITH_NAN = torch.where(torch.arange(ROWS)[:, None] == 33, torch.nan, X)


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        ({"train": Stream()}, ["train", "Stream", "TrainingFunction"]),
        ({"train": iter(PAIRS)}, ["train", "__len__", "iterator"]),
        ({"train": Items}, ["train", "class"]),
        ({"train": DataLoader(PAIRS)}, ["train", "DataLoader", "loader.dataset"]),
        ({"train": X}, ["train", "Tensor", "from_arrays"]),
        ({"train": (X, CLASSES)}, ["train", "tuple", "from_arrays"]),
        ({"train": pd.DataFrame(X.numpy())}, ["train", "DataFrame", "from_arrays"]),
        ({"train": []}, ["train", "length 0"]),
        ({"train": [(X[0], 0), (X[1], 1)]}, ["3 rows", "got 2"]),
        ({"test": Stream()}, ["test", "Stream"]),
        ({"train": TensorDataset(X)}, ["train", "pair", "one", "collate_fn"]),
        ({"train": TensorDataset(X, X, CLASSES)}, ["train", "pair", "3", "collate_fn"]),
        ({"train": Items(lambda i: {"x": X[i], "label": 1})}, ["train", "x, label", "collate_fn"]),
        ({"train": Items(lambda i: X[i])}, ["train", "Tensor", "collate_fn"]),
        ({"train": Items(lambda i: ((X[i], X[i]), 1))},
         ["train", "one tensor", "TrainingFunction"]),
        ({"train": Items(lambda i: (Image(), 1))}, ["train", "Image", "ToTensor", "collate_fn"]),
        ({"train": Items(lambda i: (PIXELS[i], i % 2)),
          "model": lambda: nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(32, 2))},
         ["int64 of shape (8, 6, 6, 3)", "ToTensor", "collate_fn"]),
        ({"train": Items(lambda i: (X[i, : 1 + i // 30], 1))}, ["train", "items", "shape"]),
        ({"train": Failing()}, ["item 38 of train", "test_torch_datasets.py:", "truncated file"]),
        ({"train": Failing(), "in_memory": False}, ["item 38 of train", "truncated file"]),
        ({"train": TensorDataset(WITH_NAN, CLASSES)}, ["item 33 of train", "finite"]),
        ({"train": Items(lambda i: (X[i], None))}, ["train", "NoneType"]),
        ({"train": Noisy(partial(draw_from_own_generator, np.random.default_rng(0)))},
         ["train", "random numbers", "torch.randint"]),
        ({"train": Noisy(lambda: float(RNG.random() > 0.9))}, ["train", "torch.randint"]),
        ({"test": TensorDataset(X[:, :2], CLASSES)}, ["test", "float32 of shape (8, 2)"]),
        ({"unaugmented_train": TensorDataset(X[:9], CLASSES[:9])},
         ["unaugmented_train", "9 items for 60"]),
        ({"collate_fn": 3}, ["collate_fn", "got 3"]),
        ({"collate_fn": lambda items: (X[:3], CLASSES[:3])}, ["collate_fn", "(3, 4) for 8 items"]),
        ({"num_workers": -1}, ["num_workers", "-1"]),
        ({"num_workers": None}, ["num_workers", "None"]),
        ({"model": make_linear(2)}, ["3 classes need 3 outputs", "2"]),
        ({"model": make_linear(3, inputs=5)}, ["model", "train, float32 of shape (8, 4)"]),
        ({"model": nn.Linear(4, 3)}, ["model", "network"]),
        ({"loss": nn.NLLLoss(weight=torch.ones(9))}, ["loss", "outputs of shape (8, 3)"]),
        ({"metric": Metric("f", lambda o, y: o)}, ["metric f", "outputs of shape (8, 3)"]),
        ({"metric": "rmse"}, ["metric", "accuracy", "rmse"]),
        ({"task": "ranking"}, ["task", "ranking"]),
        ({"test_size": 1}, ["test_size", "got 1"]),
        ({"name": "a/b"}, ["name", "'a/b'"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("in_memory", [None, False])
def test_mistakes_are_refused_by_name(
    arguments: dict[str, Any], mentions: list[str], in_memory: bool | None
) -> None:
    options = {"train": PAIRS, "test": None, "model": make_linear(3), "in_memory": in_memory}
    with raises(ProblemError, *mentions):
        Problem.from_datasets(**{**options, **arguments})


def test_a_batch_that_cannot_be_read_while_training_is_named(tmp_path: Path) -> None:
    for index in range(ROWS):
        torch.save(X[index], tmp_path / f"{index}.pt")
    dataset = Labeled(CLASSES)  # its targets are known, so that not every item is read at first
    dataset.item = lambda i: (torch.load(tmp_path / f"{i}.pt"), int(CLASSES[i]))
    problem = Problem.from_datasets(dataset, PAIRS, make_linear(3), in_memory=False)
    (tmp_path / "41.pt").unlink()
    with raises(ProblemError, "item 41 of train", "FileNotFoundError"):
        train(problem, Run(None, Settings(epochs=1), 0))
