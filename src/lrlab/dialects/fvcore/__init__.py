"""fvcore.common.param_scheduler's schedules, by fvcore's names, arguments and defaults.

fvcore's are functions of the progress ``where``, so these take the whole training and need its
steps: after ``.bind(total_steps=N)`` the rate at t is fvcore's at where = t / N. Values are absolute
rates, whatever the base rate is; where they are meant as multipliers of it, as in detectron2, use
lrlab's own shapes, whose levels are.

Where they differ on purpose:

- Past the end the last value holds; fvcore raises, climbs or goes on.
- Milestones and the lengths of parts are rounded to the nearest step, where fvcore takes the next
  step and measures the progress in a part from a point between steps.
- ``power``, ``decay`` and ``gamma`` must be above 0, and values 0 or more.
- ``CompositeParamScheduler`` takes ramps, constants, staircases and composites of rescaled parts,
  as the functions here return them, and as many ``interval_scaling`` as schedulers.

Every function raises ``ScheduleError`` where an argument is out of its domain.
"""

from lrlab.dialects.fvcore.composite import CompositeParamScheduler
from lrlab.dialects.fvcore.ramps import (
    ConstantParamScheduler,
    CosineParamScheduler,
    ExponentialParamScheduler,
    LinearParamScheduler,
    PolynomialDecayParamScheduler,
)
from lrlab.dialects.fvcore.stairs import (
    MultiStepParamScheduler,
    StepParamScheduler,
    StepWithFixedGammaParamScheduler,
)

__all__ = [
    "CompositeParamScheduler",
    "ConstantParamScheduler",
    "CosineParamScheduler",
    "ExponentialParamScheduler",
    "LinearParamScheduler",
    "MultiStepParamScheduler",
    "PolynomialDecayParamScheduler",
    "StepParamScheduler",
    "StepWithFixedGammaParamScheduler",
]
