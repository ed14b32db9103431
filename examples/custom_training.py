"""A training function of your own: any loop, any data, any model, with lrlab's schedule.

    python examples/custom_training.py
    lrlab compare examples/custom_training.py:train --metric accuracy --percent --epochs 20

The function steps the scheduler after every batch. It has two things that lrlab's own loop lacks: a
penalty that grows during training, and an additional reported number.
"""

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

import lrlab


def train(run: lrlab.RunContext) -> None:
    """Train one run: ``run.seed`` fixes everything random, ``run.create_scheduler`` the rate."""
    x_train, x_test, y_train, y_test = load_rows(run.seed)
    validation_rows = round(run.validation_size * len(x_train))  # above 0 while tuning
    x_validation, y_validation = x_train[:validation_rows], y_train[:validation_rows]
    x_train, y_train = x_train[validation_rows:], y_train[validation_rows:]

    model = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3)).to(run.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=run.lr, momentum=run.momentum)
    batches = -(-len(x_train) // run.batch_size)
    scheduler = run.create_scheduler(optimizer, steps_per_epoch=batches)
    batch_order = torch.Generator().manual_seed(run.seed)

    for epoch in range(run.epochs):
        loss_sum = 0.0
        for batch in torch.randperm(len(x_train), generator=batch_order).split(run.batch_size):
            loss = nn.functional.cross_entropy(model(x_train[batch]), y_train[batch])
            penalty = sum(p.square().sum() for p in model.parameters())
            optimizer.zero_grad()
            (loss + 1e-3 * epoch / run.epochs * penalty).backward()
            optimizer.step()
            scheduler.step()
            loss_sum += loss.item() * len(batch)
        metrics = {
            "accuracy": compute_accuracy(model, x_test, y_test),
            "loss": loss_sum / len(x_train),
        }
        if validation_rows:
            metrics["validation_accuracy"] = compute_accuracy(model, x_validation, y_validation)
        run.report(epoch, **metrics, penalty=penalty)


def load_rows(seed: int) -> list[torch.Tensor]:
    """Load wine, split by the seed and scaled by the training rows."""
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed, stratify=y)
    scaler = StandardScaler().fit(x_train)
    inputs = [
        torch.tensor(scaler.transform(part), dtype=torch.float32) for part in (x_train, x_test)
    ]
    return [*inputs, torch.tensor(y_train), torch.tensor(y_test)]


@torch.no_grad()
def compute_accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Return the fraction of rows whose class has the largest output."""
    return float((model(x).argmax(1) == y).float().mean())


def main() -> None:
    """Compare two schedules on it, at one learning rate."""
    problem = lrlab.TrainingFunction(train, metric="accuracy", percent=True)
    study = lrlab.compare(problem, ["Cosine()", "wsd()"], tune=False, lr=0.1, epochs=5, seeds=5)
    print(study.answer)


if __name__ == "__main__":
    main()
