"""The tutorial's loop: one run in plain PyTorch, and by that the definition of what a run is."""

import time
from collections.abc import Callable, Iterator
from math import isfinite, nan

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from lrlab.optim import LRScheduler
from lrlab.problems import Problem, Split, streams
from lrlab.training.run import Epoch, Result, Run, Settings


def train(
    problem: Problem, run: Run, report: Callable[[Epoch], None] = lambda epoch: None
) -> Result:
    """Trains one run and scores it on its test rows after every epoch.

    Args:
        problem: what is trained.
        run: schedule, settings and seed.
        report: called at the end of every epoch.

    Raises:
        ScheduleError: the schedule cannot be bound to this training, or gives what is no rate.
    """
    started = time.perf_counter()
    settings, seeds = run.settings, streams(run.seed)
    split = problem.split(run.seed)
    model = _fresh(problem, seeds.weights)
    optimizer = _optimizer(model, settings)
    scheduler = None
    if run.schedule is not None:
        scheduler = LRScheduler(optimizer, settings.bind(run.schedule, len(split.x_train)))
    order = torch.Generator().manual_seed(seeds.order)

    epochs: list[Epoch] = []
    for epoch in range(settings.epochs):
        before = _rate(optimizer)
        total = torch.zeros(())
        model.train()
        for x, y in _batches(split, settings, order):
            outputs = model(x)
            if not outputs.isfinite().all():  # some losses raise on such outputs
                total += nan
                break
            loss = problem.task.loss(outputs, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(x)
            if scheduler and settings.per == "step":
                scheduler.step()
        if scheduler and settings.per == "epoch":
            scheduler.step()
        score = _score(problem, model, split)
        if not (torch.isfinite(total) and isfinite(score) and _finite(model)):
            guess = _score_of_a_guess(problem, split)
            return Result(guess, True, tuple(epochs), time.perf_counter() - started)
        mean_loss = float(total) / len(split.x_train)
        epochs.append(Epoch(epoch, before, _rate(optimizer), mean_loss, score))
        report(epochs[-1])
    return Result(epochs[-1].score, False, tuple(epochs), time.perf_counter() - started)


def _fresh(problem: Problem, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return problem.model()


def _optimizer(model: nn.Module, settings: Settings) -> Optimizer:
    match settings.optimizer:
        case "adam":
            return Adam(model.parameters(), lr=settings.lr)
        case "adamw":
            return AdamW(model.parameters(), lr=settings.lr)
        case _:
            return SGD(model.parameters(), lr=settings.lr, momentum=settings.momentum)


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


def _finite(model: nn.Module) -> bool:
    return all(bool(torch.isfinite(weight).all()) for weight in model.parameters())


def _score(problem: Problem, model: nn.Module, split: Split) -> float:
    model.eval()
    with torch.no_grad():
        outputs = model(split.x_test)
    if not outputs.isfinite().all():
        return nan
    return problem.task.metric.of(outputs, split.y_test) * split.unit


def _score_of_a_guess(problem: Problem, split: Split) -> float:
    row = problem.task.guess(split.y_train)
    outputs = row.expand(len(split.y_test), -1)
    return problem.task.metric.of(outputs, split.y_test) * split.unit
