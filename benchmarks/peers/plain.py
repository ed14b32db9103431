"""The tutorial's program: one run in plain PyTorch, without anything of lrlab's training."""

from collections.abc import Sequence

import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR

from lrlab.problems import Problem, derive_seeds
from lrlab.training import Run

from .jobs import Job


def train(problem: Problem, run: Run) -> tuple[float, float]:
    """Trains one run as the article does, on one thread, and evaluates it after every epoch."""
    torch.set_num_threads(1)
    settings, split = run.settings, problem.split(run.seed)
    torch.manual_seed(derive_seeds(run.seed).weights)
    model = problem.model()
    loss_fn, metric = problem.task.loss, problem.task.metric.fn
    optimizer = SGD(model.parameters(), lr=settings.lr)
    factors = run.schedule(range(settings.epochs + 1)).tolist()
    scheduler = LambdaLR(optimizer, factors.__getitem__)
    batch_start = range(0, len(split.x_train), settings.batch_size)
    for _ in range(settings.epochs):
        total = torch.zeros(())
        model.train()
        for start in batch_start:
            x_batch = split.x_train[start : start + settings.batch_size]
            y_batch = split.y_train[start : start + settings.batch_size]
            y_pred = model(x_batch)
            loss = loss_fn(y_pred, y_batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(x_batch)
        scheduler.step()
        model.eval()
        with torch.no_grad():
            score = float(metric(model(split.x_test), split.y_test))
    return float(total) / len(split.x_train), score


def train_one_by_one(problem: Problem, runs: Sequence[Run]) -> Job:
    """One run after another in this process."""
    return lambda: [train(problem, run) for run in runs]
