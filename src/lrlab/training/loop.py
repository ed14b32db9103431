"""The tutorial's loop: one run in plain PyTorch, and by that the definition of what a run is."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import isfinite, nan

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from lrlab.errors import TrainingError
from lrlab.optim import LRScheduler
from lrlab.problems import Problem, Split, split_of, streams
from lrlab.problems.seeds import drawing
from lrlab.schedules import Constant, Schedule
from lrlab.training.result import Curve, Epoch, Result
from lrlab.training.run import Run
from lrlab.training.settings import Settings
from lrlab.training.watching import watched

KINDS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop}


def train(
    problem: Problem,
    run: Run,
    report: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Result:
    """Trains one run and scores it on its test rows after every epoch.

    Args:
        problem: what is trained.
        run: schedule, settings and seed.
        report: called at the end of every epoch.
        device: where it is trained, by torch's name.

    Raises:
        ScheduleError: the schedule cannot be bound to this training, or gives what is no rate.
        TrainingError: the schedule reads a metric that this training does not have.
    """
    return fit(problem, run, report, device)[1]


def fit(
    problem: Problem,
    run: Run,
    report: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> tuple[nn.Module, Result]:
    """``train``, and the network as it was trained."""
    # Random layers go on with the random numbers that the initial weights have begun.
    with drawing(streams(run.seed).weights):
        model = problem.model().to(device)
        return model, _trained(model, problem, run, report, device)


def _trained(
    model: nn.Module,
    problem: Problem,
    run: Run,
    report: Callable[[Epoch], None],
    device: str,
) -> Result:
    started = time.perf_counter()
    settings, rows = run.settings, problem.train_rows
    split = split_of(problem, run.seed, settings.held_out(rows)).to(device)
    optimizer = optimizer_for(model.parameters(), settings)
    bound = run.bound(rows)
    scheduler = scheduler_for(optimizer, bound) if bound else None
    metric = watched(run.scheduled.values(), settings, problem)
    order = torch.Generator().manual_seed(streams(run.seed).order)

    epochs: list[Epoch] = []
    steps = 0
    for epoch in range(settings.epochs):
        before = _rate(optimizer)
        total = torch.zeros((), dtype=torch.float64, device=device)
        model.train()
        for x, y in _batches(split, settings, order):
            outputs = model(x)
            if not outputs.isfinite().all():  # some losses raise on such outputs
                total += nan
                break
            loss = problem.task.loss(outputs, y)
            optimizer.zero_grad()
            loss.backward()
            if settings.clip is not None:
                clip_grad_norm_(model.parameters(), settings.clip)
            optimizer.step()
            total += loss.detach() * len(x)
            steps += 1
            if scheduler and settings.per == "step":
                scheduler.step()
        mean_loss = float(total) / len(split.x_train)
        now = Epoch(epoch, before, before, mean_loss, *_scores(problem, model, split))
        if not (_finite(now) and all(bool(p.isfinite().all()) for p in model.parameters())):
            guess = score_of_a_guess(problem, split)
            seconds = time.perf_counter() - started
            return Result(guess, True, Curve.of(epochs), seconds, left_at=steps)
        if scheduler:
            _end_epoch(scheduler, settings, metric(now))
        epochs.append(replace(now, after=_rate(optimizer)))
        report(epochs[-1])
    seconds = time.perf_counter() - started
    return Result(epochs[-1].score, False, Curve.of(epochs), seconds)


def fresh(problem: Problem, seed: int) -> nn.Module:
    """The network with the initial weights of a seed."""
    with drawing(seed):
        return problem.model()


def optimizer_for(parameters: Iterator[nn.Parameter], settings: Settings) -> Optimizer:
    """Torch's optimizer of these settings."""
    return KINDS[settings.optimizer](parameters, **settings.hyperparameters)


def score_of_a_guess(problem: Problem, split: Split) -> float:
    """The score of the best constant guess, which is what a diverged run is scored as.

    Raises:
        TrainingError: the metric has no number for it.
    """
    row = problem.task.guess(split.y_train)
    outputs = row.expand(len(split.y_test), *row.shape)
    score = float(problem.task.metric.of(outputs, split.y_test)) * split.unit
    if not isfinite(score):
        raise TrainingError(
            f"a diverged run scores as a constant guess, but the {problem.metric.name} of one is "
            f"{score}; give the metric a finite number there, or use lower rates (--lr)."
        )
    return score


def scheduler_for(optimizer: Optimizer, bound: Mapping[str, Schedule]) -> LRScheduler:
    """The scheduler of bound schedules by the names of their hyperparameters."""
    return LRScheduler(optimizer, Constant(1.0), groups={0: bound})


def _end_epoch(scheduler: LRScheduler, settings: Settings, metric: float) -> None:
    match (settings.per, scheduler.reactive):
        case ("epoch", False):
            scheduler.step()
        case ("epoch", True):
            scheduler.step(metric)
        case ("step", True):
            scheduler.observe(metric)


def _batches(
    split: Split, settings: Settings, order: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    x, y = split.x_train, split.y_train
    if settings.shuffle:
        shuffled = torch.randperm(len(x), generator=order)
        x, y = x[shuffled], y[shuffled]
    size = min(settings.batch_size, len(x))
    yield from zip(x.split(size), y.split(size), strict=True)


def _rate(optimizer: Optimizer) -> float:
    return float(optimizer.param_groups[0]["lr"])


def _finite(epoch: Epoch) -> bool:
    numbers = (epoch.loss, epoch.score, epoch.validation_loss, epoch.validation_score)
    return all(isfinite(number) for number in numbers if number is not None)


def _scores(
    problem: Problem, model: nn.Module, split: Split
) -> tuple[float, float | None, float | None]:
    """The score of the test rows, then loss and score of those held out; NaN for lost outputs."""
    metric, unit = problem.task.metric.of, split.unit
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
