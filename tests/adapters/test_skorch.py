"""Schedules in real skorch fits: what the optimizer used at each of its steps."""

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import skorch.callbacks as skorch_callbacks
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetRegressor

import lrlab
from lrlab import Cosine, Linear, Plateau, Schedule, Warmup, parse
from lrlab.adapters.skorch import ScheduleCallback
from lrlab.errors import ScheduleError, SchedulerError
from tests.raising import raises

X = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
Y = X**2
EPOCHS, BATCHES = 6, 4  # the five-fold split leaves 16 rows to train on

pytestmark = pytest.mark.integration

used: list[list[float]] = []
"""The learning rates of the groups at each step of any ``RecordingSGD``."""


class RecordingSGD(torch.optim.SGD):
    """SGD that records its learning rates; skorch copies and pickles it by its class."""

    def step(self, closure: Any = None) -> Any:
        used.append([float(group["lr"]) for group in self.param_groups])
        return super().step(closure)


class FixedMetric:
    """A column of the history with fixed losses, one for each epoch."""

    LOSSES = (1.0, 0.9, 0.9, 0.9, 0.5, 0.6, 0.7, 0.7, 0.8)

    def __call__(self, net: Any) -> float:
        return self.LOSSES[len(net.history) - 1]


class RecordMetric(skorch_callbacks.Callback):
    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        net.history.record("made_up", FixedMetric()(net))


@pytest.fixture(autouse=True)
def clear_used_lrs() -> None:
    used.clear()


def make_net(
    callback: Any, *more: Any, kind: type = NeuralNetRegressor, **options: Any
) -> NeuralNetRegressor:
    torch.manual_seed(0)
    return kind(
        torch.nn.Linear,
        module__in_features=1,
        module__out_features=1,
        optimizer=RecordingSGD,
        callbacks=[("column", RecordMetric()), ("schedule", callback), *more],
        **{"lr": 0.1, "batch_size": 4, "max_epochs": EPOCHS, "verbose": 0, **options},
    )


def compute_lrs(schedule: Schedule, steps: int, each: int = 1) -> list[list[float]]:
    return [[schedule(t // each, base=0.1)] for t in range(steps)]


@pytest.mark.parametrize("schedule", ["Warmup('50%') >> Cosine()", Warmup("3ep") >> Cosine()])
def test_the_length_of_the_training_is_known(schedule: Any) -> None:
    by_epoch = make_net(ScheduleCallback(schedule)).fit(X, Y)
    bound = Warmup(3) >> Cosine(3)
    assert used == compute_lrs(bound, EPOCHS * BATCHES, BATCHES)
    assert by_epoch.history[:, "event_lr"] == bound(np.arange(EPOCHS), base=0.1).tolist()
    used.clear()
    by_batch = make_net(ScheduleCallback(schedule, step_every="step")).fit(X, Y)
    steps = EPOCHS * BATCHES
    assert used == compute_lrs(Warmup(12) >> Cosine(12), steps)
    recorded = by_batch.history[:, "batches", :BATCHES, "event_lr"]
    assert [[lr] for epoch in recorded for lr in epoch] == used


def test_groups_and_momentum_are_recorded_by_their_names() -> None:
    callback = ScheduleCallback("Linear(1.0, 0.0)", momentum="Linear(1.0, 0.5)")
    groups = [("bias", {"lr": 1.0})]
    options = {"optimizer__param_groups": groups, "optimizer__momentum": 0.8}
    net = make_net(callback, **options).fit(X, Y)
    line = Linear(1.0, 0.0, over=EPOCHS)
    assert used[::BATCHES] == [[line(t, base=1.0), line(t, base=0.1)] for t in range(EPOCHS)]
    assert net.history[:, "event_lr/0"] == [line(t, base=1.0) for t in range(EPOCHS)]
    momenta = [Linear(1.0, 0.5, over=EPOCHS)(t, base=0.8) for t in range(EPOCHS)]
    for name in ("event_momentum/0", "event_momentum/1"):
        assert net.history[:, name] == momenta


@pytest.mark.parametrize("monitor", ["made_up", FixedMetric()], ids=["column", "function"])
@pytest.mark.parametrize("step_every", ["epoch", "step"])
def test_a_metric_driven_schedule_reads_the_monitor_every_epoch(
    monitor: Any, step_every: str
) -> None:
    callback = ScheduleCallback(Plateau(0.5, patience=0), monitor, step_every)
    make_net(callback).fit(X, Y)
    assert used[::BATCHES] == used[BATCHES - 1 :: BATCHES]
    assert [lr for (lr,) in used[::BATCHES]] == [0.1, 0.1, 0.1, 0.05, 0.025, 0.025]


METRIC_DRIVEN = "(Warmup('25%') >> Cosine()) * Plateau(0.5, patience=0)"


@pytest.mark.parametrize("monitor", ["made_up", FixedMetric()], ids=["column", "function"])
@pytest.mark.parametrize("step_every", ["epoch", "step"])
@pytest.mark.parametrize("schedule", [METRIC_DRIVEN, "Warmup('25%') >> Cosine()"])
def test_training_resumes_from_the_history(
    schedule: str, step_every: str, monitor: Any, tmp_path: Path
) -> None:
    callback = ScheduleCallback(schedule, monitor, step_every)
    make_net(callback, max_epochs=8).fit(X, Y)
    first, expected = used[: 5 * BATCHES], used[5 * BATCHES :]
    assert len(expected) == 3 * BATCHES

    first_run = make_net(clone(callback), max_epochs=5).set_params(
        callbacks__schedule__total_epochs=8
    )
    used.clear()
    first_run.fit(X, Y)
    assert used == first
    pickled = pickle.dumps(first_run.set_params(max_epochs=3))
    first_run.set_params(callbacks__schedule__total_epochs=None)
    files = {f"f_{part}": str(tmp_path / part) for part in ("params", "optimizer", "history")}
    first_run.save_params(**files)

    used.clear()
    first_run.partial_fit(X, Y)
    assert used == expected
    used.clear()
    copy = pickle.loads(pickled)
    assert dict(copy.callbacks_)["schedule"].scheduler_ is None  # no second copy of the optimizer
    copy.partial_fit(X, Y)
    assert used == expected
    used.clear()
    other = make_net(clone(callback), max_epochs=3, warm_start=True).initialize()
    other.load_params(**files)
    other.fit(X, Y)
    assert used == expected
    used.clear()
    first_run.set_params(max_epochs=8).fit(X, Y)  # from step 0
    assert used[5 * BATCHES :] == expected


@pytest.mark.parametrize("last", [True, False])
def test_skorchs_checkpoints_resume_it_in_any_order_of_callbacks(
    last: bool, tmp_path: Path
) -> None:
    def make_resumable_net(epochs: int) -> NeuralNetRegressor:
        checkpoint = skorch_callbacks.Checkpoint(monitor=None, dirname=str(tmp_path))
        checkpoint_callbacks = [
            ("checkpoint", checkpoint),
            ("load", skorch_callbacks.LoadInitState(checkpoint)),
        ]
        net = make_net(
            ScheduleCallback(METRIC_DRIVEN, "made_up", total_epochs=8), max_epochs=epochs
        )
        column, schedule = net.callbacks
        net.callbacks = (
            [column, schedule, *checkpoint_callbacks]
            if last
            else [column, *checkpoint_callbacks, schedule]
        )
        return net

    make_resumable_net(8).fit(X, Y)
    expected = used[5 * BATCHES :]
    for file in tmp_path.iterdir():
        file.unlink()
    make_resumable_net(5).fit(X, Y)
    used.clear()
    make_resumable_net(3).fit(X, Y)
    assert used == expected


def test_a_search_over_texts_tries_each_schedule() -> None:
    texts = ["Constant(1.0)", "Linear(1.0, 0.5)", "Warmup(2) >> Cosine(4)"]
    search = GridSearchCV(
        make_net(ScheduleCallback("Constant(0.0)"), train_split=None),
        {"callbacks__schedule__schedule": texts},
        scoring="neg_mean_squared_error",
        cv=2,
    )
    search.fit(X, Y)
    steps = EPOCHS * 3  # on two folds of 10 rows
    assert len(used) == 6 * steps + EPOCHS * 5  # and the best once more on all 20
    for i in range(6):
        schedule = parse(texts[i // 2]).bind(total_steps=EPOCHS)
        assert used[i * steps : (i + 1) * steps] == compute_lrs(schedule, steps, 3)


def test_the_batches_of_an_interrupted_epoch_count() -> None:
    class Interrupt(skorch_callbacks.Callback):
        def on_batch_end(self, net: Any, training: bool = True, **kwargs: Any) -> None:
            if training and len(used) == 2 * BATCHES + 3:
                raise KeyboardInterrupt

    schedule = Linear(1.0, 0.0, over=40)
    net = make_net(ScheduleCallback(schedule, step_every="step"), ("interrupt", Interrupt()))
    net.fit(X, Y).partial_fit(X, Y)
    assert used == compute_lrs(schedule, 2 * BATCHES + 3 + EPOCHS * BATCHES)


class SkippingRegressor(NeuralNetRegressor):
    """Skips the optimizer's step in two batches, and reports it as accelerate's mixin does."""

    @property
    def accelerator(self) -> SimpleNamespace:
        batches = sum(len(epoch["batches"]) for epoch in self.history)
        return SimpleNamespace(optimizer_step_was_skipped=batches in (3, 7))

    def train_step(self, batch: Any, **options: Any) -> Any:
        if self.accelerator.optimizer_step_was_skipped:
            return self.validation_step(batch, **options)
        return super().train_step(batch, **options)


def test_batches_skipped_by_mixed_precision_are_not_counted() -> None:
    schedule = Linear(1.0, 0.0, over=40)
    net = make_net(
        ScheduleCallback(schedule, step_every="step"), kind=SkippingRegressor, max_epochs=2
    )
    net.set_params(train_split=None).fit(X, Y).partial_fit(X, Y)
    assert used == compute_lrs(schedule, 4 * 5 - 2)
    used.clear()
    by_epoch = make_net(
        ScheduleCallback(schedule), kind=SkippingRegressor, train_split=None, batch_size=7
    )
    by_epoch.fit(X, Y)  # the last batch of the first epoch is skipped, but the epoch counts
    assert used[2::3] == compute_lrs(schedule, EPOCHS)[1:]


def test_skorchs_own_callback_takes_the_scheduler() -> None:
    text = "Warmup(2) >> Cosine(4)"
    callback = skorch_callbacks.LRScheduler(policy=lrlab.LRScheduler, schedule=text)
    net = make_net(callback).fit(X, Y)
    assert used == compute_lrs(parse(text), EPOCHS * BATCHES, BATCHES)
    assert net.history[:, "event_lr"] == [lr for (lr,) in used[::BATCHES]]


def test_mistakes_are_refused() -> None:
    with raises(SchedulerError, "step_every", "'batch'"):
        make_net(ScheduleCallback("Linear()", step_every="batch")).fit(X, Y)
    with raises(ScheduleError, "did you mean Linear"):
        make_net(ScheduleCallback("Liner()")).initialize()
    with raises(SchedulerError, "monitor", "'valid_los'", "did you mean valid_loss"):
        make_net(ScheduleCallback(Plateau(), "valid_los")).fit(X, Y)
