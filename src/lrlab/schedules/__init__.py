"""What the rate is at step t: shapes, what combines them, and their text. NumPy only."""

from lrlab.schedules.base import Schedule as Schedule
from lrlab.schedules.base import Shape as Shape
from lrlab.schedules.combinators import Product as Product
from lrlab.schedules.combinators import Sequence as Sequence
from lrlab.schedules.combinators import Until as Until
from lrlab.schedules.decays import Decay as Decay
from lrlab.schedules.decays import Exponential as Exponential
from lrlab.schedules.decays import InverseTime as InverseTime
from lrlab.schedules.formulas import Custom as Custom
from lrlab.schedules.formulas import Formula as Formula
from lrlab.schedules.levels import Rate as Rate
from lrlab.schedules.lint import lint as lint
from lrlab.schedules.ramps import Constant as Constant
from lrlab.schedules.ramps import Cosine as Cosine
from lrlab.schedules.ramps import Linear as Linear
from lrlab.schedules.ramps import Ramp as Ramp
from lrlab.schedules.ramps import Warmup as Warmup
from lrlab.schedules.staircases import Step as Step
from lrlab.schedules.text import parse as parse
from lrlab.schedules.text import to_text as to_text
