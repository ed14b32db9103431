"""What a schedule that reads a metric is given at the end of every epoch."""

from collections.abc import Callable, Iterable

from lrlab.errors import TrainingError
from lrlab.problems import Trainable
from lrlab.schedules import Schedule
from lrlab.schedules.reactive import MetricDriven
from lrlab.training.result import Epoch
from lrlab.training.settings import Settings


def select_schedule_metric(
    schedules: Iterable[Schedule], settings: Settings, problem: Trainable
) -> Callable[[Epoch], float]:
    """The number of an epoch that the schedules of a run read; never one of the test rows.

    Those that wait for less read the loss: on the rows held out for validation, or the training
    loss where none are. Those that wait for more (``mode="max"``) read the metric on the rows held
    out.

    Raises:
        TrainingError: it waits for more and no rows are held out, or less of the metric is better,
            or some wait for less and some for more.
    """
    metric_driven = [
        part for schedule in schedules for part in schedule.walk() if isinstance(part, MetricDriven)
    ]
    modes = {part.mode for part in metric_driven}
    has_validation = settings.validation_size > 0
    if modes <= {"min"}:
        return _get_validation_loss if has_validation else _get_train_loss
    metric, first = problem.metric, metric_driven[0]
    if "min" in modes:
        raise TrainingError(
            "the schedules of a run must all read the same metric, but "
            f"{' and '.join(map(repr, dict.fromkeys(metric_driven)))} wait for less and for more; use "
            "one mode."
        )
    if not metric.greater_is_better:
        raise TrainingError(
            f"{first} waits for its metric to rise, but {metric.name} is better when it falls; "
            'use mode="min", which reads the loss.'
        )
    if not has_validation:
        raise TrainingError(
            f"{first} reads the {metric.name} of rows held out for validation, but none are; "
            'hold a share of the training rows out (--validation 0.2), or use mode="min", which '
            "reads the loss."
        )
    return _get_validation_score


def _get_train_loss(epoch: Epoch) -> float:
    return epoch.loss


def _get_validation_loss(epoch: Epoch) -> float:
    assert epoch.validation_loss is not None
    return epoch.validation_loss


def _get_validation_score(epoch: Epoch) -> float:
    assert epoch.validation_score is not None
    return epoch.validation_score
