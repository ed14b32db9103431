"""The hyperparameters of a run, and how its schedules are bound to the training they make."""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lrlab._checks import to_finite_float, to_integer
from lrlab.errors import ScheduleError, TrainingError
from lrlab.schedules import Schedule

STEP_EVERY_CHOICES = ("epoch", "step")
FLOAT32_MAX = float(np.finfo(np.float32).max)

_ADAM_HYPERPARAMETERS = ("betas", "eps", "weight_decay")
OPTIMIZER_HYPERPARAMETERS = {
    "sgd": ("momentum", "dampening", "nesterov", "weight_decay"),
    "adam": _ADAM_HYPERPARAMETERS,
    "adamw": _ADAM_HYPERPARAMETERS,
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
        step_every: what calls ``scheduler.step()``: every ``"epoch"``, as in the tutorial, or every
            ``"step"`` of the optimizer.
        shuffle: whether batches are reshuffled every epoch by the seed.
        weight_decay: 0 or more; torch's own default when left out: 0.01 for AdamW, else 0.
        dampening: of SGD's momentum, from 0 to 1.
        nesterov: whether SGD's momentum is Nesterov's; it needs momentum and no dampening.
        betas: of Adam and AdamW, two shares of 0 or more and below 1.
        eps: what Adam, AdamW and RMSprop add to the denominator, above 0.
        alpha: the share that RMSprop's average keeps, 0 or more and below 1.
        centered: whether RMSprop divides by the deviation from the mean gradient.
        max_grad_norm: the largest norm that the gradient of a step may have, above 0; longer ones are
            shortened to it. None for no limit.
        validation_size: the share of the training rows that is held out of training and scored after
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
    step_every: str = "epoch"
    shuffle: bool = True
    weight_decay: float | None = None
    dampening: float = 0.0
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    alpha: float = 0.99
    centered: bool = False
    max_grad_norm: float | None = None
    validation_size: float = 0.0

    def __post_init__(self) -> None:
        self._check_choices()
        # Plain numbers, so that equal settings are written alike and runs are recognised.
        normalized = self._check_integers() | self._check_numbers()
        normalized |= {
            name: bool(getattr(self, name)) for name in ("shuffle", "nesterov", "centered")
        }
        for name, value in normalized.items():
            object.__setattr__(self, name, value)
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise TrainingError(
                f"nesterov needs momentum above 0 and dampening 0, got {self.momentum} and "
                f"{self.dampening}; try momentum=0.9."
            )

    def _check_choices(self) -> None:
        if self.optimizer not in tuple(OPTIMIZER_HYPERPARAMETERS):
            raise TrainingError(
                f"the optimizer must be one of {', '.join(OPTIMIZER_HYPERPARAMETERS)}, got {self.optimizer}."
            )
        if self.step_every not in STEP_EVERY_CHOICES:
            raise TrainingError(f"step_every must be epoch or step, got {self.step_every}.")
        optimizer_specific = {name for own in OPTIMIZER_HYPERPARAMETERS.values() for name in own}
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if (
                name in optimizer_specific
                and name not in OPTIMIZER_HYPERPARAMETERS[self.optimizer]
                and value != field.default
            ):
                owners = " and ".join(
                    other for other, own in OPTIMIZER_HYPERPARAMETERS.items() if name in own
                )
                raise TrainingError(
                    f"{name} is for {owners}, {self.optimizer} has none; leave it out."
                )

    def _check_integers(self) -> dict[str, int]:
        counts = {}
        for name in ("epochs", "batch_size"):
            count = to_integer(getattr(self, name))
            if count is None or count < 1:
                raise TrainingError(
                    f"{name} must be a whole number of 1 or more, got {getattr(self, name)}."
                )
            counts[name] = count
        return counts

    def _check_numbers(self) -> dict[str, Any]:
        lr = to_finite_float(self.lr)
        if lr is None or not 0 < lr <= FLOAT32_MAX:
            limit = f" and at most {FLOAT32_MAX:.2g}" if lr and lr > 0 else ""
            raise TrainingError(
                f"the rate must be a number above 0{limit}, got {self.lr}; try 0.1."
            )
        betas = self.betas
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TrainingError(f"betas must be two numbers, got {betas!r}; try (0.9, 0.999).")
        return {
            "lr": lr,
            "momentum": _check_fraction("momentum", self.momentum, "try 0.9"),
            "betas": tuple(
                _check_fraction("each of betas", beta, "try (0.9, 0.999)") for beta in betas
            ),
            "alpha": _check_fraction("alpha", self.alpha, "try 0.99"),
            "validation_size": _check_fraction("validation_size", self.validation_size, "try 0.2"),
            "dampening": _check_range("dampening", self.dampening, 1.0),
            "eps": _check_positive("eps", self.eps, "try 1e-8"),
            "weight_decay": None
            if self.weight_decay is None
            else _check_range("weight_decay", self.weight_decay, FLOAT32_MAX),
            "max_grad_norm": None
            if self.max_grad_norm is None
            else _check_positive("max_grad_norm", self.max_grad_norm, "try 1"),
        }

    @property
    def optimizer_kwargs(self) -> dict[str, Any]:
        """What torch's optimizer is built with beside the parameters, by its own names."""
        kwargs = {
            name: getattr(self, name) for name in ("lr", *OPTIMIZER_HYPERPARAMETERS[self.optimizer])
        }
        return {name: value for name, value in kwargs.items() if value is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return all settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def count_validation_rows(self, train_rows: int) -> int:
        """How many of so many training rows are held out: one at least where any are.

        Raises:
            TrainingError: that would leave none to train on.
        """
        count = max(1, round(self.validation_size * train_rows)) if self.validation_size else 0
        if count >= train_rows:
            raise TrainingError(
                f"validation_size={self.validation_size} of {train_rows} training rows leaves none to train on; "
                "use a smaller share, or more rows."
            )
        return count

    def count_batches_per_epoch(self, train_rows: int) -> int:
        """Steps of the optimizer in an epoch of a problem with so many training rows."""
        return math.ceil((train_rows - self.count_validation_rows(train_rows)) / self.batch_size)

    def count_steps_per_epoch(self, train_rows: int) -> int:
        """Calls of ``scheduler.step()`` in an epoch of a problem with so many training rows."""
        return 1 if self.step_every == "epoch" else self.count_batches_per_epoch(train_rows)

    def bind(self, schedule: Schedule, train_rows: int, base: float | None = None) -> Schedule:
        """The schedule with its durations in steps of a training on a problem of so many training
        rows.

        Args:
            schedule: of the rate, or of another hyperparameter.
            train_rows: the training rows of the problem, those held out among them.
            base: what the schedule is a factor of, the base rate when left out.

        Raises:
            ScheduleError: it cannot be bound, or cannot be trained with: at some step its rate is
                none or beyond float32, or at every step 0.
        """
        steps_per_epoch = self.count_steps_per_epoch(train_rows)
        bound = schedule.bind(
            total_steps=self.epochs * steps_per_epoch, steps_per_epoch=steps_per_epoch
        )
        # A formula may fail at any step; better now than hours into training.
        values = bound(
            np.arange(self.epochs * steps_per_epoch + 1), base=self.lr if base is None else base
        )
        if values.max() > FLOAT32_MAX:
            raise ScheduleError(
                f"{bound} gives a rate of {values.max():g} at t = {values.argmax()}; the highest "
                f"that float32 can hold is {FLOAT32_MAX:.2g}."
            )
        if base is None and not values.any():
            raise ScheduleError(f"{bound} is 0 at every step, so nothing would be trained.")
        return bound


def _check_fraction(name: str, value: Any, hint: str) -> float:
    number = to_finite_float(value)
    if number is None or not 0 <= number < 1:
        raise TrainingError(f"{name} must be 0 or more and below 1, got {value}; {hint}.")
    return number


def _check_range(name: str, value: Any, upper: float) -> float:
    number = to_finite_float(value)
    if number is None or not 0 <= number <= upper:
        raise TrainingError(f"{name} must be from 0 to {upper:g}, got {value}; try 0.")
    return number


def _check_positive(name: str, value: Any, hint: str) -> float:
    number = to_finite_float(value)
    if number is None or not number > 0:
        raise TrainingError(f"{name} must be a number above 0, got {value}; {hint}.")
    return number
