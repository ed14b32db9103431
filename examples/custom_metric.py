"""A metric of your own: runs are scored, settings selected and schedules compared by it.

python examples/custom_metric.py
"""

from sklearn.datasets import load_breast_cancer
from torch import Tensor

import lrlab


def compute_f1(outputs: Tensor, targets: Tensor) -> Tensor:
    """Compute the F1 score of class 1, whose log-odds are the outputs.

    Torch's functions alone, so that many runs can be scored at once.
    """
    predicted, actual = (outputs > 0).double(), (targets > 0).double()
    return 2 * (predicted * actual).sum() / (predicted.sum() + actual.sum()).clamp(min=1)


def main() -> None:
    """Compare two schedules on a table, by the F1 score of benign tumors."""
    problem = lrlab.Problem.from_table(
        load_breast_cancer(as_frame=True).frame,
        target="target",
        metric=lrlab.Metric("F1", compute_f1, greater_is_better=True, percent=True),
    )
    study = lrlab.compare(
        problem, ["Cosine()", "Exponential(0.9)"], tune=False, lr=0.1, epochs=10, seeds=10
    )
    print(study.answer)
    print(study.table[["mean", "difference", "verdict"]].round(4).to_string())


if __name__ == "__main__":
    main()
