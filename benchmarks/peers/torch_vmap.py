"""``torch.func.vmap`` over stacked models, each with its own batches.

Written after PyTorch's own "Model ensembling" tutorial, with a gradient and SGD by hand.
"""

from collections.abc import Sequence

import torch
from torch.func import functional_call, grad_and_value, vmap

from lrlab.problems import Problem
from lrlab.training import Run

from .jobs import Job
from .stacked import Stacked


def vmap_training(problem: Problem, runs: Sequence[Run]) -> Job:
    """All runs at once in this process. Stacking the data is not part of the job."""
    data, model = Stacked.from_runs(problem, runs), problem.model()
    rows = data.x_train.shape[1]

    def outputs(weights, x):
        return functional_call(model, weights, (x,))

    def loss(weights, x, y):
        return problem.task.loss(outputs(weights, x), y)

    step = vmap(grad_and_value(loss))
    evaluate = vmap(lambda weights, x, y: problem.task.metric.fn(outputs(weights, x), y))

    def job():
        weights = {name: each.clone() for name, each in data.weights.items()}
        for rate in data.rates.T:
            total = torch.zeros(len(runs))
            for start in range(0, rows, data.batch):
                x = data.x_train[:, start : start + data.batch]
                y = data.y_train[:, start : start + data.batch]
                gradients, losses = step(weights, x, y)
                for name, each in weights.items():
                    each.addcmul_(gradients[name], rate.view(-1, *[1] * (each.dim() - 1)), value=-1)
                total += losses * x.shape[1]
            scores = evaluate(weights, data.x_test, data.y_test)
        return zip((total / rows).tolist(), scores.tolist(), strict=True)

    return job
