"""The function in a real Keras fit: every epoch has the schedule's learning rate."""

import os
from typing import Any

import numpy as np
import pytest

from lrlab import Absolute, Cosine, Plateau, Schedule, Warmup
from lrlab.adapters.keras import to_function
from lrlab.errors import ScheduleError, SchedulerError
from tests.raising import raises

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras

EPOCHS = 8

pytestmark = [
    pytest.mark.integration,
    # Keras converts torch's parameters to arrays in a way that NumPy 2 deprecates.
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
    ),
]


class LrRecorder(keras.callbacks.Callback):
    """Records the optimizer's learning rate in every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.used.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))


def train(get_lr: Any, *epochs: int) -> list[float]:
    """Train up to each of ``epochs`` in turn; return the learning rates of all batches."""
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), loss="mse")
    x, recorder, done = np.ones((4, 1)), LrRecorder(), 0
    for end in epochs:
        callbacks = [keras.callbacks.LearningRateScheduler(get_lr), recorder]
        arguments = {"epochs": end, "initial_epoch": done, "batch_size": 2, "verbose": 0}
        model.fit(x, x, callbacks=callbacks, **arguments)
        done = end
    return recorder.used


def compute_lrs(schedule: Schedule, base: float) -> list[float]:
    """Return the learning rates of two batches per epoch, in Keras' float32."""
    lrs = schedule(np.repeat(np.arange(EPOCHS), 2), base=base)
    return np.float32(lrs).tolist()


@pytest.mark.parametrize("schedule", ["Warmup('25%') >> Cosine()", Warmup("2ep") >> Cosine()])
@pytest.mark.parametrize("epochs", [(EPOCHS,), (3, EPOCHS)], ids=["at once", "resumed"])
def test_every_epoch_has_the_schedules_lr(schedule: Any, epochs: tuple[int, ...]) -> None:
    get_lr = to_function(schedule, 0.1, epochs=EPOCHS)
    assert train(get_lr, *epochs) == compute_lrs(Warmup(2) >> Cosine(6), base=0.1)


def test_absolute_levels_ignore_the_base() -> None:
    schedule = Cosine(EPOCHS, end=Absolute(0.01))
    assert train(to_function(schedule, 0.1), EPOCHS) == compute_lrs(schedule, base=0.1)


def test_mistakes_fail_at_once() -> None:
    with raises(SchedulerError, "metric", "Plateau()", "Keras' LearningRateScheduler"):
        to_function(Warmup(5) >> Plateau(), 0.1)
    with raises(SchedulerError, "schedule", 0.1):
        to_function(0.1, 0.1)
    with raises(ScheduleError, "Cosine()", "total_steps"):
        to_function("Cosine()", 0.1)
    with raises(ScheduleError, "base", -0.1):
        to_function("Cosine(5)", -0.1)
