"""torch.optim.lr_scheduler's schedules, by torch's names, arguments and defaults.

Each function takes what torch's class takes after the optimizer and returns a schedule with the
same rates at the same counts of ``step()``: its value at t is the rate that torch has in force
after t calls, t = 0 first. Counts are of steps, factors are of the base rate, and what torch gives
as a rate (``eta_min``, ``max_lr``, ``base_lr``, ``swa_lr``, ``min_lr``) is an absolute rate here.
What torch calls ``last_epoch`` is the scheduler's business and no argument here. ``CyclicLR`` and
``OneCycleLR`` return ``LrAndMomentum`` where torch cycles the momentum too, as it does by default.
``SWALR`` is torch.optim.swa_utils'. torch itself is not imported.

``from_scheduler`` reads a live scheduler of torch.

Where they differ on purpose:

- torch multiplies its rates up step by step, which differs from these closed forms in the last
  bits.
- ``CosineAnnealingLR`` and ``OneCycleLR`` hold their last rate past their end; torch's climbs back
  to the base rate, and torch's one-cycle raises.
- A factor may be any number of 0 or more; torch refuses a ``factor``, ``start_factor`` or
  ``end_factor`` above 1, and a ``start_factor`` of 0.
- A ``gamma`` or ``power`` must be above 0, and a rate 0 or more; torch takes any, some of which
  give no rate to train with.
- A schedule is for all parameter groups; torch's lists of one value per group are refused.
- Steps may be fractions, or durations such as ``"5ep"``; torch compares them with whole steps, and
  most of its classes never meet a fraction.
- A ``ConstantLR`` of no iterations is its factor wherever it stands; torch's is over at once where
  it comes later in a ``SequentialLR``, and its ``LinearLR`` and ``PolynomialLR`` raise there.
- ``OneCycleLR`` leaves the base rate of other schedulers alone; torch's sets it to its first rate.
- ``CosineAnnealingLR`` with a ``T_max`` of 0 is at its end; torch divides by 0.
- ``SequentialLR`` restarts a ``SequentialLR`` or ``ChainedScheduler`` within it like any other;
  torch begins them with one step too many, and raises where they do not come first. Both take a
  ``ReduceLROnPlateau``, which torch refuses.
- Each ``SWALR`` has its own ``swa_lr``; in torch, those of one optimizer share the last.
- ``ChainedScheduler`` is a product, and refuses schedulers whose chain is none in torch.

Every function raises ``ScheduleError`` where the schedule it returns refuses an argument.
"""

from lrlab.dialects.torch.annealing import (
    SWALR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ReduceLROnPlateau,
)
from lrlab.dialects.torch.composed import ChainedScheduler, SequentialLR
from lrlab.dialects.torch.cycles import CyclicLR, OneCycleLR
from lrlab.dialects.torch.factors import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from lrlab.dialects.torch.live import from_scheduler as from_scheduler

__all__ = [
    "SWALR",
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
