"""timm.scheduler's classes, by timm's names, arguments and defaults; timm is not imported.

timm's schedulers stand on an optimizer: levels are factors of its rate, and ``lr_min`` and
``warmup_lr_init`` absolute rates. The value at t is the rate that ``step(t)`` sets, t counting
epochs or updates from 0 (``t_in_epochs`` is the scheduler's business and left out, as is
``initialize``; what follows them in timm's order must be named). A milestone at m acts at t = m - 1
in ``MultiStepLRScheduler``, and a stair of ``StepLRScheduler`` at t = decay_t.

With ``warmup_prefix`` the schedule begins after the warm-up; without, it goes on beneath it and is
met in the middle.

Where they differ on purpose:

- At t = 0, before any ``step``, timm's constructor leaves the base rate or ``warmup_lr_init``;
  these give what ``step(0)`` sets, which differs for a tanh, a milestone at 1, and noise from 0 on.
- The random stream of the noise is another; ``noise_pct`` is at most 1, so no rate is below 0.
- A cycle begins where its length says; timm's logarithm misses some beginnings by its last bits,
  and stays at the end of the cycle before for that one step.
- ``cycle_mul`` must be 1 or more, because timm raises past the sum of shrinking cycles;
  ``cycle_decay``, ``decay_rate`` and exponents must be above 0.

Every function raises ``ScheduleError`` where an argument is out of its domain.
"""

from lrlab.dialects.timm.cycles import CosineLRScheduler, PolyLRScheduler, TanhLRScheduler
from lrlab.dialects.timm.plateau import PlateauLRScheduler
from lrlab.dialects.timm.stairs import MultiStepLRScheduler, StepLRScheduler

__all__ = [
    "CosineLRScheduler",
    "MultiStepLRScheduler",
    "PlateauLRScheduler",
    "PolyLRScheduler",
    "StepLRScheduler",
    "TanhLRScheduler",
]
