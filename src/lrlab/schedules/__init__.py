"""Learning-rate schedules: primitives, combinators, recipes, their text, lint. Needs NumPy only.

Start reading in ``core``.
"""

from typing import TYPE_CHECKING

from lrlab.schedules import catalog as catalog
from lrlab.schedules import combinators as combinators
from lrlab.schedules.catalog import *
from lrlab.schedules.combinators import *
from lrlab.schedules.decays import Decay as Decay
from lrlab.schedules.lint import lint as lint
from lrlab.schedules.parser import parse as parse
from lrlab.schedules.parser import to_text as to_text
from lrlab.schedules.ramps import Ramp as Ramp

if not TYPE_CHECKING:  # type checkers see the imports
    __all__ = [
        *(name for name in vars(catalog) if not name.startswith("_")),
        *combinators.__all__,
        *("Decay", "Ramp", "lint", "parse", "to_text"),
    ]
