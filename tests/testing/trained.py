"""Training functions: one as it should be, and ones with a slip each."""

from typing import Any

import torch
from torch import Tensor, nn

TESTED = 30


def rows(seed: int, validation: float = 0.0) -> tuple[Tensor, Tensor, int]:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(90, 3, generator=draw)
    y = (x.sum(1, keepdim=True) + 0.1 * torch.randn(90, 1, generator=draw)).sin()
    return x, y, 60 - round(60 * validation)


def honest(run: Any) -> None:
    training(run, run.seed, run.lr, run.epochs, run.validation_size, scheduled=True)


def training(
    run: Any, seed: int, lr: float, epochs: int, validation: float, scheduled: bool
) -> None:
    x, y, kept = rows(seed, validation)
    loss_of = nn.functional.mse_loss
    torch.manual_seed(seed)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=run.momentum)
    scheduler = run.create_scheduler(optimizer) if scheduled else None
    for epoch in range(epochs):
        loss = loss_of(model(x[:kept]), y[:kept])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        with torch.no_grad():
            error = loss_of(model(x[60:]), y[60:]).sqrt()
            reported = {"rmse": error, "loss": loss.detach()}
            if run.validation_size:
                held = loss_of(model(x[kept:60]), y[kept:60]) if kept < 60 else loss.detach()
                reported["validation_rmse"] = held.sqrt()
        run.report(epoch, **reported)


def ends_early(run: Any) -> None:
    training(run, run.seed, run.lr, run.epochs - 1, run.validation_size, scheduled=True)


def two_epochs(run: Any) -> None:
    training(run, run.seed, run.lr, 2, run.validation_size, scheduled=True)


def one_seed(run: Any) -> None:
    training(run, 0, run.lr, run.epochs, run.validation_size, scheduled=True)


def any_seed(run: Any) -> None:
    seed = int(torch.Generator().seed() % 2**31)
    training(run, seed, run.lr, run.epochs, run.validation_size, scheduled=True)


def no_schedule(run: Any) -> None:
    training(run, run.seed, run.lr, run.epochs, run.validation_size, scheduled=False)


def own_rate(run: Any) -> None:
    training(run, run.seed, 0.1, run.epochs, run.validation_size, scheduled=True)


def all_rows(run: Any) -> None:
    training(run, run.seed, run.lr, run.epochs, 0.0, scheduled=True)
