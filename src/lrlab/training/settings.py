"""``Settings``: the hyperparameters of a run, their checks, and the number of its steps."""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lrlab._checks import to_finite_float, to_integer
from lrlab.errors import ScheduleError, TrainingError
from lrlab.problems import Trainable
from lrlab.schedules import Schedule

STEP_EVERY_CHOICES = ("epoch", "step")
FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class OptimizerType:
    """An optimizer of torch that runs can use, and how it is tuned by default.

    Args:
        torch_name: name of its class in ``torch.optim``.
        hyperparameters: the settings that it has, beside the learning rate.
        default_lr: learning rate of a training without tuning.
        lr_grid: peak learning rates to tune, two per power of ten.
        momentum_grid: momenta to tune; 0 alone if it has no momentum.
    """

    torch_name: str
    hyperparameters: tuple[str, ...]
    default_lr: float
    lr_grid: tuple[float, ...]
    momentum_grid: tuple[float, ...] = (0.0,)


_ADAM_HYPERPARAMETERS = ("betas", "eps", "weight_decay")
_ADAM_LRS = (0.0003, 0.001, 0.003, 0.01, 0.03)

OPTIMIZERS = {
    "sgd": OptimizerType(
        "SGD",
        ("momentum", "dampening", "nesterov", "weight_decay"),
        default_lr=0.1,  # the tutorial's; Adam has torch's
        lr_grid=(0.01, 0.03, 0.1, 0.3, 1.0),
        momentum_grid=(0.0, 0.9),
    ),
    "adam": OptimizerType("Adam", _ADAM_HYPERPARAMETERS, 0.001, _ADAM_LRS),
    "adamw": OptimizerType("AdamW", _ADAM_HYPERPARAMETERS, 0.001, _ADAM_LRS),
    "rmsprop": OptimizerType(
        "RMSprop",
        ("momentum", "alpha", "eps", "centered", "weight_decay"),
        default_lr=0.001,
        lr_grid=_ADAM_LRS,
        momentum_grid=(0.0, 0.9),
    ),
}
"""The optimizers by their names in settings; their update rules are in ``ensemble.optimizers``."""


@dataclass(frozen=True)
class Settings:
    """The hyperparameters of a run.

    Args:
        lr: base learning rate, above 0.
        momentum: momentum of SGD and RMSprop, 0 or more and below 1.
        optimizer: ``"sgd"``, ``"adam"``, ``"adamw"`` or ``"rmsprop"``, in capitals or not.
        epochs: passes over the training rows, 1 or more.
        batch_size: rows per step, 1 or more; the last batch of an epoch may be smaller.
        step_every: when ``scheduler.step()`` is called: after every ``"epoch"``, or after every
            ``"step"`` of the optimizer.
        shuffle: whether the training rows are shuffled before every epoch, by the seed.
        weight_decay: weight decay, 0 or more; torch's default if None: 0.01 for AdamW, else 0.
        dampening: dampening of SGD's momentum, from 0 to 1.
        nesterov: whether SGD uses Nesterov momentum; it needs momentum and no dampening.
        betas: decay rates of the averages of Adam and AdamW, two numbers of 0 or more and below 1.
        eps: term that Adam, AdamW and RMSprop add to the denominator, above 0.
        alpha: decay rate of the average of RMSprop, 0 or more and below 1.
        centered: whether RMSprop normalizes the gradient by its estimated variance.
        max_grad_norm: largest norm of the gradient, above 0; larger gradients are scaled down to
            it. None for no limit.
        validation_size: fraction of the training rows that is used for validation, not for
            training, 0 or more and below 1.

    Defaults are those of the tutorial, except for ``shuffle``; what the tutorial does not set has
    torch's default.

    Raises:
        TrainingError: a value is out of its range, or the optimizer does not have the setting.
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
        if isinstance(self.optimizer, str):  # torch writes SGD and Adam
            object.__setattr__(self, "optimizer", self.optimizer.lower())
        self._check_choices()
        # Plain numbers, so that equal settings have equal text and runs get equal ids.
        normalized = self._check_integers() | self._check_numbers()
        normalized |= {
            name: bool(getattr(self, name)) for name in ("shuffle", "nesterov", "centered")
        }
        for name, value in normalized.items():
            object.__setattr__(self, name, value)
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise TrainingError(
                f"`nesterov` needs `momentum` above 0 and `dampening` 0, got {self.momentum} and "
                f"{self.dampening}; try `momentum=0.9`."
            )

    def _check_choices(self) -> None:
        if self.optimizer not in tuple(OPTIMIZERS):
            raise TrainingError(
                f"`optimizer` must be one of {', '.join(OPTIMIZERS)}, got {self.optimizer}."
            )
        if self.step_every not in STEP_EVERY_CHOICES:
            raise TrainingError(f"`step_every` must be epoch or step, got {self.step_every}.")
        optimizer_specific = {
            name for optimizer in OPTIMIZERS.values() for name in optimizer.hyperparameters
        }
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            value = tuple(value) if isinstance(value, list) else value  # betas from JSON
            if (
                name in optimizer_specific
                and name not in OPTIMIZERS[self.optimizer].hyperparameters
                and value != field.default
            ):
                optimizers = ", ".join(
                    optimizer_name
                    for optimizer_name, optimizer in OPTIMIZERS.items()
                    if name in optimizer.hyperparameters
                )
                raise TrainingError(
                    f"`{name}` is a setting of {optimizers}, not of {self.optimizer}; leave it out."
                )

    def _check_integers(self) -> dict[str, int]:
        counts = {}
        for name in ("epochs", "batch_size"):
            count = to_integer(getattr(self, name))
            if count is None or count < 1:
                raise TrainingError(
                    f"`{name}` must be a positive whole number, got {getattr(self, name)!r}."
                )
            counts[name] = count
        return counts

    def _check_numbers(self) -> dict[str, Any]:
        lr = to_finite_float(self.lr)
        if lr is None or not 0 < lr <= FLOAT32_MAX:
            limit = f" and at most {FLOAT32_MAX:.2g}" if lr and lr > 0 else ""
            raise TrainingError(f"`lr` must be a positive number{limit}, got {self.lr!r}; try 0.1.")
        betas = self.betas
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TrainingError(f"`betas` must be two numbers, got {betas!r}; try (0.9, 0.999).")
        return {
            "lr": lr,
            "momentum": _check_fraction("momentum", self.momentum, "try 0.9"),
            "betas": tuple(_check_fraction("betas", beta, "try (0.9, 0.999)") for beta in betas),
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
        """The keyword arguments of torch's optimizer."""
        names = ("lr", *OPTIMIZERS[self.optimizer].hyperparameters)
        kwargs = {name: getattr(self, name) for name in names}
        return {name: value for name, value in kwargs.items() if value is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return all settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def count_validation_rows(self, train_rows: int) -> int:
        """Return how many of ``train_rows`` rows are validation rows: at least 1 if any.

        Raises:
            TrainingError: no row would be left to train on.
        """
        count = max(1, round(self.validation_size * train_rows)) if self.validation_size else 0
        if count >= train_rows:
            raise TrainingError(
                f"validation_size={self.validation_size} leaves none of {train_rows} rows to train "
                "on; use a smaller fraction, or more rows."
            )
        return count

    def count_batches_per_epoch(self, train_rows: int) -> int:
        """Return the steps of the optimizer per epoch, for a problem with ``train_rows`` rows."""
        return math.ceil((train_rows - self.count_validation_rows(train_rows)) / self.batch_size)

    def count_steps_per_epoch(self, train_rows: int) -> int:
        """Return the calls of ``scheduler.step()`` per epoch, for ``train_rows`` rows."""
        return 1 if self.step_every == "epoch" else self.count_batches_per_epoch(train_rows)

    def bind(self, schedule: Schedule, train_rows: int, base: float | None = None) -> Schedule:
        """Return a schedule with its durations in steps of this training.

        Args:
            schedule: schedule of the learning rate, or of another hyperparameter.
            train_rows: training rows of the problem, including the validation rows.
            base: value that the schedule multiplies; the base learning rate if None.

        Raises:
            ScheduleError: the schedule cannot be bound, has no finite value in the range of
                float32 at some step, or makes the learning rate 0 at every step.
        """
        steps_per_epoch = self.count_steps_per_epoch(train_rows)
        bound = schedule.bind(
            total_steps=self.epochs * steps_per_epoch, steps_per_epoch=steps_per_epoch
        )
        # A formula may fail at any step: find out now, not after hours of training.
        values = bound(
            np.arange(self.epochs * steps_per_epoch + 1), base=self.lr if base is None else base
        )
        if values.max() > FLOAT32_MAX:
            raise ScheduleError(
                f"{bound} must be at most {FLOAT32_MAX:.2g}, the largest float32, but it is "
                f"{values.max():g} at t = {values.argmax()}."
            )
        if base is None and not values.any():
            raise ScheduleError(f"{bound} must be above 0 at some step, but it is 0 at every one.")
        return bound


def check_settings(problem: Trainable, settings: Settings) -> None:
    """Reject settings that a problem cannot be trained with.

    Raises:
        TrainingError: validation rows leave none to train on; or ``step_every`` is ``"step"``,
            which a training function decides.
    """
    if problem.has_rows:
        settings.count_validation_rows(problem.train_rows)
    elif settings.step_every == "step":
        raise TrainingError(
            "`step_every` must be epoch for a training function, which decides itself how often "
            "the scheduler steps, as in run.create_scheduler(optimizer, steps_per_epoch=100); "
            "leave it out."
        )


def _check_fraction(name: str, value: Any, hint: str) -> float:
    number = to_finite_float(value)
    if number is None or not 0 <= number < 1:
        raise TrainingError(f"`{name}` must be 0 or more and below 1, got {value!r}; {hint}.")
    return number


def _check_range(name: str, value: Any, upper: float) -> float:
    number = to_finite_float(value)
    if number is None or not 0 <= number <= upper:
        raise TrainingError(f"`{name}` must be from 0 to {upper:g}, got {value!r}; try 0.")
    return number


def _check_positive(name: str, value: Any, hint: str) -> float:
    number = to_finite_float(value)
    if number is None or not number > 0:
        raise TrainingError(f"`{name}` must be a positive number, got {value!r}; {hint}.")
    return number
