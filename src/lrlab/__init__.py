"""lrlab: a laboratory for learning-rate schedules in PyTorch."""

from typing import TYPE_CHECKING

from lrlab.dialects import parse as parse
from lrlab.errors import LrlabError as LrlabError
from lrlab.schedules import Constant as Constant
from lrlab.schedules import Cosine as Cosine
from lrlab.schedules import Custom as Custom
from lrlab.schedules import Exponential as Exponential
from lrlab.schedules import Formula as Formula
from lrlab.schedules import InverseTime as InverseTime
from lrlab.schedules import Linear as Linear
from lrlab.schedules import Rate as Rate
from lrlab.schedules import Schedule as Schedule
from lrlab.schedules import Step as Step
from lrlab.schedules import Warmup as Warmup
from lrlab.schedules import lint as lint
from lrlab.schedules import to_text as to_text

if TYPE_CHECKING:
    from lrlab.optim import LRScheduler as LRScheduler

__version__ = "0.1.0"
__all__ = [
    "Constant",
    "Cosine",
    "Custom",
    "Exponential",
    "Formula",
    "InverseTime",
    "LRScheduler",
    "Linear",
    "LrlabError",
    "Rate",
    "Schedule",
    "Step",
    "Warmup",
    "lint",
    "parse",
    "to_text",
]


def __getattr__(name: str) -> object:
    # The scheduler needs torch, whose import takes seconds; schedules do not.
    if name == "LRScheduler":
        from lrlab.optim import LRScheduler

        return LRScheduler
    raise AttributeError(f"module 'lrlab' has no attribute {name!r}")
