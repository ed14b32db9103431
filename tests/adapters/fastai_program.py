"""Trains with fastai and prints the values that its optimizers used in each step, as JSON.

A separate program, because importing fastai changes classes of torch and pandas. It exits with 77
if fastai cannot be imported.
"""

import json
import sys
from functools import partial
from importlib import import_module
from typing import Any

import torch
from torch import nn

from lrlab.adapters.fastai import fit, to_function
from lrlab.errors import SchedulerError

EPOCHS = 3
used: list[dict[str, list[float]]] = []


class RecordingSGD(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        names = {"lr": "lr", "mom": "momentum", "wd": "weight_decay"}
        used.append({name: [g[key] for g in self.param_groups] for name, key in names.items()})
        return super().step(closure)


def make_learner() -> Any:
    """Build a Learner with five batches per epoch, two parameter groups, torch's SGD."""
    from fastai.basics import DataLoaders, Learner, OptimWrapper

    rows = [(torch.ones(1), torch.ones(1))] * 10
    return Learner(
        DataLoaders.from_dsets(rows, rows[:2], bs=2, num_workers=0),
        nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)),
        loss_func=nn.functional.mse_loss,
        opt_func=partial(OptimWrapper, opt=RecordingSGD, momentum=0.8),
        splitter=lambda model: [list(layer.parameters()) for layer in model],
        lr=0.1,
        wd=0.01,
    )


def take_used_values() -> list[dict[str, list[float]]]:
    steps = used.copy()
    used.clear()
    return steps


def main() -> dict[str, Any]:
    from fastai.callback.schedule import ParamScheduler

    results: dict[str, Any] = {}
    text = "Warmup('1ep') >> Cosine()"
    learn = make_learner()
    with learn.no_bar(), learn.no_logging():
        fit(learn, EPOCHS, text, mom="Linear(1.0, 0.5)", wd="Linear(0.0, 1.0)")
        results["first"] = take_used_values()
        fit(learn, EPOCHS, text, mom="Linear(1.0, 0.5)", lr_max=slice(0.2, 0.4))
        results["again"] = take_used_values()
        fit(learn, EPOCHS, text, start_epoch=2)
        results["third epoch"] = take_used_values()
        get_lr = to_function("Cosine()", 0.5, total_steps=len(learn.dls.train) * EPOCHS)
        learn.fit(EPOCHS, cbs=ParamScheduler({"lr": get_lr}))
        results["to_function"] = take_used_values()
    try:
        fit(learn, EPOCHS, text, momm=text)
    except SchedulerError as error:
        results["mistake"] = str(error)
    return results


if __name__ == "__main__":
    try:
        import_module("fastai.basics")
    except ImportError as error:
        print(error)
        sys.exit(77)
    print(json.dumps(main()))
