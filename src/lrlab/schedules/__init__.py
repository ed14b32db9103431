"""What the rate is at step t: shapes, what combines them, and their text. NumPy only.

Names are imported when they are first used, so that importing this costs next to nothing.
"""

from typing import TYPE_CHECKING

from lrlab.lazy import enable_lazy_imports

EXPORTS = {
    "base": ("Schedule",),
    "shape": ("Shape",),
    "levels": ("Rate",),
    "ramps": ("Constant", "Cosine", "Geometric", "Linear", "Polynomial", "Ramp", "Rex", "Tanh"),
    "warmups": ("Cooldown", "ExponentialWarmup", "LogWarmup", "RadamWarmup", "Warmup"),
    "decays": ("Decay", "Exponential", "InverseSqrt", "InverseTime", "Power", "Sigmoid"),
    "staircases": ("Chebyshev", "Knots", "MultiStep", "Piecewise", "Step"),
    "cycles": ("CosineWave", "PolynomialCycle", "Repeat"),
    "noise": ("Noise",),
    "reactive": ("Greedy", "Plateau"),
    "formulas": ("Custom", "Formula"),
    "joins": ("Continued", "Sequence"),
    "arithmetic": ("Affine", "Clip", "Product", "CumulativeProduct", "Sum"),
    "clocks": ("Shift", "Staircase", "Stretch", "Until"),
    "linting": ("lint",),
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
    "text": ("parse", "to_text"),
    "json": ("from_json", "to_json"),
}
"""Where each public name lives."""

if TYPE_CHECKING:
    from lrlab.schedules.arithmetic import *
    from lrlab.schedules.base import *
    from lrlab.schedules.clocks import *
    from lrlab.schedules.cycles import *
    from lrlab.schedules.decays import *
    from lrlab.schedules.formulas import *
    from lrlab.schedules.joins import *
    from lrlab.schedules.json import *
    from lrlab.schedules.levels import *
    from lrlab.schedules.linting import *
    from lrlab.schedules.noise import *
    from lrlab.schedules.ramps import *
    from lrlab.schedules.reactive import *
    from lrlab.schedules.recipes import *
    from lrlab.schedules.shape import *
    from lrlab.schedules.staircases import *
    from lrlab.schedules.text import *
    from lrlab.schedules.warmups import *

enable_lazy_imports(__name__, EXPORTS)
