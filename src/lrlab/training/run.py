"""A run and what comes of it: one training of one problem, with one schedule and one seed."""

import math
from dataclasses import dataclass

import numpy as np

from lrlab.errors import ScheduleError, TrainingError
from lrlab.schedules import Schedule
from lrlab.schedules.numbers import real, whole

OPTIMIZERS = ("sgd", "adam", "adamw")
PERIODS = ("epoch", "step")
HIGHEST_RATE = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Settings:
    """The hyperparameters that runs of a study share.

    Args:
        lr: the base rate, above 0.
        momentum: of SGD, 0 or more and below 1; the other optimizers have none.
        optimizer: ``"sgd"``, ``"adam"`` or ``"adamw"``, otherwise with torch's own defaults.
        epochs: passes over the training rows, 1 or more.
        batch_size: rows per step, 1 or more; the last batch of an epoch may be smaller.
        per: what calls ``scheduler.step()``: every ``"epoch"``, as in the tutorial, or every
            ``"step"`` of the optimizer.
        shuffle: whether batches are reshuffled every epoch by the seed.

    Defaults are the tutorial's, but for ``shuffle``, which is what most people do.

    Raises:
        TrainingError: one of them is out of its range.
    """

    lr: float = 0.1
    momentum: float = 0.0
    optimizer: str = "sgd"
    epochs: int = 50
    batch_size: int = 24
    per: str = "epoch"
    shuffle: bool = True

    def __post_init__(self) -> None:
        lr, momentum = real(self.lr), real(self.momentum)
        if lr is None or not 0 < lr <= HIGHEST_RATE:
            most = f" and at most {HIGHEST_RATE:.2g}" if lr and lr > 0 else ""
            raise TrainingError(f"the rate must be a number above 0{most}, got {self.lr}; try 0.1.")
        if self.optimizer not in OPTIMIZERS:
            raise TrainingError(
                f"the optimizer must be one of {', '.join(OPTIMIZERS)}, got {self.optimizer}."
            )
        if momentum is None or not 0 <= momentum < 1:
            raise TrainingError(
                f"momentum must be 0 or more and below 1, got {self.momentum}; try 0.9."
            )
        if momentum and self.optimizer != "sgd":
            raise TrainingError(f"momentum is for sgd, {self.optimizer} has none; leave it out.")
        for name, value in (("epochs", self.epochs), ("batch_size", self.batch_size)):
            count = whole(value)
            if count is None or count < 1:
                raise TrainingError(f"{name} must be a whole number of 1 or more, got {value}.")
            object.__setattr__(self, name, count)
        # Plain numbers, so that equal settings are written alike and runs are recognised.
        object.__setattr__(self, "lr", lr)
        object.__setattr__(self, "momentum", momentum)
        object.__setattr__(self, "shuffle", bool(self.shuffle))
        if self.per not in PERIODS:
            raise TrainingError(f"per must be epoch or step, got {self.per}.")

    def steps_per_epoch(self, rows: int) -> int:
        """Calls of ``scheduler.step()`` in an epoch of so many training rows."""
        return 1 if self.per == "epoch" else math.ceil(rows / self.batch_size)

    def bind(self, schedule: Schedule, rows: int) -> Schedule:
        """The schedule with its durations in steps of a training on so many rows.

        Raises:
            ScheduleError: it cannot be bound, or cannot be trained with: it reads a metric, or
                at some step its rate is none or beyond float32, or at every step 0.
        """
        if schedule.reactive:
            raise ScheduleError(
                f"{schedule} reads a metric, and no run can be trained with that yet; drive it "
                "in your own loop with LRScheduler."
            )
        epoch = self.steps_per_epoch(rows)
        bound = schedule.bind(total=self.epochs * epoch, epoch=epoch)
        self._refuse_wrong_rates(bound, self.epochs * epoch)
        return bound

    def _refuse_wrong_rates(self, schedule: Schedule, total: int) -> None:
        # A formula may fail at any step; better now than hours into training.
        rates = schedule(np.arange(total + 1), base=self.lr)
        if rates.max() > HIGHEST_RATE:
            raise ScheduleError(
                f"{schedule} gives a rate of {rates.max():g} at t = {rates.argmax()}; the highest "
                f"that float32 can hold is {HIGHEST_RATE:.2g}."
            )
        if not rates.any():
            raise ScheduleError(f"{schedule} is 0 at every step, so nothing would be trained.")


@dataclass(frozen=True)
class Run:
    """One training, fully determined by its fields and its problem.

    Args:
        schedule: the rate at every step; None for no scheduler at all, as in the tutorial's
            first program.
        settings: the hyperparameters.
        seed: what fixes split, initial weights and order of batches.
    """

    schedule: Schedule | None
    settings: Settings
    seed: int

    def __post_init__(self) -> None:
        seed = whole(self.seed)
        if seed is None or seed < 0:
            raise TrainingError(f"a seed must be a whole number of 0 or more, got {self.seed}.")


@dataclass(frozen=True)
class Epoch:
    """One epoch of a run.

    Args:
        epoch: its number, from 0.
        before: the rate of its first step.
        after: the rate of the step after its last.
        loss: mean training loss over its rows, as trained on.
        score: the metric on the test rows at its end.
    """

    epoch: int
    before: float
    after: float
    loss: float
    score: float


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Args:
        score: the metric on the test rows after the last epoch; of a diverged run, that of a
            constant guess.
        diverged: whether an output, a loss or a weight became infinite or NaN.
        epochs: the learning curve; of a diverged run, the epochs before that of the divergence.
        seconds: wall time.
    """

    score: float
    diverged: bool
    epochs: tuple[Epoch, ...]
    seconds: float
