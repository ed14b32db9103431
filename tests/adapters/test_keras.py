"""The function in a real Keras fit: the rates of the epochs are the schedule's own."""

import os
from typing import Any

import keras
import numpy as np
import pytest

from lrlab import Absolute, Cosine, Plateau, Schedule, Warmup
from lrlab.adapters.keras import to_function
from lrlab.errors import ScheduleError, SchedulerError

os.environ.setdefault("KERAS_BACKEND", "torch")


EPOCHS = 8

# Keras asks torch's parameters for an array in a way that NumPy 2 is to end.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


class Noting(keras.callbacks.Callback):
    """Notes what the optimizer holds in every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.used.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))


def trained(rate: Any, *epochs: int) -> list[float]:
    """The rates of all batches, trained up to each of ``epochs`` in turn."""
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), loss="mse")
    x, notes, done = np.ones((4, 1)), Noting(), 0
    for end in epochs:
        callbacks = [keras.callbacks.LearningRateScheduler(rate), notes]
        words = {"epochs": end, "initial_epoch": done, "batch_size": 2, "verbose": 0}
        model.fit(x, x, callbacks=callbacks, **words)
        done = end
    return notes.used


def values(schedule: Schedule, base: float) -> list[float]:
    """The rates of two batches an epoch, as Keras holds them in float32."""
    rates = schedule(np.repeat(np.arange(EPOCHS), 2), base=base)
    return np.float32(rates).tolist()


@pytest.mark.parametrize("schedule", ["Warmup('25%') >> Cosine()", Warmup("2ep") >> Cosine()])
@pytest.mark.parametrize("epochs", [(EPOCHS,), (3, EPOCHS)], ids=["at once", "resumed"])
def test_every_epoch_has_the_schedules_rate(schedule: Any, epochs: tuple[int, ...]) -> None:
    rate = to_function(schedule, 0.1, epochs=EPOCHS)
    assert trained(rate, *epochs) == values(Warmup(2) >> Cosine(6), base=0.1)


def test_absolute_rates_are_themselves() -> None:
    schedule = Cosine(EPOCHS, end=Absolute(0.01))
    assert trained(to_function(schedule, 0.1), EPOCHS) == values(schedule, base=0.1)


def test_mistakes_are_told_at_once() -> None:
    with pytest.raises(SchedulerError, match=r"must read no metric, for Keras'"):
        to_function(Warmup(5) >> Plateau(), 0.1)
    with pytest.raises(SchedulerError, match=r"must be a schedule such as .* got 0\.1"):
        to_function(0.1, 0.1)
    with pytest.raises(ScheduleError, match="how many steps the whole has"):
        to_function("Cosine()", 0.1)
    with pytest.raises(ScheduleError, match="base must be a rate"):
        to_function("Cosine(5)", -0.1)
