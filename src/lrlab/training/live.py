"""A run as the user's own training function is given it."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from torch.optim import Optimizer

from lrlab.errors import format_suggestion
from lrlab.optim import LRScheduler
from lrlab.problems import TrainingFunction
from lrlab.schedules import Constant, Schedule
from lrlab.training.reports import EpochReports
from lrlab.training.result import Epoch
from lrlab.training.run import Run
from lrlab.training.settings import Settings

_SETTING_NAMES = tuple(field.name for field in fields(Settings))


class RunContext:
    """A run as a training function is given it; each of the settings is an attribute of it too.

    ``run.lr``, ``run.momentum``, ``run.weight_decay``, ``run.epochs``, ``run.batch_size``,
    ``run.validation`` and so on: see ``Settings``.

    Args:
        problem: whose run it is.
        run: what is to be trained.
        device: where, by torch's name.
        on_epoch_end: called at the end of every epoch; the rate after it is not known then.

    Attributes:
        schedule: of the rate, with the durations it was written with.
        seed: what fixes the split, the initial weights and the order of batches; torch's own random
            numbers begin at it already.
        settings: the hyperparameters, all in one.
        device: where to train, by torch's name.
        reports: what was reported so far.
    """

    def __init__(
        self,
        problem: TrainingFunction,
        run: Run,
        device: str = "cpu",
        on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    ) -> None:
        self.schedule: Schedule = run.schedule or Constant(1.0)
        self.seed = run.seed
        self.settings = run.settings
        self.device = device
        self._hyperparameter_schedules = run.hyperparameter_schedules
        self.reports = EpochReports(problem, run.settings, on_epoch_end)

    def __getattr__(self, name: str) -> Any:
        if name in _SETTING_NAMES:
            return getattr(self.settings, name)
        known = (*_SETTING_NAMES, "schedule", "seed", "settings", "device", "scheduler", "report")
        raise AttributeError(
            f"a run has no {name}{format_suggestion(name, known) or '; it has ' + ', '.join(known)}"
        )

    def create_scheduler(
        self,
        optimizer: Optimizer,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
    ) -> LRScheduler:
        """The scheduler of this run, to be stepped by the function as it is told here.

        Args:
            optimizer: built with ``lr=run.lr``.
            total_steps: how often ``scheduler.step()`` will be called; ``run.epochs`` times the
                steps of an epoch when left out.
            steps_per_epoch: how often in an epoch; once when left out.

        Raises:
            ScheduleError, SchedulerError: as ``LRScheduler`` does.
        """
        epoch_steps = 1 if steps_per_epoch is None else steps_per_epoch
        total = self.settings.epochs * epoch_steps if total_steps is None else total_steps
        hyperparameter_schedules: dict[str, Any] = dict(self._hyperparameter_schedules)
        scheduler = LRScheduler(
            optimizer, self.schedule, total_steps=total, steps_per_epoch=epoch_steps, **hyperparameter_schedules
        )
        self.reports.track_optimizer(optimizer)
        return scheduler

    def report(self, epoch: int, **metrics: Any) -> None:
        """Says how an epoch has ended; called once at the end of each, 0, 1, 2, ...

        A loss or score that is infinite or no number means that the run has diverged: the function
        is left then, by an exception that it should let pass.

        Args:
            epoch: its number, from 0.
            **metrics: the metric by its name, measured on the test rows; ``validation_`` and its
                name, on the rows held out, needed where ``run.validation`` is above 0; ``loss`` and
                ``validation_loss``; ``lr`` where the rate is not set by ``run.create_scheduler``. Others
                are kept beside them. Each is a number, or what ``float`` makes one.

        Raises:
            TrainingError: the epoch is not the next one, the metric is missing, or a value is no
                number.
        """
        self.reports.add_epoch(epoch, metrics)
