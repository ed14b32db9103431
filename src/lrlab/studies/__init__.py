"""Studies: runs planned to compare schedules, carried out, kept and judged.

Names are imported when they are first used, so that a look at a database does not wait for torch.
"""

from typing import TYPE_CHECKING

from lrlab.lazy import enable_lazy_imports

EXPORTS = {
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
    from lrlab.studies.carrying import run_study as run_study
    from lrlab.studies.catalog import StoreReader as StoreReader
    from lrlab.studies.choosing import Selection as Selection
    from lrlab.studies.choosing import select_settings as select_settings
    from lrlab.studies.comparing import compare as compare
    from lrlab.studies.comparing import resolve_backend as resolve_backend
    from lrlab.studies.comparing import plan_study as plan_study
    from lrlab.studies.defaults import BASELINE as BASELINE
    from lrlab.studies.defaults import build_default_schedules as build_default_schedules
    from lrlab.studies.entries import StudySummary as StudySummary
    from lrlab.studies.estimate import CostEstimate as CostEstimate
    from lrlab.studies.estimate import estimate_cost as estimate_cost
    from lrlab.studies.execution import train_blocks as train_blocks
    from lrlab.studies.grid import Grid as Grid
    from lrlab.studies.grid import build_grid as build_grid
    from lrlab.studies.grid import find_varied_hyperparameters as find_varied_hyperparameters
    from lrlab.studies.phases import Phase as Phase
    from lrlab.studies.phases import plan_first_phase as plan_first_phase
    from lrlab.studies.phases import plan_next_phase as plan_next_phase
    from lrlab.studies.phases import select_tuned_settings as select_tuned_settings
    from lrlab.studies.places import RayCluster as RayCluster
    from lrlab.studies.places import Machine as Machine
    from lrlab.studies.plan import LOOP_ENGINE as LOOP_ENGINE
    from lrlab.studies.plan import Plan as Plan
    from lrlab.studies.plan import Protocol as Protocol
    from lrlab.studies.plan import build_plan as build_plan
    from lrlab.studies.settling import list_engines as list_engines
    from lrlab.studies.settling import select_engine as select_engine
    from lrlab.studies.statistics import Comparison as Comparison
    from lrlab.studies.statistics import TimeToTarget as TimeToTarget
    from lrlab.studies.statistics import DifferenceEstimate as DifferenceEstimate
    from lrlab.studies.statistics import ComparisonRow as ComparisonRow
    from lrlab.studies.statistics import PairedComparison as PairedComparison
    from lrlab.studies.statistics import compute_confidence_interval as compute_confidence_interval
    from lrlab.studies.statistics import compare_scores as compare_scores
    from lrlab.studies.statistics import compute_times_to_target as compute_times_to_target
    from lrlab.studies.store import Store as Store
    from lrlab.studies.study import StudyResult as StudyResult
    from lrlab.studies.verdict import write_answer as write_answer
    from lrlab.studies.verdict import assess_claim as assess_claim
    from lrlab.studies.verdict import describe_verdict as describe_verdict
    from lrlab.studies.verdict import find_winners as find_winners

enable_lazy_imports(__name__, EXPORTS)
