"""Studies: runs planned to compare schedules, carried out, kept and judged.

Names are imported when they are first used, so that a look at a database does not wait for torch.
"""

from typing import TYPE_CHECKING

from lrlab.lazy import lazily

ROOMS = {
    "carrying": ("carry_out",),
    "catalog": ("Catalog",),
    "choosing": ("Tuned", "tune"),
    "comparing": ("compare", "place_of", "planned"),
    "defaults": ("BASELINE", "default_schedules"),
    "entries": ("Entry",),
    "estimate": ("Estimate", "estimate"),
    "execution": ("execute",),
    "grid": ("Grid", "cross", "varied"),
    "phases": ("Phase", "first", "following", "tuned_by"),
    "places": ("Cluster", "Machine"),
    "plan": ("LOOP", "Plan", "Protocol", "plan"),
    "settling": ("candidates", "settle"),
    "statistics": (
        "Comparison",
        "Reached",
        "Reading",
        "Row",
        "Versus",
        "interval",
        "judge",
        "reach",
    ),
    "store": ("Store",),
    "study": ("Study",),
    "verdict": ("answer", "claim", "verdict", "winners"),
}
"""Where each public name lives."""

if TYPE_CHECKING:
    from lrlab.studies.carrying import carry_out as carry_out
    from lrlab.studies.catalog import Catalog as Catalog
    from lrlab.studies.choosing import Tuned as Tuned
    from lrlab.studies.choosing import tune as tune
    from lrlab.studies.comparing import compare as compare
    from lrlab.studies.comparing import place_of as place_of
    from lrlab.studies.comparing import planned as planned
    from lrlab.studies.defaults import BASELINE as BASELINE
    from lrlab.studies.defaults import default_schedules as default_schedules
    from lrlab.studies.entries import Entry as Entry
    from lrlab.studies.estimate import Estimate as Estimate
    from lrlab.studies.estimate import estimate as estimate
    from lrlab.studies.execution import execute as execute
    from lrlab.studies.grid import Grid as Grid
    from lrlab.studies.grid import cross as cross
    from lrlab.studies.grid import varied as varied
    from lrlab.studies.phases import Phase as Phase
    from lrlab.studies.phases import first as first
    from lrlab.studies.phases import following as following
    from lrlab.studies.phases import tuned_by as tuned_by
    from lrlab.studies.places import Cluster as Cluster
    from lrlab.studies.places import Machine as Machine
    from lrlab.studies.plan import LOOP as LOOP
    from lrlab.studies.plan import Plan as Plan
    from lrlab.studies.plan import Protocol as Protocol
    from lrlab.studies.plan import plan as plan
    from lrlab.studies.settling import candidates as candidates
    from lrlab.studies.settling import settle as settle
    from lrlab.studies.statistics import Comparison as Comparison
    from lrlab.studies.statistics import Reached as Reached
    from lrlab.studies.statistics import Reading as Reading
    from lrlab.studies.statistics import Row as Row
    from lrlab.studies.statistics import Versus as Versus
    from lrlab.studies.statistics import interval as interval
    from lrlab.studies.statistics import judge as judge
    from lrlab.studies.statistics import reach as reach
    from lrlab.studies.store import Store as Store
    from lrlab.studies.study import Study as Study
    from lrlab.studies.verdict import answer as answer
    from lrlab.studies.verdict import claim as claim
    from lrlab.studies.verdict import verdict as verdict
    from lrlab.studies.verdict import winners as winners

lazily(__name__, ROOMS)
