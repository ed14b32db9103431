"""lrlab: a laboratory for learning-rate schedules in PyTorch.

Names are imported when they are first used: the scheduler needs torch, whose import takes seconds,
and a picture needs matplotlib; schedules need neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from lrlab import schedules

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
    from lrlab.optim import LRScheduler as LRScheduler
    from lrlab.optim import total_steps as total_steps
    from lrlab.problems import Metric as Metric
    from lrlab.problems import Problem as Problem
    from lrlab.problems import TrainingFunction as TrainingFunction
    from lrlab.problems.own import problem as problem
    from lrlab.schedules import *
    from lrlab.training.live import LiveRun as LiveRun
    from lrlab.views.plot import plot as plot

__version__ = "0.1.0"

_ERRORS = (
    "LrlabError",
    "MissingExtra",
    "ProblemError",
    "ScheduleError",
    "SchedulerError",
    "StudyError",
    "TrainingError",
    "ViewError",
)

_ELSEWHERE = {
    **dict.fromkeys(_ERRORS, "errors"),
    "LRScheduler": "optim",
    "LiveRun": "training.live",
    "Metric": "problems",
    "Problem": "problems",
    "TrainingFunction": "problems",
    "adapters": "adapters",
    "dialects": "dialects",
    "parse": "dialects",
    "plot": "views.plot",
    "problem": "problems.own",
    "testing": "testing",
    "total_steps": "optim",
}
_SCHEDULES = {name for names in schedules.ROOMS.values() for name in names}

__all__ = sorted({*_SCHEDULES, *_ELSEWHERE, "schedules"})


def __getattr__(name: str) -> object:
    if name in _ELSEWHERE:
        module = import_module(f"lrlab.{_ELSEWHERE[name]}")
        value = module if name == _ELSEWHERE[name] else getattr(module, name)
    elif name in _SCHEDULES:
        value = getattr(schedules, name)
    else:
        raise AttributeError(f"module 'lrlab' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
