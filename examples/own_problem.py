"""A problem of one's own: data, model, loss and metric, compared from Python or the command line.

    lrlab compare examples/own_problem.py:problem --epochs 20 --seeds 10

A convolution on the images of scikit-learn's digits, trained with smoothed labels.
"""

from sklearn.datasets import load_digits
from torch import nn

import lrlab


def model() -> nn.Module:
    """A fresh network; torch's random numbers are those of the run's seed."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 10),
    )


def problem() -> lrlab.Problem:
    """Every seed draws its own test rows, 30 % of all, stratified by class."""
    images, digits = load_digits(return_X_y=True)
    return lrlab.Problem.from_arrays(
        images.reshape(-1, 1, 8, 8) / 16,
        digits,
        model,
        name="digits-conv",
        loss=nn.CrossEntropyLoss(label_smoothing=0.1),
    )
