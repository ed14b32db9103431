"""What a training function is given, what becomes of what it reports, and its slips."""

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

SHORT = Settings(epochs=4, lr=0.2, momentum=0.5)


def result(
    train: Callable[[Any], object],
    schedule: Schedule | None = None,
    settings: Settings = SHORT,
    report: Callable[[Epoch], None] = lambda epoch: None,
    **options: Any,
) -> Any:
    problem = TrainingFunction(train, **{"metric": "accuracy", **options})
    return context.run_training_function(problem, Run(schedule, settings, 3), report)


def refused(train: Callable[[Any], object], **options: Any) -> str:
    with pytest.raises(TrainingError) as said:
        result(train, **options)
    return str(said.value)


class Twin:
    """The loop on iris, written as a user would."""

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
def test_the_loop_written_as_a_training_function_gives_the_loops_numbers(
    schedule: Schedule | None,
) -> None:
    twin, run = Twin(), Run(schedule, SHORT, 3)
    ours = context.run_training_function(TrainingFunction(twin, metric="accuracy"), run)
    theirs = loop.train(twin.problem, run)
    assert ours.test_score == theirs.test_score
    for name in ("epoch", "before", "after", "score"):
        assert_array_equal(ours.curve.get_column(name), theirs.curve.get_column(name))
    np.testing.assert_allclose(
        ours.curve.get_column("loss"), theirs.curve.get_column("loss"), rtol=1e-6
    )


def test_what_a_run_is_given() -> None:
    seen = {}

    def train(run: RunContext) -> None:
        seen.update(vars(run))
        assert (run.lr, run.momentum, run.epochs, run.batch_size) == (0.2, 0.5, 4, 24)
        for epoch in range(run.epochs):
            run.report(epoch, accuracy=0.5)

    result(train, Cosine())
    assert (seen["schedule"], seen["seed"], seen["settings"], seen["device"]) == (
        Cosine(), 3, SHORT, "cpu",
    )  # fmt: skip
    assert "learning_rate" in refused(lambda run: run.learning_rate)
    assert "did you mean epochs?" in refused(lambda run: run.epoch)


def test_schedules_of_other_hyperparameters_and_of_every_batch() -> None:
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


def test_everything_reported_is_kept() -> None:
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
    curve = result(train, settings=settings, report=epochs.append).epochs
    assert curve.names[7:] == ("norm",)
    assert_array_equal(curve.get_column("norm"), [0, 1, 2])
    assert_array_equal(curve.get_column("lr_start"), [0.1, 0.05, 0.1 / 3])
    assert_array_equal(curve.get_column("lr_end"), [0.05, 0.1 / 3, np.nan])
    assert curve[2].validation_score == 0.5
    assert curve[2].validation_loss == 2
    assert [epoch.score for epoch in epochs] == curve.get_column("test_score").tolist()
    assert np.isnan(curve.get_column("loss")).all()
    assert pickle.loads(pickle.dumps(curve)) == curve


@pytest.mark.parametrize("name", ["accuracy", "loss", "validation_loss"])
@pytest.mark.parametrize("swallowed", [False, True])
def test_a_run_that_is_lost_scores_as_a_guess(name: str, swallowed: bool) -> None:
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
                if not swallowed:
                    raise
                with pytest.raises(RunDiverged):  # no better number mends it
                    run.report(epoch, accuracy=0.9)
            reached.append(epoch)

    outcome = result(train, dummy_score=0.25)
    assert outcome.diverged
    assert (outcome.score, outcome.left_at, len(outcome.epochs)) == (
        0.25, 3, 2,
    )  # fmt: skip
    assert reached == ([0, 1, 2, 3] if swallowed else [0, 1])


def test_less_is_better_needs_a_guess() -> None:
    with pytest.raises(TrainingError, match="dummy_score"):
        TrainingFunction(Twin(), metric="rmse", greater_is_better=False)
    known = TrainingFunction(Twin(), metric="rmse", greater_is_better=False, dummy_score=2)
    assert (known.dummy_score, known.metric.greater_is_better) == (2.0, False)
    assert TrainingFunction(Twin()).dummy_score == 0.0


def every(**metrics: Any) -> Callable[[RunContext], None]:
    def train(run: RunContext) -> None:
        for epoch in range(run.epochs):
            run.report(epoch, **metrics)

    return train


def order(*epochs: object) -> Callable[[RunContext], None]:
    def train(run: RunContext) -> None:
        for epoch in epochs:
            run.report(epoch, accuracy=0.5)

    return train


@pytest.mark.parametrize(
    ("train", "said"),
    [
        (lambda run: None, r"call run.report\(epoch, accuracy=...\) at the end of each"),
        (order(0, 1), "4 here, but it ended after 2"),
        (order(1), "epoch 1 was reported where 0 comes next"),
        (order(0, 0), "epoch 0 was reported where 1 comes next"),
        (order(0, 1, 2, 3, 4), "4 here, but epoch 4 was reported too"),
        (order("0"), "epoch '0' was reported where 0"),
        (every(acuracy=0.5), "given accuracy, but was given acuracy; is acuracy meant?"),
        (every(loss=1, score=2), "but was given loss, score; name what is compared"),
        (every(), "was given nothing; name"),
        (every(accuracy="high"), "must be numbers, got accuracy='high'"),
        (every(accuracy=torch.ones(3)), "must be numbers, got accuracy=tensor"),
        (every(accuracy=0.5, after=1), "after is the name of what lrlab keeps"),
        (lambda run: 1 / 0, r"failed at test_functions.py:\d+ with seed 3 and Constant\(1.0\): "
                            "ZeroDivisionError: division by zero"),
        (lambda run: exit(2), "SystemExit: 2"),
        (lambda run: run.scheduler(None), r"test_functions.py:\d+: optimizer must be"),
    ],
)  # fmt: skip
def test_slips(train: Callable[[Any], object], said: str) -> None:
    message = refused(train)
    assert "\n" not in message
    with pytest.raises(TrainingError, match=said):
        result(train)


def test_rows_are_to_be_held_out_where_settings_are_chosen() -> None:
    message = refused(every(accuracy=0.5), settings=Settings(epochs=2, validation_size=0.25))
    assert "must be given validation_accuracy" in message
    assert "a share of 0.25 of the training rows (run.validation)" in message
    assert "leave out per" in refused(every(accuracy=0.5), settings=Settings(step_every="step"))


def test_what_is_no_training_function() -> None:
    for wrong in (3, lambda: None, lambda run, other: None):
        with pytest.raises(TrainingError, match="takes one argument, the run"):
            TrainingFunction(wrong)
    for metric in ("two words", "", 3):
        with pytest.raises(TrainingError, match="be the name that"):
            TrainingFunction(Twin(), metric=metric)
    with pytest.raises(TrainingError, match="finite number"):
        TrainingFunction(Twin(), dummy_score=float("nan"))


def test_a_fingerprint_of_ones_own() -> None:
    train = every(accuracy=0.5)
    same = TrainingFunction(train, fingerprint="data of May")
    assert TrainingFunction(every(accuracy=0.1), fingerprint="data of May").fingerprint == (
        same.fingerprint
    )
    assert TrainingFunction(train, fingerprint="data of June").fingerprint != same.fingerprint
    assert TrainingFunction(train, dummy_score=0.1, fingerprint="data of May").fingerprint != (
        same.fingerprint
    )


def test_the_callers_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    result(Twin())
    assert torch.equal(torch.rand(3), expected)


def test_reactive_schedules_read_what_the_function_gives_them() -> None:
    def train(run: RunContext) -> None:
        optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=run.lr)
        scheduler = run.create_scheduler(optimizer)
        for epoch in range(run.epochs):
            optimizer.step()
            scheduler.step(1.0)
            run.report(epoch, accuracy=0.5)

    before = result(train, Plateau(0.5, patience=0)).epochs.column("lr_start")
    assert_array_equal(before, [0.2, 0.2, 0.1, 0.05])
