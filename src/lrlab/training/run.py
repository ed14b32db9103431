"""``Run``: one training, given by its schedules, its settings and its seed."""

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
        schedule: schedule of the learning rate; None trains without a scheduler.
        settings: the hyperparameters.
        seed: fixes the split, the initial weights and the order of the batches.
        hyperparameter_schedules: schedules of other hyperparameters, by the names that
            ``LRScheduler`` takes, such as ``{"momentum": Linear(1, 0.9, over=30)}``.

    Raises:
        TrainingError: the seed is not a non-negative whole number, or a schedule is not a
            ``Schedule``.
    """

    schedule: Schedule | None
    settings: Settings
    seed: int
    hyperparameter_schedules: Mapping[str, Schedule] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        seed = to_integer(self.seed)
        if seed is None or seed < 0:
            raise TrainingError(f"`seed` must be a non-negative whole number, got {self.seed!r}.")
        if "lr" in self.hyperparameter_schedules:
            raise TrainingError(
                "hyperparameter_schedules must not contain lr; give its schedule as schedule."
            )
        for name, schedule in self.schedules.items():
            if not isinstance(schedule, Schedule):
                raise TrainingError(
                    f"the schedule of {name} must be a Schedule, got {schedule!r}; for text use "
                    "lrlab.parse(...)."
                )

    @property
    def schedules(self) -> dict[str, Schedule]:
        """All schedules by the name of their hyperparameter, ``lr`` first."""
        lr_schedule = {} if self.schedule is None else {"lr": self.schedule}
        return {**lr_schedule, **self.hyperparameter_schedules}

    def bind(self, train_rows: int) -> dict[str, Schedule]:
        """Return ``schedules`` with durations in steps, for a problem with ``train_rows`` rows.

        Raises:
            ScheduleError: a schedule cannot be bound to this training, or gives an unusable value.
            TrainingError: the momentum of RMSprop starts at 0, which torch cannot change later.
        """
        bound_schedules = {
            name: self.settings.bind(schedule, train_rows, base=None if name == "lr" else 1.0)
            for name, schedule in self.schedules.items()
        }
        if self.settings.optimizer == "rmsprop" and "momentum" in bound_schedules:
            momentum, base = bound_schedules["momentum"], self.settings.momentum
            if momentum(0, base=base) == 0 and (base or not momentum.is_relative):
                raise TrainingError(
                    "the schedule of momentum must be above 0 at its first step for rmsprop, but "
                    f"{momentum} starts at 0; start just above it, such as at Absolute(1e-9)."
                )
        return bound_schedules
