"""Which epoch of a run its score is read at."""

import numpy as np

from lrlab.problems import Trainable
from lrlab.training import Result


def find_scored_epoch(result: Result, problem: Trainable, score: str) -> int:
    """The place of that epoch in the curve of a run that has not diverged.

    Args:
        result: of the run.
        problem: what was trained; its metric says what is best.
        score: ``"final"`` for the last epoch; ``"best"`` for the first of those that are best on
            the rows held out for validation, never on test rows.
    """
    if score == "final":
        return len(result.curve) - 1
    validation_scores = result.curve.get_column("validation_score")
    return int(np.argmax(validation_scores) if problem.metric.greater_is_better else np.argmin(validation_scores))


def compute_test_score(result: Result, problem: Trainable, score: str) -> float:
    """The score of a run on the test rows; of a diverged one, that of a constant guess."""
    if result.diverged or score == "final":
        return result.test_score
    return float(result.curve.get_column("score")[find_scored_epoch(result, problem, score)])
