"""Schedules in real skorch fits: what the optimizer holds in each of its steps."""

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import skorch.callbacks as theirs
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetRegressor

import lrlab
from lrlab import Cosine, Linear, Plateau, Schedule, Warmup, parse
from lrlab.adapters.skorch import ScheduleCallback
from lrlab.errors import ScheduleError, SchedulerError

X = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
Y = X**2
EPOCHS, BATCHES = 6, 4  # the five-fold split leaves 16 rows to train on
used: list[list[float]] = []
"""The rates of the parameter groups in each step of any ``Noting`` optimizer."""


class Noting(torch.optim.SGD):
    """SGD that notes the rates of its steps; skorch copies and pickles it by its class."""

    def step(self, closure: Any = None) -> Any:
        used.append([float(group["lr"]) for group in self.param_groups])
        return super().step(closure)


class Metric:
    """A column of the history with made-up losses, one for each epoch."""

    LOSSES = (1.0, 0.9, 0.9, 0.9, 0.5, 0.6, 0.7, 0.7, 0.8)

    def __call__(self, net: Any) -> float:
        return self.LOSSES[len(net.history) - 1]


class Column(theirs.Callback):
    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        net.history.record("made_up", Metric()(net))


@pytest.fixture(autouse=True)
def fresh() -> None:
    used.clear()


def net_of(
    rates: Any, *more: Any, kind: type = NeuralNetRegressor, **words: Any
) -> NeuralNetRegressor:
    torch.manual_seed(0)
    return kind(
        torch.nn.Linear,
        module__in_features=1,
        module__out_features=1,
        optimizer=Noting,
        callbacks=[("column", Column()), ("rates", rates), *more],
        **{"lr": 0.1, "batch_size": 4, "max_epochs": EPOCHS, "verbose": 0, **words},
    )


def values(schedule: Schedule, steps: int, each: int = 1) -> list[list[float]]:
    return [[schedule(t // each, base=0.1)] for t in range(steps)]


@pytest.mark.parametrize("schedule", ["Warmup('50%') >> Cosine()", Warmup("3ep") >> Cosine()])
def test_the_whole_training_is_known_without_being_told(schedule: Any) -> None:
    by_epoch = net_of(ScheduleCallback(schedule)).fit(X, Y)
    bound = Warmup(3) >> Cosine(3)
    assert used == values(bound, EPOCHS * BATCHES, BATCHES)
    assert by_epoch.history[:, "event_lr"] == bound(np.arange(EPOCHS), base=0.1).tolist()
    used.clear()
    by_batch = net_of(ScheduleCallback(schedule, step_every="batch")).fit(X, Y)
    steps = EPOCHS * BATCHES
    assert used == values(Warmup(12) >> Cosine(12), steps)
    recorded = by_batch.history[:, "batches", :BATCHES, "event_lr"]
    assert [[rate] for epoch in recorded for rate in epoch] == used


def test_groups_and_momentum_are_recorded_by_their_names() -> None:
    rates = ScheduleCallback("Linear(1.0, 0.0)", momentum="Linear(1.0, 0.5)")
    groups = [("bias", {"lr": 1.0})]
    words = {"optimizer__param_groups": groups, "optimizer__momentum": 0.8}
    net = net_of(rates, **words).fit(X, Y)
    line = Linear(1.0, 0.0, over=EPOCHS)
    assert used[::BATCHES] == [[line(t, base=1.0), line(t, base=0.1)] for t in range(EPOCHS)]
    assert net.history[:, "event_lr/0"] == [line(t, base=1.0) for t in range(EPOCHS)]
    momenta = [Linear(1.0, 0.5, over=EPOCHS)(t, base=0.8) for t in range(EPOCHS)]
    for name in ("event_momentum/0", "event_momentum/1"):
        assert net.history[:, name] == momenta


@pytest.mark.parametrize("monitor", ["made_up", Metric()], ids=["column", "function"])
@pytest.mark.parametrize("step_every", ["epoch", "batch"])
def test_a_reactive_schedule_reads_the_monitor_every_epoch(monitor: Any, step_every: str) -> None:
    rates = ScheduleCallback(Plateau(0.5, patience=0), monitor, step_every)
    net_of(rates).fit(X, Y)
    assert used[::BATCHES] == used[BATCHES - 1 :: BATCHES]
    assert [rate for (rate,) in used[::BATCHES]] == [0.1, 0.1, 0.1, 0.05, 0.025, 0.025]


REACTIVE = "(Warmup('25%') >> Cosine()) * Plateau(0.5, patience=0)"


@pytest.mark.parametrize("monitor", ["made_up", Metric()], ids=["column", "function"])
@pytest.mark.parametrize("step_every", ["epoch", "batch"])
@pytest.mark.parametrize("schedule", [REACTIVE, "Warmup('25%') >> Cosine()"])
def test_training_goes_on_by_the_history(
    schedule: str, step_every: str, monitor: Any, tmp_path: Path
) -> None:
    rates = ScheduleCallback(schedule, monitor, step_every)
    net_of(rates, max_epochs=8).fit(X, Y)
    first, expected = used[: 5 * BATCHES], used[5 * BATCHES :]
    assert len(expected) == 3 * BATCHES

    begun = net_of(clone(rates), max_epochs=5).set_params(callbacks__rates__total_epochs=8)
    used.clear()
    begun.fit(X, Y)
    assert used == first
    pickled = pickle.dumps(begun.set_params(max_epochs=3))
    begun.set_params(callbacks__rates__total_epochs=None)
    files = {f"f_{part}": str(tmp_path / part) for part in ("params", "optimizer", "history")}
    begun.save_params(**files)

    used.clear()
    begun.partial_fit(X, Y)
    assert used == expected
    used.clear()
    copy = pickle.loads(pickled)
    assert dict(copy.callbacks_)["rates"].scheduler_ is None  # no second copy of the optimizer
    copy.partial_fit(X, Y)
    assert used == expected
    used.clear()
    other = net_of(clone(rates), max_epochs=3, warm_start=True).initialize()
    other.load_params(**files)
    other.fit(X, Y)
    assert used == expected
    used.clear()
    begun.set_params(max_epochs=8).fit(X, Y)  # anew
    assert used[5 * BATCHES :] == expected


@pytest.mark.parametrize("last", [True, False])
def test_skorchs_checkpoints_resume_it_wherever_they_stand(last: bool, tmp_path: Path) -> None:
    def net(epochs: int) -> NeuralNetRegressor:
        keep = theirs.Checkpoint(monitor=None, dirname=str(tmp_path))
        others = [("keep", keep), ("load", theirs.LoadInitState(keep))]
        made = net_of(ScheduleCallback(REACTIVE, "made_up", total_epochs=8), max_epochs=epochs)
        column, rates = made.callbacks
        made.callbacks = [column, rates, *others] if last else [column, *others, rates]
        return made

    net(8).fit(X, Y)
    expected = used[5 * BATCHES :]
    for file in tmp_path.iterdir():
        file.unlink()
    net(5).fit(X, Y)
    used.clear()
    net(3).fit(X, Y)
    assert used == expected


def test_a_search_over_texts_tries_each_schedule() -> None:
    texts = ["Constant(1.0)", "Linear(1.0, 0.5)", "Warmup(2) >> Cosine(4)"]
    search = GridSearchCV(
        net_of(ScheduleCallback("Constant(0.0)"), train_split=None),
        {"callbacks__rates__schedule": texts},
        scoring="neg_mean_squared_error",
        cv=2,
    )
    search.fit(X, Y)
    steps = EPOCHS * 3  # on two folds of 10 rows
    assert len(used) == 6 * steps + EPOCHS * 5  # and the best once more on all 20
    for i in range(6):
        schedule = parse(texts[i // 2]).bind(total_steps=EPOCHS)
        assert used[i * steps : (i + 1) * steps] == values(schedule, steps, 3)


def test_an_interrupted_epoch_counts_with_the_batches_it_had() -> None:
    class Interrupt(theirs.Callback):
        def on_batch_end(self, net: Any, training: bool = True, **kwargs: Any) -> None:
            if training and len(used) == 2 * BATCHES + 3:
                raise KeyboardInterrupt

    schedule = Linear(1.0, 0.0, over=40)
    net = net_of(ScheduleCallback(schedule, step_every="batch"), ("interrupt", Interrupt()))
    net.fit(X, Y).partial_fit(X, Y)
    assert used == values(schedule, 2 * BATCHES + 3 + EPOCHS * BATCHES)


class Skipping(NeuralNetRegressor):
    """Skips the optimizer's step in two batches, and says so as accelerate's mixin does."""

    @property
    def accelerator(self) -> SimpleNamespace:
        batches = sum(len(epoch["batches"]) for epoch in self.history)
        return SimpleNamespace(optimizer_step_was_skipped=batches in (3, 7))

    def train_step(self, batch: Any, **words: Any) -> Any:
        if self.accelerator.optimizer_step_was_skipped:
            return self.validation_step(batch, **words)
        return super().train_step(batch, **words)


def test_what_mixed_precision_skips_is_no_step() -> None:
    schedule = Linear(1.0, 0.0, over=40)
    net = net_of(ScheduleCallback(schedule, step_every="batch"), kind=Skipping, max_epochs=2)
    net.set_params(train_split=None).fit(X, Y).partial_fit(X, Y)
    assert used == values(schedule, 4 * 5 - 2)
    used.clear()
    by_epoch = net_of(ScheduleCallback(schedule), kind=Skipping, train_split=None, batch_size=7)
    by_epoch.fit(X, Y)  # the last batch of the first epoch is skipped: epochs count all the same
    assert used[2::3] == values(schedule, EPOCHS)[1:]


def test_skorchs_own_callback_takes_the_scheduler() -> None:
    text = "Warmup(2) >> Cosine(4)"
    own = theirs.LRScheduler(policy=lrlab.LRScheduler, schedule=text)
    net = net_of(own).fit(X, Y)
    assert used == values(parse(text), EPOCHS * BATCHES, BATCHES)
    assert net.history[:, "event_lr"] == [rate for (rate,) in used[::BATCHES]]


def test_mistakes_are_told() -> None:
    with pytest.raises(SchedulerError, match='must be "epoch" or "batch", got \'step\''):
        net_of(ScheduleCallback("Linear()", step_every="step")).fit(X, Y)
    with pytest.raises(ScheduleError, match="did you mean Linear"):
        net_of(ScheduleCallback("Liner()")).initialize()
    with pytest.raises(SchedulerError, match="got 'valid_los'; did you mean valid_loss"):
        net_of(ScheduleCallback(Plateau(), "valid_los")).fit(X, Y)
