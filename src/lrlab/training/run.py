"""A run: one training of one problem, with one schedule, one set of settings and one seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lrlab.errors import TrainingError
from lrlab.schedules import Schedule
from lrlab.schedules.numbers import whole
from lrlab.training.settings import Settings


@dataclass(frozen=True)
class Run:
    """One training, fully determined by its fields and its problem.

    Args:
        schedule: the rate at every step; None for no scheduler at all, as in the tutorial's
            first program.
        settings: the hyperparameters.
        seed: what fixes split, initial weights and order of batches.
        others: the schedules of other hyperparameters by the names that ``LRScheduler`` takes,
            such as ``{"momentum": Linear(1, 0.9, over=30)}``.
    """

    schedule: Schedule | None
    settings: Settings
    seed: int
    others: Mapping[str, Schedule] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        seed = whole(self.seed)
        if seed is None or seed < 0:
            raise TrainingError(f"a seed must be a whole number of 0 or more, got {self.seed}.")

    @property
    def scheduled(self) -> dict[str, Schedule]:
        """Every schedule by the name of its hyperparameter, the rate's first."""
        rate = {} if self.schedule is None else {"lr": self.schedule}
        return {**rate, **self.others}

    def bound(self, rows: int) -> dict[str, Schedule]:
        """``scheduled`` with durations in steps, for a problem of so many training rows.

        Raises:
            ScheduleError: one cannot be bound to this training, or cannot be trained with.
        """
        return {
            name: self.settings.bind(schedule, rows, base=None if name == "lr" else 1.0)
            for name, schedule in self.scheduled.items()
        }
