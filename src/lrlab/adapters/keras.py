"""A schedule as the function that Keras' ``LearningRateScheduler`` callback calls every epoch.

What Keras can express by itself, for instance once a batch, ``lrlab.dialects.export`` writes.
"""

from collections.abc import Callable
from typing import Any

from lrlab.adapters._binding import bind_schedule


def to_function(
    schedule: Any, base: float, *, epochs: int | None = None
) -> Callable[[int, float], float]:
    """The function of the epoch, and of Keras' current rate, that gives the epoch's rate.

    The current rate is left aside: the rate of an epoch does not depend on those before, so
    ``model.fit(initial_epoch=...)`` goes on where it was. Keras needs not be installed.

    Args:
        schedule: a schedule or its text; a step of it is an epoch.
        base: the base rate, which levels are factors of; the optimizer's own is overwritten.
        epochs: those of the whole training; needed by durations such as ``"10%"`` and by shapes
            without a duration.

    Raises:
        SchedulerError: ``schedule`` is none, or reads a metric.
        ScheduleError: the schedule needs ``epochs``, or ``base`` is no rate.

    >>> rate = to_function("Warmup(2) >> Cosine()", 0.3, epochs=50)
    >>> [round(rate(epoch, 0.0), 3) for epoch in (0, 1, 2, 26, 49)]
    [0.1, 0.2, 0.3, 0.15, 0.0]

    To Keras it is given as ``callbacks=[keras.callbacks.LearningRateScheduler(rate)]``.
    """
    bound = bind_schedule(schedule, "Keras' LearningRateScheduler", epochs, 1)
    bound(0, base=base)  # what is wrong with base is told now, not in the first epoch

    def get_lr(epoch: int, current_lr: float = base) -> float:
        return bound(epoch, base=base)

    return get_lr
