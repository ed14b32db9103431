"""lrlab: a laboratory for learning-rate schedules in PyTorch.

Names are imported on first use: the scheduler needs torch, whose import takes seconds, and plots
need matplotlib; schedules need neither.
"""

from typing import TYPE_CHECKING

from lrlab import schedules
from lrlab.lazy import enable_lazy_imports

if TYPE_CHECKING:
    from lrlab.dialects import parse as parse
    from lrlab.errors import LrlabError as LrlabError
    from lrlab.errors import MissingExtra as MissingExtra
    from lrlab.errors import ProblemError as ProblemError
    from lrlab.errors import ScheduleError as ScheduleError
    from lrlab.errors import SchedulerError as SchedulerError
    from lrlab.errors import StudyError as StudyError
    from lrlab.errors import TrainingError as TrainingError
    from lrlab.errors import ViewError as ViewError
    from lrlab.lab import compare as compare
    from lrlab.optim import LRScheduler as LRScheduler
    from lrlab.optim import count_steps as count_steps
    from lrlab.problems import Metric as Metric
    from lrlab.problems import Problem as Problem
    from lrlab.problems import TrainingFunction as TrainingFunction
    from lrlab.schedules import Absolute as Absolute
    from lrlab.schedules import Chebyshev as Chebyshev
    from lrlab.schedules import Constant as Constant
    from lrlab.schedules import Cooldown as Cooldown
    from lrlab.schedules import Cosine as Cosine
    from lrlab.schedules import CosineWave as CosineWave
    from lrlab.schedules import Custom as Custom
    from lrlab.schedules import Exponential as Exponential
    from lrlab.schedules import ExponentialWarmup as ExponentialWarmup
    from lrlab.schedules import Formula as Formula
    from lrlab.schedules import Geometric as Geometric
    from lrlab.schedules import Greedy as Greedy
    from lrlab.schedules import InverseSqrt as InverseSqrt
    from lrlab.schedules import InverseTime as InverseTime
    from lrlab.schedules import Linear as Linear
    from lrlab.schedules import LogWarmup as LogWarmup
    from lrlab.schedules import MultiStep as MultiStep
    from lrlab.schedules import Noise as Noise
    from lrlab.schedules import PiecewiseConstant as PiecewiseConstant
    from lrlab.schedules import PiecewiseInterpolate as PiecewiseInterpolate
    from lrlab.schedules import Plateau as Plateau
    from lrlab.schedules import Polynomial as Polynomial
    from lrlab.schedules import PolynomialCycle as PolynomialCycle
    from lrlab.schedules import Power as Power
    from lrlab.schedules import Primitive as Primitive
    from lrlab.schedules import RadamWarmup as RadamWarmup
    from lrlab.schedules import Rex as Rex
    from lrlab.schedules import Schedule as Schedule
    from lrlab.schedules import Sigmoid as Sigmoid
    from lrlab.schedules import Step as Step
    from lrlab.schedules import Tanh as Tanh
    from lrlab.schedules import Warmup as Warmup
    from lrlab.schedules import flat_cosine as flat_cosine
    from lrlab.schedules import infinite as infinite
    from lrlab.schedules import lint as lint
    from lrlab.schedules import noam as noam
    from lrlab.schedules import one_cycle as one_cycle
    from lrlab.schedules import range_test as range_test
    from lrlab.schedules import restarts as restarts
    from lrlab.schedules import rsqrt as rsqrt
    from lrlab.schedules import slanted_triangular as slanted_triangular
    from lrlab.schedules import to_text as to_text
    from lrlab.schedules import tri_stage as tri_stage
    from lrlab.schedules import triangular as triangular
    from lrlab.schedules import triangular2 as triangular2
    from lrlab.schedules import untuned_exponential_warmup as untuned_exponential_warmup
    from lrlab.schedules import untuned_linear_warmup as untuned_linear_warmup
    from lrlab.schedules import wsd as wsd
    from lrlab.training.context import RunContext as RunContext
    from lrlab.views.schedule_plots import plot as plot

__version__ = "0.1.0"

_NOT_EXPORTED = {
    *schedules.EXPORTS["combinators"],  # operators and methods build them
    *("Decay", "Ramp"),  # bases of primitives
    "parse",  # lrlab.parse knows the names of other libraries, too
}

_EXPORTS = {
    "schedules": tuple(
        name for names in schedules.EXPORTS.values() for name in names if name not in _NOT_EXPORTED
    ),
    "dialects": ("parse",),
    "errors": (
        "LrlabError",
        "MissingExtra",
        "ProblemError",
        "ScheduleError",
        "SchedulerError",
        "StudyError",
        "TrainingError",
        "ViewError",
    ),
    "optim": ("LRScheduler", "count_steps"),
    "problems": ("Metric", "Problem", "TrainingFunction"),
    "lab": ("compare",),
    "training.context": ("RunContext",),
    "views.schedule_plots": ("plot",),
}
_MODULES = ("adapters", "dialects", "schedules", "testing")

__all__ = sorted({*_MODULES, *(name for names in _EXPORTS.values() for name in names)})

enable_lazy_imports(__name__, _EXPORTS, _MODULES)
