"""Every primitive and recipe under its name; ``lrlab`` and ``lrlab.schedules`` have them all.

A new module of primitives is imported here, and its primitives register themselves.
"""

from lrlab.schedules.core import *
from lrlab.schedules.cycles import *
from lrlab.schedules.decays import *
from lrlab.schedules.fields import *
from lrlab.schedules.formula import *
from lrlab.schedules.metric_driven import *
from lrlab.schedules.noise import *
from lrlab.schedules.ramps import *
from lrlab.schedules.recipes import *
from lrlab.schedules.staircases import *
