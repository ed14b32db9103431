"""Runs of a training function: what it gets, what becomes of its reports, its mistakes."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from lrlab import Constant, Cosine, Plateau, RunContext, Schedule, TrainingFunction, Warmup
from lrlab.errors import TrainingError
from lrlab.problems import derive_seeds, load_problem
from lrlab.problems.problem import Problem
from lrlab.training import Epoch, Run, Settings, context, loop
from lrlab.training.context import RunDiverged
from tests.raising import raises

SHORT = Settings(epochs=4, lr=0.2, momentum=0.5)


def run_function(
    train: Callable[[Any], object],
    schedule: Schedule | None = None,
    settings: Settings = SHORT,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    **options: Any,
) -> Any:
    problem = TrainingFunction(train, **{"metric": "accuracy", **options})
    return context.run_training_function(problem, Run(schedule, settings, 3), on_epoch_end)


def get_error(train: Callable[[Any], object], **options: Any) -> str:
    with pytest.raises(TrainingError) as caught:
        run_function(train, **options)
    return str(caught.value)


class LoopAsFunction:
    """The loop on iris, written as a training function."""

    def __init__(self) -> None:
        problem = load_problem("iris")
        assert isinstance(problem, Problem)
        self.problem = problem

    def __call__(self, run: RunContext) -> None:
        split = self.problem.split(run.seed)
        model = self.problem.model()  # torch's random numbers begin at the seed already
        optimizer = torch.optim.SGD(model.parameters(), lr=run.lr, momentum=run.momentum)
        scheduler = run.create_scheduler(optimizer)
        order = torch.Generator().manual_seed(derive_seeds(run.seed).batch_order)
        for epoch in range(run.epochs):
            rows = torch.randperm(len(split.x_train), generator=order)
            total = 0.0
            for batch in rows.split(run.batch_size):
                loss = nn.functional.cross_entropy(
                    model(split.x_train[batch]), split.y_train[batch]
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += float(loss.detach()) * len(batch)
            right = model(split.x_test).argmax(1) == split.y_test
            run.report(epoch, accuracy=right.double().mean(), loss=total / len(rows))
            scheduler.step()


@pytest.mark.parametrize("schedule", [Cosine(), Warmup(2) >> Cosine(), None], ids=repr)
def test_the_loop_as_a_training_function_equals_the_loop(
    schedule: Schedule | None,
) -> None:
    function, run = LoopAsFunction(), Run(schedule, SHORT, 3)
    ours = context.run_training_function(TrainingFunction(function, metric="accuracy"), run)
    theirs = loop.train(function.problem, run)
    assert ours.test_score == theirs.test_score
    for name in ("epoch", "lr_start", "lr_end", "test_score"):
        assert_array_equal(ours.curve.get_column(name), theirs.curve.get_column(name))
    np.testing.assert_allclose(
        ours.curve.get_column("loss"), theirs.curve.get_column("loss"), rtol=1e-6
    )


def test_a_run_has_its_settings() -> None:
    seen = {}

    def train(run: RunContext) -> None:
        seen.update(vars(run))
        assert (run.lr, run.momentum, run.epochs, run.batch_size) == (0.2, 0.5, 4, 24)
        for epoch in range(run.epochs):
            run.report(epoch, accuracy=0.5)

    run_function(train, Cosine())
    assert (seen["schedule"], seen["seed"], seen["settings"], seen["device"]) == (
        Cosine(), 3, SHORT, "cpu",
    )  # fmt: skip
    assert "learning_rate" in get_error(lambda run: run.learning_rate)
    assert "did you mean epochs?" in get_error(lambda run: run.epoch)


def test_the_scheduler_steps_every_batch_and_moves_other_hyperparameters() -> None:
    rates, momenta = [], []

    def train(run: RunContext) -> None:
        optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=run.lr, momentum=0.9)
        scheduler = run.create_scheduler(optimizer, steps_per_epoch=5)
        for epoch in range(run.epochs):
            for _ in range(5):
                rates.append(optimizer.param_groups[0]["lr"])
                momenta.append(optimizer.param_groups[0]["momentum"])
                optimizer.step()
                scheduler.step()
            run.report(epoch, accuracy=0.5)

    run = Run(Warmup("1ep") >> Cosine(), SHORT, 0, {"momentum": Constant(0.5)})
    curve = context.run_training_function(TrainingFunction(train, metric="accuracy"), run).curve
    expected = run.schedule.bind(total_steps=20, steps_per_epoch=5)(np.arange(21), base=0.2)
    assert_array_equal(rates, expected[:20])
    assert momenta == [0.45] * 20
    assert_array_equal(curve.get_column("lr_start"), expected[0:20:5])
    assert_array_equal(curve.get_column("lr_end"), expected[5:21:5])


def test_all_reported_numbers_are_stored() -> None:
    epochs = []

    def train(run: RunContext) -> None:
        for epoch in range(run.epochs):
            run.report(
                epoch,
                accuracy=torch.tensor(0.1 * epoch, requires_grad=True),
                validation_accuracy=np.float32(0.5),
                validation_loss=2,
                lr=0.1 / (1 + epoch),
                norm=epoch,
            )

    settings = Settings(epochs=3, validation_size=0.2)
    curve = run_function(train, settings=settings, on_epoch_end=epochs.append).curve
    assert curve.columns[7:] == ("norm",)
    assert_array_equal(curve.get_column("norm"), [0, 1, 2])
    assert_array_equal(curve.get_column("lr_start"), [0.1, 0.05, 0.1 / 3])
    assert_array_equal(curve.get_column("lr_end"), [0.05, 0.1 / 3, np.nan])
    assert curve[2].validation_score == 0.5
    assert curve[2].validation_loss == 2
    assert [epoch.test_score for epoch in epochs] == curve.get_column("test_score").tolist()
    assert np.isnan(curve.get_column("loss")).all()
    assert pickle.loads(pickle.dumps(curve)) == curve


@pytest.mark.parametrize("name", ["accuracy", "loss", "validation_loss"])
@pytest.mark.parametrize("caught", [False, True])
def test_a_diverged_run_gets_the_dummy_score(name: str, caught: bool) -> None:
    reached = []

    def train(run: RunContext) -> None:
        optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=run.lr)
        run.create_scheduler(optimizer)
        for epoch in range(run.epochs):
            optimizer.step()
            values = {"accuracy": 0.9, name: float("nan") if epoch == 2 else 0.8}
            try:
                run.report(epoch, **values)
            except Exception:
                if not caught:
                    raise
                with pytest.raises(RunDiverged):  # a later finite value changes nothing
                    run.report(epoch, accuracy=0.9)
            reached.append(epoch)

    outcome = run_function(train, dummy_score=0.25)
    assert outcome.diverged
    assert (outcome.test_score, outcome.diverged_at_step, len(outcome.curve)) == (
        0.25, 3, 2,
    )  # fmt: skip
    assert reached == ([0, 1, 2, 3] if caught else [0, 1])


def report_every_epoch(**metrics: Any) -> Callable[[RunContext], None]:
    def train(run: RunContext) -> None:
        for epoch in range(run.epochs):
            run.report(epoch, **metrics)

    return train


def report_epochs(*epochs: object) -> Callable[[RunContext], None]:
    def train(run: RunContext) -> None:
        for epoch in epochs:
            run.report(epoch, accuracy=0.5)

    return train


@pytest.mark.parametrize(
    ("train", "mentions"),
    [
        (lambda run: None, ("report", "run.report(epoch, accuracy=...)")),
        (report_epochs(0, 1), ("run.epochs", 4, 2)),
        (report_epochs(1), ("epoch 1", 0)),
        (report_epochs(0, 0), ("epoch 0", 1)),
        (report_epochs(0, 1, 2, 3, 4), ("run.epochs", 4, "epoch 4")),
        (report_epochs("0"), ("epoch '0'", 0)),
        (report_every_epoch(acuracy=0.5), ("accuracy", "acuracy", "is acuracy meant?")),
        (report_every_epoch(loss=1, score=2), ("accuracy", "loss, score", "`metric`")),
        (report_every_epoch(), ("accuracy", "nothing", "`metric`")),
        (report_every_epoch(accuracy="high"), ("numbers", "accuracy='high'")),
        (report_every_epoch(accuracy=torch.ones(3)), ("numbers", "accuracy=tensor")),
        (report_every_epoch(accuracy=0.5, lr_end=1), ("lr_end", "another name")),
        (
            lambda run: 1 / 0,
            ("test_context.py:", "seed 3", "Constant(1.0)", "ZeroDivisionError: division by zero"),
        ),
        (lambda run: exit(2), ("SystemExit: 2",)),
        (lambda run: run.create_scheduler(None), ("test_context.py:", "optimizer")),
    ],
)
def test_mistakes_of_a_training_function(train: Callable[[Any], object], mentions: tuple) -> None:
    with raises(TrainingError, *mentions):
        run_function(train)


def test_the_metric_on_validation_rows_is_required() -> None:
    settings = Settings(epochs=2, validation_size=0.25)
    with raises(TrainingError, "validation_accuracy", "run.validation_size", 0.25):
        run_function(report_every_epoch(accuracy=0.5), settings=settings)


def test_step_every_is_decided_by_the_function() -> None:
    with raises(TrainingError, "`step_every`", "steps_per_epoch="):
        run_function(report_every_epoch(accuracy=0.5), settings=Settings(step_every="step"))


def test_the_callers_random_numbers_are_not_changed() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run_function(LoopAsFunction())
    assert torch.equal(torch.rand(3), expected)


def test_metric_driven_schedules_read_what_the_function_gives_them() -> None:
    def train(run: RunContext) -> None:
        optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=run.lr)
        scheduler = run.create_scheduler(optimizer)
        for epoch in range(run.epochs):
            optimizer.step()
            scheduler.step(1.0)
            run.report(epoch, accuracy=0.5)

    lr_start = run_function(train, Plateau(0.5, patience=0)).curve.get_column("lr_start")
    assert_array_equal(lr_start, [0.2, 0.2, 0.1, 0.05])
