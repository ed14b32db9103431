"""A training function of one's own: any loop, any data, any model; lrlab gives it the schedule.

    lrlab compare examples/own_training.py:train --metric accuracy --percent --epochs 20

It is trained batch by batch with a scheduler that steps as often, which lrlab's own loop does too;
what is its own here is a penalty that grows, and a number reported beside the others.
"""

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

import lrlab


def train(run: lrlab.RunContext) -> None:
    """One run: everything random follows ``run.seed``, the rate ``run.create_scheduler``."""
    x_train, x_test, y_train, y_test = rows(run.seed)
    held = round(
        run.validation_size * len(x_train)
    )  # what rates are chosen by, where several are tried
    x_held, y_held = x_train[:held], y_train[:held]
    x_train, y_train = x_train[held:], y_train[held:]

    model = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3)).to(run.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=run.lr, momentum=run.momentum)
    batches = -(-len(x_train) // run.batch_size)
    scheduler = run.create_scheduler(optimizer, steps_per_epoch=batches)
    order = torch.Generator().manual_seed(run.seed)

    for epoch in range(run.epochs):
        total = 0.0
        for batch in torch.randperm(len(x_train), generator=order).split(run.batch_size):
            loss = nn.functional.cross_entropy(model(x_train[batch]), y_train[batch])
            penalty = sum(p.square().sum() for p in model.parameters())
            optimizer.zero_grad()
            (loss + 1e-3 * epoch / run.epochs * penalty).backward()
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(batch)
        reported = {"accuracy": accuracy(model, x_test, y_test), "loss": total / len(x_train)}
        if held:
            reported["validation_accuracy"] = accuracy(model, x_held, y_held)
        run.report(epoch, **reported, penalty=penalty)


def rows(seed: int) -> list[torch.Tensor]:
    """Wine, divided by the seed and scaled by the training rows."""
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed, stratify=y)
    scaler = StandardScaler().fit(x_train)
    inputs = [
        torch.tensor(scaler.transform(part), dtype=torch.float32) for part in (x_train, x_test)
    ]
    return [*inputs, torch.tensor(y_train), torch.tensor(y_test)]


@torch.no_grad()
def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """The share of rows whose class is the largest output."""
    return float((model(x).argmax(1) == y).float().mean())
