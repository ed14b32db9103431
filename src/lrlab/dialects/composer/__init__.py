"""MosaicML Composer's schedulers, by Composer's names, arguments and defaults.

A time is Composer's text: ``"10ep"`` is 10 epochs, ``"20ba"`` 20 steps, ``"0.5dur"`` half of the
training, ``"1dur"`` all of it; other units are no durations here. Rates are factors of the base
rate. ``t`` is the number of batches behind, Composer's ``timestamp.batch``, and the rate at t is
that of Composer's formula there. Composer's Trainer works the rate out before it counts the batch,
so that it trains batch t at the rate of t - 1; ``.shift(1)`` does the same. ``scale_warmup`` is
missing, because it matters only with the Trainer's ``scale_schedule_ratio``, which is
``.stretch(ratio)``.

Where they differ on purpose:

- Shares of the training are rounded to the nearest step; Composer cuts them. A ``t_mult`` must be 1
  or more, and one that is not whole makes cycles of such lengths, which Composer cuts.
- After a ``t_max`` of ``"1dur"`` the last rate holds; Composer's ConstantScheduler then goes to 1.
- A ``t_max`` that is shorter than the training is taken; Composer's schedulers with a warm-up
  refuse it. Theirs must be ``"1dur"`` or have the unit of ``t_warmup``, and be longer.
- Milestones must be ascending. Those within the warm-up wait for its end as in Composer, if their
  units are alike; others act within it.
- ``gamma`` and ``power`` must be above 0, and factors 0 or more.

Every function raises ``ScheduleError`` where an argument is out of its domain.
"""

from lrlab.dialects.composer.plain import (
    ConstantScheduler,
    CosineAnnealingScheduler,
    CosineAnnealingWarmRestartsScheduler,
    ExponentialScheduler,
    LinearScheduler,
    MultiStepScheduler,
    PolynomialScheduler,
    StepScheduler,
)
from lrlab.dialects.composer.warmed import (
    ConstantWithWarmupScheduler,
    CosineAnnealingWithWarmupScheduler,
    LinearWithWarmupScheduler,
    MultiStepWithWarmupScheduler,
    PolynomialWithWarmupScheduler,
)

__all__ = [
    "ConstantScheduler",
    "ConstantWithWarmupScheduler",
    "CosineAnnealingScheduler",
    "CosineAnnealingWarmRestartsScheduler",
    "CosineAnnealingWithWarmupScheduler",
    "ExponentialScheduler",
    "LinearScheduler",
    "LinearWithWarmupScheduler",
    "MultiStepScheduler",
    "MultiStepWithWarmupScheduler",
    "PolynomialScheduler",
    "PolynomialWithWarmupScheduler",
    "StepScheduler",
]
