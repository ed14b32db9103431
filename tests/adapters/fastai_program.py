"""Trains with fastai and prints what its optimizers held in each step, as JSON.

A program of its own, as fastai changes torch's and pandas' classes when it is imported. It ends
with 77 where fastai cannot be.
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


class Noting(torch.optim.SGD):
    def step(self, closure: Any = None) -> Any:
        names = {"lr": "lr", "mom": "momentum", "wd": "weight_decay"}
        used.append({name: [g[key] for g in self.param_groups] for name, key in names.items()})
        return super().step(closure)


def learner() -> Any:
    """Five batches an epoch, two parameter groups, torch's SGD."""
    from fastai.basics import DataLoaders, Learner, OptimWrapper

    rows = [(torch.ones(1), torch.ones(1))] * 10
    return Learner(
        DataLoaders.from_dsets(rows, rows[:2], bs=2, num_workers=0),
        nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)),
        loss_func=nn.functional.mse_loss,
        opt_func=partial(OptimWrapper, opt=Noting, momentum=0.8),
        splitter=lambda model: [list(layer.parameters()) for layer in model],
        lr=0.1,
        wd=0.01,
    )


def taken() -> list[dict[str, list[float]]]:
    steps = used.copy()
    used.clear()
    return steps


def main() -> dict[str, Any]:
    from fastai.callback.schedule import ParamScheduler

    printed: dict[str, Any] = {}
    text = "Warmup('1ep') >> Cosine()"
    learn = learner()
    with learn.no_bar(), learn.no_logging():
        fit(learn, EPOCHS, text, mom="Linear(1.0, 0.5)", wd="Linear(0.0, 1.0)")
        printed["first"] = taken()
        fit(learn, EPOCHS, text, mom="Linear(1.0, 0.5)", lr_max=slice(0.2, 0.4))
        printed["again"] = taken()
        fit(learn, EPOCHS, text, start_epoch=2)
        printed["third epoch"] = taken()
        rates = to_function("Cosine()", 0.5, total_steps=len(learn.dls.train) * EPOCHS)
        learn.fit(EPOCHS, cbs=ParamScheduler({"lr": rates}))
        printed["curve"] = taken()
    try:
        fit(learn, EPOCHS, text, momm=text)
    except SchedulerError as error:
        printed["mistake"] = str(error)
    return printed


if __name__ == "__main__":
    try:
        import_module("fastai.basics")
    except ImportError as error:
        print(error)
        sys.exit(77)
    print(json.dumps(main()))
