"""Schedules in Keras: functions for its ``LearningRateScheduler`` callback, called every epoch.

For a schedule by batch, ``lrlab.dialects.export`` writes code of Keras' own schedules.
"""

from collections.abc import Callable
from typing import Any

from lrlab.adapters._binding import bind_schedule


def to_function(
    schedule: Any, base: float, *, epochs: int | None = None
) -> Callable[[int, float], float]:
    """Return a function of the epoch and the current learning rate, which Keras calls every epoch.

    It ignores the current learning rate, so ``model.fit(initial_epoch=...)`` continues where it
    was. Keras need not be installed.

    Args:
        schedule: a schedule or its text; one step is an epoch.
        base: the base learning rate; it replaces the optimizer's own.
        epochs: epochs of the whole training; needed by durations such as ``"10%"`` and by
            primitives without a duration.

    Raises:
        SchedulerError: ``schedule`` is not a schedule, or is metric-driven.
        ScheduleError: the schedule needs ``epochs``, or ``base`` is not a learning rate.

    >>> get_lr = to_function("Warmup(2) >> Cosine()", 0.3, epochs=50)
    >>> [round(get_lr(epoch, 0.0), 3) for epoch in (0, 1, 2, 26, 49)]
    [0.1, 0.2, 0.3, 0.15, 0.0]

    Pass it to Keras as ``callbacks=[keras.callbacks.LearningRateScheduler(get_lr)]``.
    """
    bound = bind_schedule(schedule, "Keras' LearningRateScheduler", epochs, 1)
    bound(0, base=base)  # a wrong base fails now, not in the first epoch

    def get_lr(epoch: int, current_lr: float = base) -> float:
        return bound(epoch, base=base)

    return get_lr
