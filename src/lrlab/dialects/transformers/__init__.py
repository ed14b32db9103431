"""transformers.optimization's schedules, by transformers' names, arguments and defaults.

Each function takes what transformers' takes, less ``optimizer``, ``last_epoch`` and ``verbose``.
``t`` counts calls of ``scheduler.step()``: the rate at t = 0 is that of the first step, which
after a warm-up from 0 is 0. ``min_lr``, ``max_lr``, ``lr_end`` and ``eps`` are absolute rates,
``min_lr_rate``, ``min_lr_ratio`` and ``warmup_lr_rate`` factors. ``get_adafactor_schedule`` is
missing: it reports the rates that Adafactor chooses, and chooses none itself.

Where they differ on purpose:

- Cosines hold their last rate past the end; transformers' climb again.
- ``num_cycles`` must be above 0, that of hard restarts a whole number; transformers takes any,
  and with 0 stays at the peak.
- Where k of c hard restarts fall on a whole step, the rate there is the peak; transformers' may be
  0 for that one step, by the last bits of a division.
- ``get_polynomial_decay_schedule_with_warmup`` cannot know the base rate, so an ``lr_end`` above it
  is reached by climbing, and transformers refuses it; with no step after the warm-up it is at
  ``lr_end``, where transformers divides by 0. ``power`` must be above 0.
- ``get_wsd_schedule`` refuses a warm-up and a decay that together are longer than the training;
  transformers begins the decay in its middle.
- A NaN in a smoothed metric is forgotten with the window; transformers' average stays NaN.

Every function raises ``ScheduleError`` where an argument is out of its domain: numbers of steps are
0 or more.
"""

from lrlab.dialects.transformers.by_name import get_scheduler
from lrlab.dialects.transformers.reactive import (
    get_greedy_schedule,
    get_reduce_on_plateau_schedule,
)
from lrlab.dialects.transformers.stable import get_wsd_schedule
from lrlab.dialects.transformers.warmed import (
    get_constant_schedule,
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup_lr_rate,
    get_inverse_sqrt_schedule,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
)

__all__ = [
    "get_constant_schedule",
    "get_constant_schedule_with_warmup",
    "get_cosine_schedule_with_warmup",
    "get_cosine_with_hard_restarts_schedule_with_warmup",
    "get_cosine_with_min_lr_schedule_with_warmup",
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
    "get_greedy_schedule",
    "get_inverse_sqrt_schedule",
    "get_linear_schedule_with_warmup",
    "get_polynomial_decay_schedule_with_warmup",
    "get_reduce_on_plateau_schedule",
    "get_scheduler",
    "get_wsd_schedule",
]
