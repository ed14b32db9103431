"""A run as the tutorial prints it, line by line."""

from lrlab.problems.tasks import Metric
from lrlab.training import Epoch, Result

_NAMES = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}


def epoch(one: Epoch, optimizer: str, scheduled: bool) -> str:
    """The line of an epoch: ``Epoch 0: SGD lr 0.1000 -> 0.0983``, or without the second rate."""
    name = _NAMES[optimizer]
    if not scheduled:
        return f"Epoch {one.epoch}: {name} lr={one.before:.4f}"
    return f"Epoch {one.epoch}: {name} lr {one.before:.4f} -> {one.after:.4f}"


def result(outcome: Result, metric: Metric) -> str:
    """The last line: ``Model accuracy: 88.68%`` or ``Model RMSE: 54.3200``."""
    shown = f"{100 * outcome.score:.2f}%" if metric.percent else f"{outcome.score:.4f}"
    line = f"Model {metric.name}: {shown}"
    if not outcome.diverged:
        return line
    return f"{line} (diverged in epoch {len(outcome.epochs)}: scored as a constant guess; try --lr)"
