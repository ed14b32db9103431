"""Statistics of a study, as numbers and enums; ``lrlab.views`` puts them into words."""

from lrlab.studies.statistics.best_baseline import BaselineConfig as BaselineConfig
from lrlab.studies.statistics.comparison import Comparison as Comparison
from lrlab.studies.statistics.comparison import ComparisonRow as ComparisonRow
from lrlab.studies.statistics.comparison import compare_scores as compare_scores
from lrlab.studies.statistics.comparison import find_winners as find_winners
from lrlab.studies.statistics.paired import ALPHA as ALPHA
from lrlab.studies.statistics.paired import DifferenceEstimate as DifferenceEstimate
from lrlab.studies.statistics.paired import PairedComparison as PairedComparison
from lrlab.studies.statistics.paired import (
    compute_confidence_interval as compute_confidence_interval,
)
from lrlab.studies.statistics.recommendation import Recommendation as Recommendation
from lrlab.studies.statistics.recommendation import RecommendationReason as RecommendationReason
from lrlab.studies.statistics.recommendation import recommend as recommend
from lrlab.studies.statistics.time_to_target import TimeToTarget as TimeToTarget
from lrlab.studies.statistics.time_to_target import check_target_score as check_target_score
from lrlab.studies.statistics.time_to_target import (
    compute_times_to_target as compute_times_to_target,
)
from lrlab.studies.statistics.verdict import NewDataFinding as NewDataFinding
from lrlab.studies.statistics.verdict import Verdict as Verdict
