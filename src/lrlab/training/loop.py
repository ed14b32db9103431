"""The training loop, which defines a run: one model, one optimizer, one scheduler.

The ensemble must give the same numbers. ``train`` is the entry; ``_train_model`` is the loop.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from math import isfinite, nan

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from lrlab.errors import TrainingError
from lrlab.optim import LRScheduler
from lrlab.problems import AnySplit, Metric, Problem, Trainable, derive_seeds
from lrlab.problems.seeds import fork_seeded_rng
from lrlab.problems.split import Batch
from lrlab.schedules import Constant, Schedule
from lrlab.schedules.metric_driven import MetricDriven
from lrlab.training.result import Curve, DummyScores, Epoch, Result
from lrlab.training.run import Run
from lrlab.training.settings import OPTIMIZERS, Settings
from lrlab.user_code import describe_error


def train(
    problem: Problem,
    run: Run,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Result:
    """Train one run, and score it on its test rows after every epoch.

    Args:
        problem: the problem to train on.
        run: schedule, settings and seed.
        on_epoch_end: callback for every epoch that ended.
        device: device to train on, as torch names it.

    Raises:
        ScheduleError: the schedule cannot be bound to this training, or gives an invalid value.
        TrainingError: the schedule needs a metric that this training does not have.
    """
    return train_and_get_model(problem, run, on_epoch_end, device)[1]


def train_and_get_model(
    problem: Problem,
    run: Run,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> tuple[nn.Module, Result]:
    """Train one run like ``train``, and return the trained model with its result."""
    # Random layers draw from the generator that drew the initial weights.
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
    for number in range(settings.epochs):
        lr_start = get_current_lr(optimizer)
        loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        model.train()
        order = (
            torch.randperm(split.train_rows, generator=batch_order) if settings.shuffle else None
        )
        for x, y in split.iter_train_batches(settings.batch_size, order, epoch=number):
            outputs = compute_train_outputs(model, x)
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
        mean_loss = float(loss_sum) / split.train_rows
        scores = _evaluate(problem, model, split, settings)
        epoch = Epoch(number, lr_start, lr_start, mean_loss, *scores)
        if not (_is_finite(epoch) and all(bool(p.isfinite().all()) for p in model.parameters())):
            dummy_scores = compute_dummy_scores(problem, split)
            seconds = time.perf_counter() - started
            return Result.from_diverged(dummy_scores, Curve.from_epochs(epochs), seconds, steps)
        if scheduler:
            _step_scheduler_at_epoch_end(scheduler, settings, read_metric(epoch))
        epochs.append(replace(epoch, lr_end=get_current_lr(optimizer)))
        on_epoch_end(epochs[-1])
    seconds = time.perf_counter() - started
    return Result(epochs[-1].test_score, False, Curve.from_epochs(epochs), seconds)


def compute_train_outputs(model: nn.Module, x: Tensor) -> Tensor:
    """Return the outputs for a batch in training.

    Raises:
        TrainingError: the model cannot take a batch of one row, as with batch normalization.
    """
    try:
        outputs: Tensor = model(x)
    except Exception as error:
        if len(x) > 1:
            raise
        raise TrainingError(
            "the last batch of an epoch has only 1 row, which the model cannot take "
            f"({describe_error(error)}); use another `batch_size`."
        ) from error
    return outputs


def init_model(problem: Problem, weights_seed: int) -> nn.Module:
    """Build the model with the initial weights of a seed."""
    with fork_seeded_rng(weights_seed):
        return problem.model()


def create_optimizer(parameters: Iterator[nn.Parameter], settings: Settings) -> Optimizer:
    """Create the torch optimizer of these settings."""
    return get_optimizer_class(settings)(parameters, **settings.optimizer_kwargs)


def get_optimizer_class(settings: Settings) -> type[Optimizer]:
    """Return the class of the torch optimizer of these settings."""
    optimizer_class: type[Optimizer] = getattr(
        torch.optim, OPTIMIZERS[settings.optimizer].torch_name
    )
    return optimizer_class


def create_scheduler(optimizer: Optimizer, bound_schedules: Mapping[str, Schedule]) -> LRScheduler:
    """Create the scheduler of bound schedules, given by the names of their hyperparameters."""
    return LRScheduler(optimizer, Constant(1.0), groups={0: bound_schedules})


def get_current_lr(optimizer: Optimizer) -> float:
    """Return the learning rate of the first parameter group."""
    return float(optimizer.param_groups[0]["lr"])


def _evaluate(
    problem: Problem, model: nn.Module, split: AnySplit, settings: Settings
) -> tuple[float, float | None, float | None]:
    """Return test score, validation loss and validation score; NaN if an output is not finite."""
    metric = problem.metric
    model.eval()
    with torch.no_grad():
        outputs, y = _compute_outputs(model, split.iter_test_batches(settings.batch_size))
        score = compute_score(metric, outputs, y, split) if outputs.isfinite().all() else nan
        if not settings.validation_size:
            return score, None, None
        outputs, y = _compute_outputs(model, split.iter_validation_batches(settings.batch_size))
        if not outputs.isfinite().all():
            return score, nan, nan
        loss = float(problem.task.loss(outputs, y))
        return score, loss, compute_score(metric, outputs, y, split)


def compute_score(metric: Metric, outputs: Tensor, targets: Tensor, split: AnySplit) -> float:
    """Return the score of some rows in the user's units."""
    scale, mean = split.target_scale, split.target_mean
    if mean is None:
        return float(metric.fn(outputs, targets)) * scale
    return float(metric.fn(outputs * scale + mean, targets * scale + mean))


def _compute_outputs(model: nn.Module, batches: Iterator[Batch]) -> Batch:
    """Return the outputs and the targets of all batches."""
    outputs, targets = zip(*((model(x), y) for x, y in batches), strict=True)
    return torch.cat(outputs), torch.cat(targets)


def _is_finite(epoch: Epoch) -> bool:
    numbers = (epoch.loss, epoch.test_score, epoch.validation_loss, epoch.validation_score)
    return all(isfinite(number) for number in numbers if number is not None)


def compute_dummy_scores(problem: Problem, split: AnySplit) -> DummyScores:
    """Return the scores of a constant prediction, which a diverged run gets.

    Raises:
        TrainingError: one of them is not finite.
    """
    row = problem.task.dummy_output(split.y_train)
    return DummyScores(
        test=_score_constant(problem.metric, row, split.y_test, split),
        validation=None
        if split.y_validation is None
        else _score_constant(problem.metric, row, split.y_validation, split),
    )


def _score_constant(metric: Metric, row: Tensor, targets: Tensor, split: AnySplit) -> float:
    score = compute_score(metric, row.expand(len(targets), *row.shape), targets, split)
    if not isfinite(score):
        raise TrainingError(
            "a diverged run gets the dummy score, that of a constant prediction, but the "
            f"{metric.name} of one is {score}; make the metric finite there, or lower `lr`."
        )
    return score


def _step_scheduler_at_epoch_end(scheduler: LRScheduler, settings: Settings, metric: float) -> None:
    match (settings.step_every, scheduler.needs_metric):
        case ("epoch", False):
            scheduler.step()
        case ("epoch", True):
            scheduler.step(metric)
        case ("step", True):
            scheduler.observe(metric)


def select_schedule_metric(
    schedules: Iterable[Schedule], settings: Settings, problem: Trainable
) -> Callable[[Epoch], float]:
    """Select the number of an epoch that metric-driven schedules get; never one of the test rows.

    With ``mode="min"`` it is the validation loss, or the training loss without validation rows;
    with ``mode="max"`` it is the metric on the validation rows.

    Raises:
        TrainingError: the mode is ``"max"`` and there are no validation rows, or lower values of
            the metric are better; or the schedules have different modes.
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
            "the metric-driven schedules of a run must have the same mode, got "
            f"{' and '.join(map(repr, dict.fromkeys(metric_driven)))}; use one mode."
        )
    if not metric.greater_is_better:
        raise TrainingError(
            f"{first} expects a metric to rise, but lower values of {metric.name} are better; use "
            'mode="min", which reads the loss.'
        )
    if not has_validation:
        raise TrainingError(
            f"{first} reads the {metric.name} of the validation rows, but there are none; set "
            '`validation_size=0.2`, or use mode="min", which reads the loss.'
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
