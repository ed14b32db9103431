"""Problems: what a study can train, from data sets, tables, arrays or your own functions."""

from lrlab.errors import require_extra

with require_extra("lab"):
    from lrlab.problems.functions import TrainingFunction as TrainingFunction
    from lrlab.problems.load import ProblemSource as ProblemSource
    from lrlab.problems.load import load_problem as load_problem
    from lrlab.problems.metrics import Metric as Metric
    from lrlab.problems.problem import AnySplit as AnySplit
    from lrlab.problems.problem import Problem as Problem
    from lrlab.problems.problem import Trainable as Trainable
    from lrlab.problems.seeds import derive_seeds as derive_seeds
    from lrlab.problems.split import Split as Split
