"""A run: one training of one problem, with one schedule, one set of settings and one seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lrlab._checks import to_integer
from lrlab.errors import TrainingError
from lrlab.schedules import Schedule
from lrlab.training.settings import Settings


@dataclass(frozen=True)
class Run:
    """One training, fully determined by its fields and its problem.

    Args:
        schedule: the rate at every step; None for no scheduler at all, as in the tutorial's
            first program.
        settings: the hyperparameters.
        seed: what fixes split, initial weights and order of batches.
        hyperparameter_schedules: the schedules of other hyperparameters by the names that ``LRScheduler`` takes,
            such as ``{"momentum": Linear(1, 0.9, over=30)}``.

    Raises:
        TrainingError: the seed is none, or something that is no schedule stands for one.
    """

    schedule: Schedule | None
    settings: Settings
    seed: int
    hyperparameter_schedules: Mapping[str, Schedule] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        seed = to_integer(self.seed)
        if seed is None or seed < 0:
            raise TrainingError(f"a seed must be a whole number of 0 or more, got {self.seed}.")
        if "lr" in self.hyperparameter_schedules:
            raise TrainingError("lr must have one schedule, the run's own; leave it out of others.")
        for name, schedule in self.schedules.items():
            if not isinstance(schedule, Schedule):
                raise TrainingError(
                    f"the schedule of {name} must be a schedule, got {schedule!r}; parse(...) "
                    "reads one from a text."
                )

    @property
    def schedules(self) -> dict[str, Schedule]:
        """Every schedule by the name of its hyperparameter, the rate's first."""
        lr_schedule = {} if self.schedule is None else {"lr": self.schedule}
        return {**lr_schedule, **self.hyperparameter_schedules}

    def bind(self, train_rows: int) -> dict[str, Schedule]:
        """``schedules`` with durations in steps, for a problem of so many training rows.

        Raises:
            ScheduleError: one cannot be bound to this training, or cannot be trained with.
            TrainingError: RMSprop's momentum begins at 0, which torch cannot change later.
        """
        bound_schedules = {
            name: self.settings.bind(schedule, train_rows, base=None if name == "lr" else 1.0)
            for name, schedule in self.schedules.items()
        }
        if self.settings.optimizer == "rmsprop" and "momentum" in bound_schedules:
            momentum, base = bound_schedules["momentum"], self.settings.momentum
            if momentum(0, base=base) == 0 and (base or not momentum.is_relative):
                raise TrainingError(
                    "the momentum of rmsprop must be above 0 at its first step to have a schedule, "
                    f"but {momentum} begins at 0; begin just above, as at Absolute(1e-9)."
                )
        return bound_schedules
