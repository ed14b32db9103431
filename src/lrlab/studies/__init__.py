"""Studies: runs planned to compare schedules, carried out, kept and judged.

Names are imported when they are first used, so that a look at a database does not wait for torch.
"""

from typing import TYPE_CHECKING

from lrlab.lazy import lazily

ROOMS = {
    "catalog": ("Catalog",),
    "choosing": ("Tuned", "tune"),
    "entries": ("Entry", "Phase"),
    "execution": ("execute",),
    "grid": ("Grid", "cross", "varied"),
    "places": ("Cluster", "Machine"),
    "plan": ("BASELINE", "LOOP", "Plan", "default_schedules", "plan"),
    "settling": ("candidates", "settle"),
    "statistics": ("Comparison", "Difference", "Row", "compare", "interval"),
    "store": ("Store",),
    "study": ("carry_out",),
    "verdict": ("answer", "verdict"),
}
"""Where each public name lives."""

if TYPE_CHECKING:
    from lrlab.studies.catalog import Catalog as Catalog
    from lrlab.studies.choosing import Tuned as Tuned
    from lrlab.studies.choosing import tune as tune
    from lrlab.studies.entries import Entry as Entry
    from lrlab.studies.entries import Phase as Phase
    from lrlab.studies.execution import execute as execute
    from lrlab.studies.grid import Grid as Grid
    from lrlab.studies.grid import cross as cross
    from lrlab.studies.grid import varied as varied
    from lrlab.studies.places import Cluster as Cluster
    from lrlab.studies.places import Machine as Machine
    from lrlab.studies.plan import BASELINE as BASELINE
    from lrlab.studies.plan import LOOP as LOOP
    from lrlab.studies.plan import Plan as Plan
    from lrlab.studies.plan import default_schedules as default_schedules
    from lrlab.studies.plan import plan as plan
    from lrlab.studies.settling import candidates as candidates
    from lrlab.studies.settling import settle as settle
    from lrlab.studies.statistics import Comparison as Comparison
    from lrlab.studies.statistics import Difference as Difference
    from lrlab.studies.statistics import Row as Row
    from lrlab.studies.statistics import compare as compare
    from lrlab.studies.statistics import interval as interval
    from lrlab.studies.store import Store as Store
    from lrlab.studies.study import carry_out as carry_out
    from lrlab.studies.verdict import answer as answer
    from lrlab.studies.verdict import verdict as verdict

lazily(__name__, ROOMS)
