"""lrlab: a laboratory for learning-rate schedules in PyTorch.

Names are imported on first use: the scheduler needs torch, whose import takes seconds, and plots
need matplotlib; schedules need neither. Every primitive and recipe of ``schedules.catalog`` is
among them.
"""

from typing import TYPE_CHECKING

from lrlab._version import __version__ as __version__
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
    from lrlab.lab import Study as Study
    from lrlab.lab import compare as compare
    from lrlab.lab import delete_study as delete_study
    from lrlab.lab import list_studies as list_studies
    from lrlab.lab import load_study as load_study
    from lrlab.lab import resume_study as resume_study
    from lrlab.optim import LRScheduler as LRScheduler
    from lrlab.optim import count_steps as count_steps
    from lrlab.problems import Metric as Metric
    from lrlab.problems import Problem as Problem
    from lrlab.problems import TrainingFunction as TrainingFunction
    from lrlab.schedules.catalog import *
    from lrlab.schedules.lint import lint as lint
    from lrlab.schedules.parser import to_text as to_text
    from lrlab.training.context import RunContext as RunContext
    from lrlab.views.schedule_plots import plot as plot

_EXPORTS = {
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
    "lab": (
        "Study",
        "compare",
        "delete_study",
        "list_studies",
        "load_study",
        "resume_study",
    ),
    "training.context": ("RunContext",),
    "schedules.lint": ("lint",),
    "schedules.parser": ("to_text",),
    "views.schedule_plots": ("plot",),
}
_MODULES = ("adapters", "dialects", "schedules", "testing")

enable_lazy_imports(__name__, _EXPORTS, _MODULES, catalog="schedules.catalog")
