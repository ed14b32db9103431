"""What a schedule that reads a metric is given at the end of every epoch."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from math import isfinite, nan

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from lrlab.errors import TrainingError
from lrlab.optim import LRScheduler
from lrlab.problems import Problem, Split, Trainable, derive_seeds
from lrlab.problems.seeds import fork_seeded_rng
from lrlab.schedules import Constant, Schedule
from lrlab.schedules.metric_driven import MetricDriven
from lrlab.training.result import Curve, Epoch, Result
from lrlab.training.run import Run
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
            'hold a share of the training rows out (--validation-size 0.2), or use mode="min", which '
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


OPTIMIZER_CLASSES: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
}


def train(
    problem: Problem,
    run: Run,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Result:
    """Trains one run and scores it on its test rows after every epoch.

    Args:
        problem: what is trained.
        run: schedule, settings and seed.
        on_epoch_end: called at the end of every epoch.
        device: where it is trained, by torch's name.

    Raises:
        ScheduleError: the schedule cannot be bound to this training, or gives what is no rate.
        TrainingError: the schedule reads a metric that this training does not have.
    """
    return train_and_get_model(problem, run, on_epoch_end, device)[1]


def train_and_get_model(
    problem: Problem,
    run: Run,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> tuple[nn.Module, Result]:
    """``train``, and the network as it was trained."""
    # Random layers go on with the random numbers that the initial weights have begun.
    with fork_seeded_rng(derive_seeds(run.seed).weights):
        model = problem.model().to(device)
        return model, _train_model(model, problem, run, on_epoch_end, device)


def _train_model(
    model: nn.Module,
    problem: Problem,
    run: Run,
    on_epoch_end: Callable[[Epoch], None],
    device: str,
) -> Result:
    started = time.perf_counter()
    settings, rows = run.settings, problem.train_rows
    split = problem.split_rows(run.seed, settings.count_validation_rows(rows)).to(device)
    optimizer = create_optimizer(model.parameters(), settings)
    bound_schedules = run.bind(rows)
    scheduler = create_scheduler(optimizer, bound_schedules) if bound_schedules else None
    read_metric = select_schedule_metric(run.schedules.values(), settings, problem)
    batch_order = torch.Generator().manual_seed(derive_seeds(run.seed).batch_order)

    epochs: list[Epoch] = []
    steps = 0
    for epoch in range(settings.epochs):
        lr_start = _get_lr(optimizer)
        loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        model.train()
        for x, y in _iter_batches(split, settings, batch_order):
            outputs = model(x)
            if not outputs.isfinite().all():  # some losses raise on such outputs
                loss_sum += nan
                break
            loss = problem.task.loss(outputs, y)
            optimizer.zero_grad()
            loss.backward()
            if settings.max_grad_norm is not None:
                clip_grad_norm_(model.parameters(), settings.max_grad_norm)
            optimizer.step()
            loss_sum += loss.detach() * len(x)
            steps += 1
            if scheduler and settings.step_every == "step":
                scheduler.step()
        mean_loss = float(loss_sum) / len(split.x_train)
        ended_epoch = Epoch(epoch, lr_start, lr_start, mean_loss, *_evaluate(problem, model, split))
        if not (
            _is_finite(ended_epoch) and all(bool(p.isfinite().all()) for p in model.parameters())
        ):
            dummy_score = compute_dummy_score(problem, split)
            seconds = time.perf_counter() - started
            return Result(
                dummy_score, True, Curve.from_epochs(epochs), seconds, diverged_at_step=steps
            )
        if scheduler:
            _step_scheduler_at_epoch_end(scheduler, settings, read_metric(ended_epoch))
        epochs.append(replace(ended_epoch, lr_end=_get_lr(optimizer)))
        on_epoch_end(epochs[-1])
    seconds = time.perf_counter() - started
    return Result(epochs[-1].test_score, False, Curve.from_epochs(epochs), seconds)


def init_model(problem: Problem, weights_seed: int) -> nn.Module:
    """The network with the initial weights of a seed."""
    with fork_seeded_rng(weights_seed):
        return problem.model()


def create_optimizer(parameters: Iterator[nn.Parameter], settings: Settings) -> Optimizer:
    """Torch's optimizer of these settings."""
    return OPTIMIZER_CLASSES[settings.optimizer](parameters, **settings.optimizer_kwargs)


def compute_dummy_score(problem: Problem, split: Split) -> float:
    """The score of the best constant guess, which is what a diverged run is scored as.

    Raises:
        TrainingError: the metric has no number for it.
    """
    row = problem.task.dummy_output(split.y_train)
    outputs = row.expand(len(split.y_test), *row.shape)
    score = float(problem.task.metric.fn(outputs, split.y_test)) * split.target_scale
    if not isfinite(score):
        raise TrainingError(
            f"a diverged run scores as a constant guess, but the {problem.metric.name} of one is "
            f"{score}; give the metric a finite number there, or use lower rates (--lr)."
        )
    return score


def create_scheduler(optimizer: Optimizer, bound_schedules: Mapping[str, Schedule]) -> LRScheduler:
    """The scheduler of bound schedules by the names of their hyperparameters."""
    return LRScheduler(optimizer, Constant(1.0), groups={0: bound_schedules})


def _step_scheduler_at_epoch_end(scheduler: LRScheduler, settings: Settings, metric: float) -> None:
    match (settings.step_every, scheduler.needs_metric):
        case ("epoch", False):
            scheduler.step()
        case ("epoch", True):
            scheduler.step(metric)
        case ("step", True):
            scheduler.observe(metric)


def _iter_batches(
    split: Split, settings: Settings, batch_order: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    x, y = split.x_train, split.y_train
    if settings.shuffle:
        shuffled = torch.randperm(len(x), generator=batch_order)
        x, y = x[shuffled], y[shuffled]
    size = min(settings.batch_size, len(x))
    yield from zip(x.split(size), y.split(size), strict=True)


def _get_lr(optimizer: Optimizer) -> float:
    return float(optimizer.param_groups[0]["lr"])


def _is_finite(epoch: Epoch) -> bool:
    numbers = (epoch.loss, epoch.test_score, epoch.validation_loss, epoch.validation_score)
    return all(isfinite(number) for number in numbers if number is not None)


def _evaluate(
    problem: Problem, model: nn.Module, split: Split
) -> tuple[float, float | None, float | None]:
    """The score of the test rows, then loss and score of those held out; NaN for lost outputs."""
    metric, unit = problem.task.metric.fn, split.target_scale
    model.eval()
    with torch.no_grad():
        outputs = model(split.x_test)
        score = float(metric(outputs, split.y_test)) * unit if outputs.isfinite().all() else nan
        if split.x_validation is None or split.y_validation is None:
            return score, None, None
        outputs = model(split.x_validation)
        if not outputs.isfinite().all():
            return score, nan, nan
        loss = float(problem.task.loss(outputs, split.y_validation))
        return score, loss, float(metric(outputs, split.y_validation)) * unit
