"""Training functions: a correct one, and others with one mistake each."""

from typing import Any

import torch
from torch import Tensor, nn


def make_rows(seed: int, validation_size: float = 0.0) -> tuple[Tensor, Tensor, int]:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(90, 3, generator=draw)
    y = (x.sum(1, keepdim=True) + 0.1 * torch.randn(90, 1, generator=draw)).sin()
    return x, y, 60 - round(60 * validation_size)


def train_correctly(run: Any) -> None:
    train(run, run.seed, run.lr, run.epochs, run.validation_size, has_schedule=True)


def train(
    run: Any, seed: int, lr: float, epochs: int, validation_size: float, has_schedule: bool
) -> None:
    x, y, train_rows = make_rows(seed, validation_size)
    compute_loss = nn.functional.mse_loss
    torch.manual_seed(seed)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=run.momentum)
    scheduler = run.create_scheduler(optimizer) if has_schedule else None
    for epoch in range(epochs):
        loss = compute_loss(model(x[:train_rows]), y[:train_rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        with torch.no_grad():
            error = compute_loss(model(x[60:]), y[60:]).sqrt()
            metrics = {"rmse": error, "loss": loss.detach()}
            if run.validation_size:
                validation_loss = (
                    compute_loss(model(x[train_rows:60]), y[train_rows:60])
                    if train_rows < 60
                    else loss.detach()
                )
                metrics["validation_rmse"] = validation_loss.sqrt()
        run.report(epoch, **metrics)


def stop_early(run: Any) -> None:
    train(run, run.seed, run.lr, run.epochs - 1, run.validation_size, has_schedule=True)


def ignore_epochs(run: Any) -> None:
    train(run, run.seed, run.lr, 2, run.validation_size, has_schedule=True)


def ignore_seed(run: Any) -> None:
    train(run, 0, run.lr, run.epochs, run.validation_size, has_schedule=True)


def draw_random_seed(run: Any) -> None:
    seed = int(torch.Generator().seed() % 2**31)
    train(run, seed, run.lr, run.epochs, run.validation_size, has_schedule=True)


def ignore_schedule(run: Any) -> None:
    train(run, run.seed, run.lr, run.epochs, run.validation_size, has_schedule=False)


def ignore_lr(run: Any) -> None:
    train(run, run.seed, 0.1, run.epochs, run.validation_size, has_schedule=True)


def train_on_validation_rows(run: Any) -> None:
    train(run, run.seed, run.lr, run.epochs, 0.0, has_schedule=True)
