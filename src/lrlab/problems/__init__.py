"""What is trained: tables, built-in data sets, the tutorial's problem."""

from lrlab.errors import require_extra

with require_extra("lab"):
    from lrlab.problems.functions import Trainable as Trainable
    from lrlab.problems.functions import TrainingFunction as TrainingFunction
    from lrlab.problems.load import DATASET_NAMES as DATASET_NAMES
    from lrlab.problems.load import load_problem as load_problem
    from lrlab.problems.metrics import Metric as Metric
    from lrlab.problems.problem import Problem as Problem
    from lrlab.problems.problem import Split as Split
    from lrlab.problems.seeds import derive_seeds as derive_seeds
    from lrlab.problems.split import split_rows as split_rows
    from lrlab.problems.table import make_table_problem as make_table_problem
