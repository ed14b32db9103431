"""A run as the tutorial prints it, line by line."""

import math

from lrlab.problems.tasks import Metric
from lrlab.training import Epoch, Result, Settings

_NAMES = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}


def epoch(one: Epoch, settings: Settings, scheduled: bool, metric: Metric) -> str:
    """The line of an epoch: ``Epoch 0: SGD lr 0.1000 -> 0.0983``, or without the second rate.

    Four decimals, as in the tutorial, and more where the base rate is below 0.01. Where rows are
    held out, their score follows: ``, validation accuracy 87.76%``.
    """
    name = _NAMES[settings.optimizer]
    places = max(4, 2 - math.floor(math.log10(settings.lr)))
    if scheduled:
        rates = f"lr {one.before:.{places}f} -> {one.after:.{places}f}"
    else:
        rates = f"lr={one.before:.{places}f}"
    held_out = (
        ""
        if one.validation_score is None
        else f", validation {metric.name} {_score(one.validation_score, metric)}"
    )
    return f"Epoch {one.epoch}: {name} {rates}{held_out}"


def reported(one: Epoch, metric: Metric) -> str:
    """The line of an epoch of a training function: ``Epoch 0: accuracy 87.76%, lr 0.1``."""
    rate = "" if math.isnan(one.before) else f", lr {one.before:.4g}"
    return f"Epoch {one.epoch}: {metric.name} {_score(one.score, metric)}{rate}"


def result(outcome: Result, metric: Metric) -> str:
    """The last line: ``Model accuracy: 88.68%`` or ``Model RMSE: 54.3200``."""
    line = f"Model {metric.name}: {_score(outcome.score, metric)}"
    if not outcome.diverged:
        return line
    left = "" if outcome.left_at is None else f", left at step {outcome.left_at}"
    return (
        f"{line} (diverged in epoch {len(outcome.epochs)}{left}: scored as a constant guess; try a "
        "lower --lr)"
    )


def _score(value: float, metric: Metric) -> str:
    if metric.percent:
        return f"{100 * value:.2f}%"
    return f"{value:.4f}" if value >= 0.1 else f"{value:.4g}"
