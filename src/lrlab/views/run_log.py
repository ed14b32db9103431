"""The lines that `lrlab train` prints: one for each epoch, as in the tutorial, and the score."""

import math

from lrlab.problems.metrics import Metric
from lrlab.training import OPTIMIZERS, Epoch, Result, Settings


def format_epoch(epoch: Epoch, settings: Settings, has_schedule: bool, metric: Metric) -> str:
    """Return the line of an epoch: ``Epoch 0: SGD lr 0.1000 -> 0.0983``, or ``SGD lr=0.1000``.

    The rate has four decimals as in the tutorial, and more where the base rate is below 0.01. The
    score on validation rows follows if there are any: ``, validation accuracy 87.76%``.
    """
    name = OPTIMIZERS[settings.optimizer].torch_name
    decimals = max(4, 2 - math.floor(math.log10(settings.lr)))
    if has_schedule:
        rates = f"lr {epoch.lr_start:.{decimals}f} -> {epoch.lr_end:.{decimals}f}"
    else:
        rates = f"lr={epoch.lr_start:.{decimals}f}"
    score = epoch.validation_score
    validation = (
        "" if score is None else f", validation {metric.name} {_format_score(score, metric)}"
    )
    return f"Epoch {epoch.epoch}: {name} {rates}{validation}"


def format_reported_epoch(epoch: Epoch, metric: Metric) -> str:
    """Return the line of an epoch of a training function: ``Epoch 0: accuracy 87.76%, lr 0.1``."""
    rate = "" if math.isnan(epoch.lr_start) else f", lr {epoch.lr_start:.4g}"
    return f"Epoch {epoch.epoch}: {metric.name} {_format_score(epoch.test_score, metric)}{rate}"


def format_result(result: Result, metric: Metric) -> str:
    """Return the last line: ``Model accuracy: 88.68%`` or ``Model RMSE: 54.3200``."""
    line = f"Model {metric.name}: {_format_score(result.test_score, metric)}"
    if not result.diverged:
        return line
    step = "" if result.diverged_at_step is None else f" at step {result.diverged_at_step}"
    return (
        f"{line} (diverged in epoch {len(result.curve)}{step}, so this is the dummy score; try a "
        "lower `lr`)"
    )


def _format_score(value: float, metric: Metric) -> str:
    if metric.percent:
        return f"{100 * value:.2f}%"
    return f"{value:.4f}" if value >= 0.1 else f"{value:.4g}"
