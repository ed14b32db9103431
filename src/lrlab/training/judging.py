"""Loss and score of all runs of a block on rows that are not trained on."""

from collections.abc import Sequence
from contextlib import suppress
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call

from lrlab.errors import TrainingError
from lrlab.problems.tasks import Task
from lrlab.training import structure
from lrlab.training.data import Rows
from lrlab.training.memory import most_bytes, size
from lrlab.training.network import Loss, Network
from lrlab.training.program import Program
from lrlab.training.stack import Stack

Scores = NDArray[np.float64]
"""One number of each run, shape (seeds, runs of a seed); NaN where an output was not finite."""


class Judge:
    """Rows of every seed, and how outputs for them are scored.

    Args:
        network, task: how outputs are made and judged.
        rows: those of each seed.
        units: of each seed, what scores are multiplied by.
        at_once: how many rows outputs are made of at once.
    """

    def __init__(
        self, network: Network, task: Task, rows: Rows, units: Sequence[float], at_once: int
    ) -> None:
        self._network, self._task, self.rows = network, task, rows
        self._at_once = at_once
        self._units: Scores = np.array(units, dtype=np.float64)[:, None]
        self._programs: dict[int, Program] = {}
        self._several = True  # whether the metric can score all runs at once
        count = rows.x.shape[1]
        few = count <= at_once or not _by_rows(network, rows.x[0, :at_once])
        length = count if few else ceil(count / ceil(count / at_once))
        padding = -count % length  # with copies, so that all parts have one size and one program
        places = torch.cat([torch.arange(count), torch.zeros(padding, dtype=torch.int64)])
        self._parts = [rows.x[:, part].contiguous() for part in places.split(length)]

    def kept(self, seeds: Tensor) -> "Judge":
        """The judge of some of the seeds."""
        units = self._units[seeds.cpu().numpy(), 0].tolist()
        return Judge(self._network, self._task, self.rows.kept(seeds), units, self._at_once)

    def outputs(self, stack: Stack) -> tuple[Tensor, Tensor]:
        """Outputs of all runs, with zeros where those of a run are not all finite, and whether
        they are.
        """
        networks, run = stack.networks, self._program(stack).run
        outputs = torch.cat([run(*networks, part) for part in self._parts], dim=2)
        outputs = outputs[:, :, : self.rows.x.shape[1]]
        fine = (outputs - outputs).flatten(2).sum(2) == 0  # NaN where one is NaN or infinite
        return torch.where(fine.reshape(*fine.shape, *[1] * (outputs.dim() - 2)), outputs, 0), fine

    def most_bytes(self, stack: Stack) -> int:
        """The memory that the scores of a run take at most, in bytes; of a stack of one."""
        outputs, _ = self.outputs(stack)
        beside = [most_bytes(self._program(stack))]
        for function in (self._task.loss, self._task.metric.of):
            with suppress(TrainingError):  # one that is asked run by run takes next to nothing
                beside.append(most_bytes(self._judging(function, outputs)))
        return 3 * size([outputs]) + max(beside)  # parts, the whole, and with zeros for the lost

    def _program(self, stack: Stack) -> Program:
        return structure.outputs(self._network, (*stack.networks, self._parts[0]))

    def losses(self, outputs: Tensor, fine: Tensor) -> Scores:
        """The loss of every run."""
        return _numbers(self._judged(self._task.loss, outputs), fine)

    def scores(self, outputs: Tensor, fine: Tensor) -> Scores:
        """The metric of every run, in the user's units."""
        metric = self._task.metric.of
        if self._several:
            try:
                return self._units * _numbers(self._judged(metric, outputs), fine)
            except TrainingError:
                self._several = False  # it gives a plain number, say, so runs are scored one by one
        alone = [
            [float(metric(own, y)) for own in of_seed]
            for of_seed, y in zip(outputs, self.rows.y, strict=True)
        ]
        return self._units * np.where(fine.cpu().numpy(), alone, np.nan)

    def _judged(self, function: Loss, outputs: Tensor) -> Tensor:
        numbers = self._judging(function, outputs).run(outputs, self.rows.y)
        assert isinstance(numbers, Tensor)
        return numbers

    def _judging(self, function: Loss, outputs: Tensor) -> Program:
        kept = id(function)
        if kept not in self._programs:
            self._programs[kept] = structure.judging(function, (outputs, self.rows.y))
        return self._programs[kept]


def _numbers(values: Tensor, fine: Tensor) -> Scores:
    return np.where(fine.cpu().numpy(), values.double().cpu().numpy(), np.nan)


def _by_rows(network: Network, x: Tensor) -> bool:
    """Whether the outputs for a row do not depend on what rows stand beside it."""
    module, held = network.module.eval(), network.stirred()
    with torch.no_grad():
        whole, *halves = (functional_call(module, held, (part,)) for part in (x, *x.chunk(2)))
    return torch.allclose(whole, torch.cat(halves), rtol=1e-3, atol=1e-6, equal_nan=True)
