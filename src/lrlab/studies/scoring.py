"""Which epoch of a run its score is read at."""

import numpy as np

from lrlab.problems import AnyProblem
from lrlab.training import Result


def epoch_of(result: Result, problem: AnyProblem, score: str) -> int:
    """The place of that epoch in the curve of a run that has not diverged.

    Args:
        result: of the run.
        problem: what was trained; its metric says what is best.
        score: ``"final"`` for the last epoch; ``"best"`` for the first of those that are best on
            the rows held out for validation, never on test rows.
    """
    if score == "final":
        return len(result.epochs) - 1
    held_out = result.epochs.column("validation_score")
    return int(np.argmax(held_out) if problem.metric.more_is_better else np.argmin(held_out))


def score_of(result: Result, problem: AnyProblem, score: str) -> float:
    """The score of a run on the test rows; of a diverged one, that of a constant guess."""
    if result.diverged or score == "final":
        return result.score
    return float(result.epochs.column("score")[epoch_of(result, problem, score)])
