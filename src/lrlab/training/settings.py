"""The hyperparameters of a run, and how its schedules are bound to the training they make."""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lrlab.errors import ScheduleError, TrainingError
from lrlab.schedules import Schedule
from lrlab.schedules.numbers import real, whole

PERIODS = ("epoch", "step")
HIGHEST_RATE = float(np.finfo(np.float32).max)

_FIRST = ("lr", "momentum", "optimizer", "epochs", "batch_size", "per", "shuffle")
_ADAM = ("betas", "eps", "weight_decay")
OPTIMIZERS = {
    "sgd": ("momentum", "dampening", "nesterov", "weight_decay"),
    "adam": _ADAM,
    "adamw": _ADAM,
    "rmsprop": ("momentum", "alpha", "eps", "centered", "weight_decay"),
}
"""The optimizers, and which of the settings are each one's own beside the rate."""


@dataclass(frozen=True)
class Settings:
    """The hyperparameters of a run.

    Args:
        lr: the base rate, above 0.
        momentum: of SGD and RMSprop, 0 or more and below 1.
        optimizer: ``"sgd"``, ``"adam"``, ``"adamw"`` or ``"rmsprop"``.
        epochs: passes over the training rows, 1 or more.
        batch_size: rows per step, 1 or more; the last batch of an epoch may be smaller.
        per: what calls ``scheduler.step()``: every ``"epoch"``, as in the tutorial, or every
            ``"step"`` of the optimizer.
        shuffle: whether batches are reshuffled every epoch by the seed.
        weight_decay: 0 or more; torch's own default when left out: 0.01 for AdamW, else 0.
        dampening: of SGD's momentum, from 0 to 1.
        nesterov: whether SGD's momentum is Nesterov's; it needs momentum and no dampening.
        betas: of Adam and AdamW, two shares of 0 or more and below 1.
        eps: what Adam, AdamW and RMSprop add to the denominator, above 0.
        alpha: the share that RMSprop's average keeps, 0 or more and below 1.
        centered: whether RMSprop divides by the deviation from the mean gradient.
        clip: the largest norm that the gradient of a step may have, above 0; longer ones are
            shortened to it. None for no limit.
        validation: the share of the training rows that is held out of training and scored after
            every epoch, 0 or more and below 1.

    Defaults are the tutorial's, but for ``shuffle``, which is what most people do; what the
    tutorial does not have is torch's default.

    Raises:
        TrainingError: one of them is out of its range, or another optimizer's.
    """

    lr: float = 0.1
    momentum: float = 0.0
    optimizer: str = "sgd"
    epochs: int = 50
    batch_size: int = 24
    per: str = "epoch"
    shuffle: bool = True
    weight_decay: float | None = None
    dampening: float = 0.0
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    alpha: float = 0.99
    centered: bool = False
    clip: float | None = None
    validation: float = 0.0

    def __post_init__(self) -> None:
        self._refuse_choices()
        # Plain numbers, so that equal settings are written alike and runs are recognised.
        plain = self._counts() | self._numbers()
        plain |= {name: bool(getattr(self, name)) for name in ("shuffle", "nesterov", "centered")}
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise TrainingError(
                f"nesterov needs momentum above 0 and dampening 0, got {self.momentum} and "
                f"{self.dampening}; try momentum=0.9."
            )

    def _refuse_choices(self) -> None:
        if self.optimizer not in tuple(OPTIMIZERS):
            raise TrainingError(
                f"the optimizer must be one of {', '.join(OPTIMIZERS)}, got {self.optimizer}."
            )
        if self.per not in PERIODS:
            raise TrainingError(f"per must be epoch or step, got {self.per}.")
        owned = {name for own in OPTIMIZERS.values() for name in own}
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if name in owned and name not in OPTIMIZERS[self.optimizer] and value != field.default:
                whose = " and ".join(other for other, own in OPTIMIZERS.items() if name in own)
                raise TrainingError(
                    f"{name} is for {whose}, {self.optimizer} has none; leave it out."
                )

    def _counts(self) -> dict[str, int]:
        counts = {}
        for name in ("epochs", "batch_size"):
            count = whole(getattr(self, name))
            if count is None or count < 1:
                raise TrainingError(
                    f"{name} must be a whole number of 1 or more, got {getattr(self, name)}."
                )
            counts[name] = count
        return counts

    def _numbers(self) -> dict[str, Any]:
        lr = real(self.lr)
        if lr is None or not 0 < lr <= HIGHEST_RATE:
            most = f" and at most {HIGHEST_RATE:.2g}" if lr and lr > 0 else ""
            raise TrainingError(f"the rate must be a number above 0{most}, got {self.lr}; try 0.1.")
        betas = self.betas
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TrainingError(f"betas must be two numbers, got {betas!r}; try (0.9, 0.999).")
        return {
            "lr": lr,
            "momentum": _share("momentum", self.momentum, "try 0.9"),
            "betas": tuple(_share("each of betas", beta, "try (0.9, 0.999)") for beta in betas),
            "alpha": _share("alpha", self.alpha, "try 0.99"),
            "validation": _share("validation", self.validation, "try 0.2"),
            "dampening": _within("dampening", self.dampening, 1.0),
            "eps": _above_zero("eps", self.eps, "try 1e-8"),
            "weight_decay": None
            if self.weight_decay is None
            else _within("weight_decay", self.weight_decay, HIGHEST_RATE),
            "clip": None if self.clip is None else _above_zero("clip", self.clip, "try 1"),
        }

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What torch's optimizer is built with beside the parameters, by its own names."""
        own = {name: getattr(self, name) for name in ("lr", *OPTIMIZERS[self.optimizer])}
        return {name: value for name, value in own.items() if value is not None}

    def described(self) -> dict[str, Any]:
        """The settings by name as they are written down: those that were not always there only
        where they differ from what was done without them.
        """
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name in _FIRST or getattr(self, field.name) != field.default
        }

    def held_out(self, rows: int) -> int:
        """How many of so many training rows are held out: one at least where any are.

        Raises:
            TrainingError: that would leave none to train on.
        """
        held = max(1, round(self.validation * rows)) if self.validation else 0
        if held >= rows:
            raise TrainingError(
                f"validation={self.validation} of {rows} training rows leaves none to train on; "
                "use a smaller share, or more rows."
            )
        return held

    def steps_of_optimizer(self, rows: int) -> int:
        """Steps of the optimizer in an epoch of a problem with so many training rows."""
        return math.ceil((rows - self.held_out(rows)) / self.batch_size)

    def steps_per_epoch(self, rows: int) -> int:
        """Calls of ``scheduler.step()`` in an epoch of a problem with so many training rows."""
        return 1 if self.per == "epoch" else self.steps_of_optimizer(rows)

    def bind(self, schedule: Schedule, rows: int, base: float | None = None) -> Schedule:
        """The schedule with its durations in steps of a training on a problem of so many training
        rows.

        Args:
            schedule: of the rate, or of another hyperparameter.
            rows: the training rows of the problem, those held out among them.
            base: what the schedule is a factor of, the base rate when left out.

        Raises:
            ScheduleError: it cannot be bound, or cannot be trained with: at some step its rate is
                none or beyond float32, or at every step 0.
        """
        epoch = self.steps_per_epoch(rows)
        bound = schedule.bind(total=self.epochs * epoch, epoch=epoch)
        # A formula may fail at any step; better now than hours into training.
        values = bound(np.arange(self.epochs * epoch + 1), base=self.lr if base is None else base)
        if values.max() > HIGHEST_RATE:
            raise ScheduleError(
                f"{bound} gives a rate of {values.max():g} at t = {values.argmax()}; the highest "
                f"that float32 can hold is {HIGHEST_RATE:.2g}."
            )
        if base is None and not values.any():
            raise ScheduleError(f"{bound} is 0 at every step, so nothing would be trained.")
        return bound


def _share(name: str, value: Any, hint: str) -> float:
    number = real(value)
    if number is None or not 0 <= number < 1:
        raise TrainingError(f"{name} must be 0 or more and below 1, got {value}; {hint}.")
    return number


def _within(name: str, value: Any, most: float) -> float:
    number = real(value)
    if number is None or not 0 <= number <= most:
        raise TrainingError(f"{name} must be from 0 to {most:g}, got {value}; try 0.")
    return number


def _above_zero(name: str, value: Any, hint: str) -> float:
    number = real(value)
    if number is None or not number > 0:
        raise TrainingError(f"{name} must be a number above 0, got {value}; {hint}.")
    return number
