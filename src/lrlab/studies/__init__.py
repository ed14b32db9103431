"""Studies: plan the runs that compare schedules, train and store them, and compare their scores.

Names are imported on first use, so that reading a database does not wait for torch.
"""

from typing import TYPE_CHECKING

from lrlab.lazy import enable_lazy_imports

_EXPORTS = {
    "plan.plan": (
        "LOOP_ENGINE",
        "Plan",
        "Protocol",
        "build_plan",
    ),
    "plan.defaults": (
        "BASELINE",
        "build_default_schedules",
    ),
    "plan.grid": (
        "Grid",
        "build_grid",
        "find_varied_hyperparameters",
    ),
    "plan.phases": (
        "Phase",
        "plan_first_phase",
        "plan_next_phase",
        "select_tuned_settings",
    ),
    "plan.selection": (
        "Selection",
        "select_settings",
    ),
    "execution.backends": (
        "Machine",
        "RayCluster",
    ),
    "execution.engine_selection": (
        "list_engines",
        "select_engine",
    ),
    "execution.estimate": (
        "CostEstimate",
        "estimate_cost",
    ),
    "execution.runner": ("run_study", "train_blocks"),
    "statistics": (
        "Comparison",
        "ComparisonRow",
        "DifferenceEstimate",
        "NewDataFinding",
        "PairedComparison",
        "Recommendation",
        "RecommendationReason",
        "TimeToTarget",
        "Verdict",
        "compare_scores",
        "compute_confidence_interval",
        "compute_times_to_target",
        "find_winners",
        "recommend",
    ),
    "store.reader": (
        "StoreReader",
        "StudySummary",
    ),
    "store.sqlite": ("Store",),
    "study": ("BestConfig", "StudyResult", "load_study_result"),
}
"""The public names of each module."""

if TYPE_CHECKING:
    from lrlab.studies.execution.backends import Machine as Machine
    from lrlab.studies.execution.backends import RayCluster as RayCluster
    from lrlab.studies.execution.engine_selection import list_engines as list_engines
    from lrlab.studies.execution.engine_selection import select_engine as select_engine
    from lrlab.studies.execution.estimate import CostEstimate as CostEstimate
    from lrlab.studies.execution.estimate import estimate_cost as estimate_cost
    from lrlab.studies.execution.runner import run_study as run_study
    from lrlab.studies.execution.runner import train_blocks as train_blocks
    from lrlab.studies.plan.defaults import BASELINE as BASELINE
    from lrlab.studies.plan.defaults import build_default_schedules as build_default_schedules
    from lrlab.studies.plan.grid import Grid as Grid
    from lrlab.studies.plan.grid import build_grid as build_grid
    from lrlab.studies.plan.grid import find_varied_hyperparameters as find_varied_hyperparameters
    from lrlab.studies.plan.phases import Phase as Phase
    from lrlab.studies.plan.phases import plan_first_phase as plan_first_phase
    from lrlab.studies.plan.phases import plan_next_phase as plan_next_phase
    from lrlab.studies.plan.phases import select_tuned_settings as select_tuned_settings
    from lrlab.studies.plan.plan import LOOP_ENGINE as LOOP_ENGINE
    from lrlab.studies.plan.plan import Plan as Plan
    from lrlab.studies.plan.plan import Protocol as Protocol
    from lrlab.studies.plan.plan import build_plan as build_plan
    from lrlab.studies.plan.selection import Selection as Selection
    from lrlab.studies.plan.selection import select_settings as select_settings
    from lrlab.studies.statistics import Comparison as Comparison
    from lrlab.studies.statistics import ComparisonRow as ComparisonRow
    from lrlab.studies.statistics import DifferenceEstimate as DifferenceEstimate
    from lrlab.studies.statistics import NewDataFinding as NewDataFinding
    from lrlab.studies.statistics import PairedComparison as PairedComparison
    from lrlab.studies.statistics import Recommendation as Recommendation
    from lrlab.studies.statistics import RecommendationReason as RecommendationReason
    from lrlab.studies.statistics import TimeToTarget as TimeToTarget
    from lrlab.studies.statistics import Verdict as Verdict
    from lrlab.studies.statistics import compare_scores as compare_scores
    from lrlab.studies.statistics import compute_confidence_interval as compute_confidence_interval
    from lrlab.studies.statistics import compute_times_to_target as compute_times_to_target
    from lrlab.studies.statistics import find_winners as find_winners
    from lrlab.studies.statistics import recommend as recommend
    from lrlab.studies.store.reader import StoreReader as StoreReader
    from lrlab.studies.store.reader import StudySummary as StudySummary
    from lrlab.studies.store.sqlite import Store as Store
    from lrlab.studies.study import BestConfig as BestConfig
    from lrlab.studies.study import StudyResult as StudyResult
    from lrlab.studies.study import load_study_result as load_study_result

enable_lazy_imports(__name__, _EXPORTS)
