"""The check on what a schedule computed, for those whose parameters cannot promise a rate."""

import numpy as np

from lrlab.errors import ScheduleError
from lrlab.schedules.base import Array, Schedule


def check_rates(rates: Array, t: Array, schedule: Schedule) -> Array:
    """``rates``, when each is finite and 0 or more.

    Raises:
        ScheduleError: one is not; the message names the first step at which it happens.
    """
    wrong = ~(np.isfinite(rates) & (rates >= 0))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ScheduleError(
            f"{schedule} must give a finite rate of 0 or more, but at t = {t[first]:g} it gives "
            f"{rates[first]:g}."
        )
    return rates
