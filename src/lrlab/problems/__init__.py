"""What is trained: tables, built-in data sets, the tutorial's problem."""

from lrlab.errors import needs_extra

with needs_extra("lab"):
    from lrlab.problems.functions import AnyProblem as AnyProblem
    from lrlab.problems.functions import TrainingFunction as TrainingFunction
    from lrlab.problems.loading import NAMES as NAMES
    from lrlab.problems.loading import load as load
    from lrlab.problems.problem import Problem as Problem
    from lrlab.problems.problem import Split as Split
    from lrlab.problems.seeds import streams as streams
    from lrlab.problems.tables import table_problem as table_problem
    from lrlab.problems.tasks import Metric as Metric
    from lrlab.problems.validation import split_of as split_of
