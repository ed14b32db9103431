"""optax's schedules, by optax's names, arguments and defaults; optax itself is not imported.

optax's values are the rates themselves, so levels are absolute (``Rate``). The value at t is the
rate of the update for which optax's count is t, the first having 0; a boundary at b acts at t = b.

Where they differ on purpose:

- A ``power``, an ``exponent`` and a ``decay_rate`` must be above 0, but for ``decay_rate=0``, which
  is optax's way to ask for a constant; boundaries and durations must not be negative where optax
  has no meaning for that.
- ``join_schedules`` needs one boundary fewer than schedules, in ascending order; optax leaves out
  what does not fit.
- ``reduce_on_plateau`` takes a relative or an absolute tolerance, not both; averages no metrics;
  and needs a ``patience`` of 1 or more, because optax with 0 reduces after good metrics.

Every function raises ``ScheduleError`` where an argument is out of its domain.
"""

from lrlab.dialects.optax.joined import join_schedules
from lrlab.dialects.optax.pieces import (
    cosine_onecycle_schedule,
    linear_onecycle_schedule,
    piecewise_constant_schedule,
    piecewise_interpolate_schedule,
)
from lrlab.dialects.optax.plain import (
    constant_schedule,
    cosine_decay_schedule,
    exponential_decay,
    linear_schedule,
    polynomial_schedule,
)
from lrlab.dialects.optax.plateau import reduce_on_plateau
from lrlab.dialects.optax.warmed import (
    sgdr_schedule,
    warmup_constant_schedule,
    warmup_cosine_decay_schedule,
    warmup_exponential_decay_schedule,
)

__all__ = [
    "constant_schedule",
    "cosine_decay_schedule",
    "cosine_onecycle_schedule",
    "exponential_decay",
    "join_schedules",
    "linear_onecycle_schedule",
    "linear_schedule",
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "polynomial_schedule",
    "reduce_on_plateau",
    "sgdr_schedule",
    "warmup_constant_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_exponential_decay_schedule",
]
