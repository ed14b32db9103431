"""A run as the tutorial prints it, line by line."""

import math

from lrlab.problems.tasks import Metric
from lrlab.training import Epoch, Result, Settings

_NAMES = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}


def epoch(one: Epoch, settings: Settings, scheduled: bool) -> str:
    """The line of an epoch: ``Epoch 0: SGD lr 0.1000 -> 0.0983``, or without the second rate.

    Four decimals, as in the tutorial, and more where the base rate is below 0.01.
    """
    name = _NAMES[settings.optimizer]
    places = max(4, 2 - math.floor(math.log10(settings.lr)))
    if not scheduled:
        return f"Epoch {one.epoch}: {name} lr={one.before:.{places}f}"
    return f"Epoch {one.epoch}: {name} lr {one.before:.{places}f} -> {one.after:.{places}f}"


def result(outcome: Result, metric: Metric) -> str:
    """The last line: ``Model accuracy: 88.68%`` or ``Model RMSE: 54.3200``."""
    if metric.percent:
        shown = f"{100 * outcome.score:.2f}%"
    else:
        shown = f"{outcome.score:.4f}" if outcome.score >= 0.1 else f"{outcome.score:.4g}"
    line = f"Model {metric.name}: {shown}"
    if not outcome.diverged:
        return line
    return f"{line} (diverged in epoch {len(outcome.epochs)}: scored as a constant guess; try --lr)"
