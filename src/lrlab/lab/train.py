"""``plan_training``: one training, as ``lrlab train`` runs it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from lrlab.dialects import parse
from lrlab.lab.inputs import ProblemInput, find_warnings, load_problem_input
from lrlab.problems import Metric, Trainable
from lrlab.schedules import Schedule
from lrlab.training import OPTIMIZERS, Result, Run, Settings
from lrlab.training import Epoch as Epoch
from lrlab.training import train as train_run
from lrlab.training.engines import use_one_thread


@dataclass(frozen=True, eq=False, repr=False)
class PlannedTraining:
    """One training that is planned and not run yet.

    Args:
        problem: what is trained.
        run: schedule, settings and seed.
    """

    problem: Trainable
    run: Run

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of likely mistakes in the data and in the schedule."""
        schedules = [] if self.run.schedule is None else [self.run.schedule]
        return find_warnings(self.problem, (self.run.settings,), schedules)

    rescaled_schedules: ClassVar[tuple[Schedule, ...]] = ()
    """A single training takes the schedule as it is."""

    def train(self, on_epoch_end: Callable[[Epoch], None] = lambda epoch: None) -> Result:
        """Train it in this process, and return its result.

        Args:
            on_epoch_end: called at the end of every epoch.

        Raises:
            ScheduleError, TrainingError: see ``lrlab.training.train``.
        """
        with use_one_thread():
            return train_run(self.problem, self.run, on_epoch_end)


def plan_training(
    problem: ProblemInput,
    schedule: Schedule | str | None = None,
    *,
    target: str | None = None,
    task: str | None = None,
    metric: str | Metric | None = None,
    lr: float | None = None,
    momentum: float = 0.0,
    seed: int = 0,
    validation_size: float = 0.0,
    optimizer: str = "sgd",
    weight_decay: float | None = None,
    dampening: float = 0.0,
    nesterov: bool = False,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    alpha: float = 0.99,
    centered: bool = False,
    max_grad_norm: float | None = None,
    epochs: int = 50,
    batch_size: int = 24,
    step_every: str = "epoch",
    shuffle: bool | None = None,
) -> PlannedTraining:
    """Plan one training, as ``lrlab train`` runs it.

    Args:
        problem, target, task, metric: see ``compare``.
        schedule: schedule of the learning rate, or its text; a constant rate if None.
        lr: base learning rate; 0.1 for SGD, 0.001 for other optimizers, if None.
        seed: fixes the split, the initial weights and the order of the batches.
        momentum, validation_size, optimizer, weight_decay, dampening, nesterov, betas, eps, alpha,
            centered, max_grad_norm, epochs, batch_size, step_every, shuffle: see ``Settings``.

    Raises:
        ProblemError, ScheduleError, TrainingError: the problem, the schedule or the settings are
            invalid.

    >>> plan_training("iris", "Cosine()", epochs=2).train().diverged
    False
    """
    trainable, _ = load_problem_input(problem, target=target, task=task, metric=metric)
    # The file of the problem may define a schedule.
    parsed_schedule = parse(schedule) if isinstance(schedule, str) else schedule
    settings = Settings(
        momentum=momentum,
        optimizer=optimizer,
        weight_decay=weight_decay,
        dampening=dampening,
        nesterov=nesterov,
        betas=betas,
        eps=eps,
        alpha=alpha,
        centered=centered,
        max_grad_norm=max_grad_norm,
        epochs=epochs,
        batch_size=batch_size,
        step_every=step_every,
        shuffle=trainable.shuffle if shuffle is None else shuffle,
        validation_size=validation_size,
    )
    base_lr = OPTIMIZERS[settings.optimizer].default_lr if lr is None else lr
    return PlannedTraining(trainable, Run(parsed_schedule, replace(settings, lr=base_lr), seed))
