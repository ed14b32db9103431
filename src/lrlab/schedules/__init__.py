"""Learning-rate schedules: primitives, combinators, recipes, their text, lint. Needs NumPy only.

Start reading in ``core``. Names are imported on first use, so that this import is fast.
"""

from typing import TYPE_CHECKING

from lrlab.lazy import enable_lazy_imports

EXPORTS = {
    "core": ("Constant", "Primitive", "Schedule"),
    "fields": ("Absolute",),
    "combinators": (
        "Affine",
        "Clip",
        "Continued",
        "CumulativeProduct",
        "Product",
        "Repeat",
        "Sequential",
        "Shift",
        "Staircase",
        "Stretch",
        "Sum",
        "Until",
    ),
    "ramps": (
        "Cooldown",
        "Cosine",
        "ExponentialWarmup",
        "Geometric",
        "Linear",
        "LogWarmup",
        "Polynomial",
        "RadamWarmup",
        "Ramp",
        "Rex",
        "Tanh",
        "Warmup",
    ),
    "decays": ("Decay", "Exponential", "InverseSqrt", "InverseTime", "Power", "Sigmoid"),
    "staircases": ("Chebyshev", "MultiStep", "PiecewiseConstant", "PiecewiseInterpolate", "Step"),
    "cycles": ("CosineWave", "PolynomialCycle"),
    "noise": ("Noise",),
    "metric_driven": ("Greedy", "Plateau"),
    "formula": ("Custom", "Formula"),
    "lint": ("lint",),
    "recipes": (
        "flat_cosine",
        "infinite",
        "noam",
        "one_cycle",
        "range_test",
        "restarts",
        "rsqrt",
        "slanted_triangular",
        "tri_stage",
        "triangular",
        "triangular2",
        "untuned_exponential_warmup",
        "untuned_linear_warmup",
        "wsd",
    ),
    "parser": ("parse", "to_text"),
}
"""Public names of each module."""

if TYPE_CHECKING:
    from lrlab.schedules.combinators import *
    from lrlab.schedules.core import *
    from lrlab.schedules.cycles import *
    from lrlab.schedules.decays import *
    from lrlab.schedules.fields import *
    from lrlab.schedules.formula import *
    from lrlab.schedules.lint import *
    from lrlab.schedules.metric_driven import *
    from lrlab.schedules.noise import *
    from lrlab.schedules.parser import *
    from lrlab.schedules.ramps import *
    from lrlab.schedules.recipes import *
    from lrlab.schedules.staircases import *

enable_lazy_imports(__name__, EXPORTS)
