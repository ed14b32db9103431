"""A problem of your own: data, model and loss, compared from Python or the command line.

    python examples/custom_problem.py
    lrlab compare examples/custom_problem.py:problem --epochs 20 --seeds 10

A convolutional network on the images of scikit-learn's digits, trained with smoothed labels.
"""

from sklearn.datasets import load_digits
from torch import nn

import lrlab


def model() -> nn.Module:
    """Build a new network; the run's seed fixes torch's random numbers."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 10),
    )


def problem() -> lrlab.Problem:
    """Make the problem; every seed draws its own test rows, 30 % of all, stratified by class."""
    images, digits = load_digits(return_X_y=True)
    return lrlab.Problem.from_arrays(
        images.reshape(-1, 1, 8, 8) / 16,
        digits,
        model,
        name="digits-conv",
        loss=nn.CrossEntropyLoss(label_smoothing=0.1),
    )


def main() -> None:
    """Compare two schedules on it, at one learning rate."""
    study = lrlab.compare(
        problem(), ["Cosine()", "wsd()"], tune=False, lr=0.1, epochs=5, seeds=3, batch_size=64
    )
    print(study.answer)


if __name__ == "__main__":
    main()
