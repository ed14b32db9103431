"""The data of many runs as arrays with a first axis over runs: what vmap maps over."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lrlab.problems import Problem, derive_seeds
from lrlab.training import Run
from lrlab.training.loop import init_model


@dataclass(frozen=True)
class Stacked:
    """Each run's own rows, initial weights and rates, the last of shape (runs, epochs)."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    weights: dict[str, Tensor]
    rates: Tensor
    batch: int

    @staticmethod
    def from_runs(problem: Problem, runs: Sequence[Run]) -> "Stacked":
        """Of runs with equal settings but for the rate, and with batches in fixed order."""
        seeds = {run.seed for run in runs}
        split = {seed: problem.split(seed) for seed in seeds}
        model = {
            seed: init_model(problem, derive_seeds(seed).weights).state_dict() for seed in seeds
        }
        ((epochs, batch),) = {(run.settings.epochs, run.settings.batch_size) for run in runs}
        rates = [run.schedule(np.arange(epochs), base=run.settings.lr) for run in runs]
        parts = ("x_train", "y_train", "x_test", "y_test")
        return Stacked(
            **{part: torch.stack([getattr(split[r.seed], part) for r in runs]) for part in parts},
            weights={
                name: torch.stack([model[r.seed][name] for r in runs])
                for name in model[runs[0].seed]
            },
            rates=torch.tensor(np.array(rates), dtype=torch.float32),
            batch=batch,
        )
