"""paddle.optimizer.lr's schedulers, by Paddle's names, arguments and defaults.

Paddle's schedulers hold the rate themselves, so levels are absolute (``Rate``). The value at t is
the rate after t calls of ``step()``; a boundary at b acts at t = b, as in torch. ``last_epoch`` and
``verbose`` are the scheduler's business and no arguments here. Paddle itself is not imported.

Where they differ on purpose:

- ``CosineAnnealingDecay`` and ``OneCycleLR`` hold their last rate past their end; Paddle's climbs
  again, and raises.
- ``OneCycleLR`` needs a rise of more than one step, and its end before the last: with less Paddle
  starts in the middle or divides by 0.
- ``PiecewiseDecay`` needs one value more than boundaries; Paddle leaves out what lies between.
- ``ReduceOnPlateau`` keeps the best metric also while it cools down, as torch's; Paddle does not
  look at the metrics of that time at all.
- A ``gamma`` must be above 0; it may be 1 or more where Paddle refuses that, and factors may be
  any of 0 or more. A ``LinearWarmup`` may fall, and milestones may be equal.

Every function raises ``ScheduleError`` where an argument is out of its domain.
"""

from lrlab.dialects.paddle.cycles import CyclicLR, OneCycleLR
from lrlab.dialects.paddle.decays import (
    ExponentialDecay,
    InverseTimeDecay,
    MultiStepDecay,
    NaturalExpDecay,
    NoamDecay,
    PiecewiseDecay,
    StepDecay,
)
from lrlab.dialects.paddle.functions import LambdaDecay, MultiplicativeDecay
from lrlab.dialects.paddle.plateau import ReduceOnPlateau
from lrlab.dialects.paddle.ramps import (
    CosineAnnealingDecay,
    CosineAnnealingWarmRestarts,
    LinearLR,
    LinearWarmup,
    PolynomialDecay,
)

__all__ = [
    "CosineAnnealingDecay",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LambdaDecay",
    "LinearLR",
    "LinearWarmup",
    "MultiStepDecay",
    "MultiplicativeDecay",
    "NaturalExpDecay",
    "NoamDecay",
    "OneCycleLR",
    "PiecewiseDecay",
    "PolynomialDecay",
    "ReduceOnPlateau",
    "StepDecay",
]
