"""Python files of a user: a problem and a training function."""

PROBLEM = """
import lrlab
from sklearn.datasets import load_wine
from torch import nn

def model():
    return nn.Sequential(nn.BatchNorm1d(13), nn.Linear(13, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 3))

def problem():
    return lrlab.Problem.from_arrays(*load_wine(return_X_y=True), model, name="my-wine")

WIDTH = 8
"""

TRAINING = """
import torch
from torch import nn

def train(run):
    generator = torch.Generator().manual_seed(run.seed)
    x = torch.randn(60, 3, generator=generator)
    y = x.sum(1, keepdim=True)
    train_rows = 40 - round(40 * run.validation_size)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=run.lr)
    scheduler = run.create_scheduler(optimizer)
    for epoch in range(run.epochs):
        loss = nn.functional.mse_loss(model(x[:train_rows]), y[:train_rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        validation = nn.functional.mse_loss(model(x[train_rows:41]), y[train_rows:41])
        error = nn.functional.mse_loss(model(x[40:]), y[40:])
        run.report(epoch, error=error, validation_error=validation, loss=loss)
"""
METRIC_OPTIONS = ["--metric", "error", "--lower-is-better", "--dummy-score", "3"]
"""The options that the training function needs."""
