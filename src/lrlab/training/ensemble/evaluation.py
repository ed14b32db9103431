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
from lrlab.problems.metrics import Task
from lrlab.training.ensemble import tracing
from lrlab.training.ensemble.batches import StackedRows
from lrlab.training.ensemble.network import Criterion, Network, Stack
from lrlab.training.ensemble.tracing import Program, count_bytes, estimate_peak_bytes

RunValues = NDArray[np.float64]
"""One number of each run, shape (seeds, runs of a seed); NaN where an output was not finite."""


class Evaluator:
    """Rows of every seed, and how outputs for them are scored.

    Args:
        network, task: how outputs are made and judged.
        rows: those of each seed.
        target_scales: of each seed, what scores are multiplied by.
        chunk_size: how many rows outputs are made of at once.
    """

    def __init__(
        self,
        network: Network,
        task: Task,
        rows: StackedRows,
        target_scales: Sequence[float],
        chunk_size: int,
    ) -> None:
        self._network, self._task, self.rows = network, task, rows
        self._chunk_size = chunk_size
        self._target_scales: RunValues = np.array(target_scales, dtype=np.float64)[:, None]
        self._programs: dict[int, Program] = {}
        self._metric_is_vectorized = True  # whether the metric can score all runs at once
        count = rows.x.shape[1]
        in_one_chunk = count <= chunk_size or not _is_rowwise(network, rows.x[0, :chunk_size])
        length = count if in_one_chunk else ceil(count / ceil(count / chunk_size))
        padding = -count % length  # with copies, so that all parts have one size and one program
        places = torch.cat([torch.arange(count), torch.zeros(padding, dtype=torch.int64)])
        self._chunks = [rows.x[:, part].contiguous() for part in places.split(length)]

    def select_seeds(self, seeds: Tensor) -> "Evaluator":
        """The judge of some of the seeds."""
        units = self._target_scales[seeds.cpu().numpy(), 0].tolist()
        return Evaluator(
            self._network, self._task, self.rows.select_seeds(seeds), units, self._chunk_size
        )

    def compute_outputs(self, stack: Stack) -> tuple[Tensor, Tensor]:
        """Outputs of all runs, with zeros where those of a run are not all finite, and whether
        they are.
        """
        networks, run = stack.network_tensors, self._get_outputs_program(stack).run
        outputs = torch.cat([run(*networks, part) for part in self._chunks], dim=2)
        outputs = outputs[:, :, : self.rows.x.shape[1]]
        finite = (outputs - outputs).flatten(2).sum(2) == 0  # NaN where one is NaN or infinite
        return torch.where(
            finite.reshape(*finite.shape, *[1] * (outputs.dim() - 2)), outputs, 0
        ), finite

    def estimate_bytes_per_run(self, stack: Stack) -> int:
        """The memory that the scores of a run take at most, in bytes; of a stack of one."""
        outputs, _ = self.compute_outputs(stack)
        beside = [estimate_peak_bytes(self._get_outputs_program(stack))]
        for function in (self._task.loss, self._task.metric.fn):
            with suppress(TrainingError):  # one that is asked run by run takes next to nothing
                beside.append(estimate_peak_bytes(self._get_criterion_program(function, outputs)))
        return 3 * count_bytes([outputs]) + max(
            beside
        )  # parts, the whole, and with zeros for the lost

    def _get_outputs_program(self, stack: Stack) -> Program:
        return tracing.get_outputs_program(self._network, (*stack.network_tensors, self._chunks[0]))

    def compute_losses(self, outputs: Tensor, finite: Tensor) -> RunValues:
        """The loss of every run."""
        return _to_numpy(self._compute_criterion(self._task.loss, outputs), finite)

    def compute_scores(self, outputs: Tensor, finite: Tensor) -> RunValues:
        """The metric of every run, in the user's units."""
        metric = self._task.metric.fn
        if self._metric_is_vectorized:
            try:
                return self._target_scales * _to_numpy(
                    self._compute_criterion(metric, outputs), finite
                )
            except TrainingError:
                self._metric_is_vectorized = (
                    False  # it gives a plain number, say, so runs are scored one by one
                )
        scores_one_by_one = [
            [float(metric(own, y)) for own in of_seed]
            for of_seed, y in zip(outputs, self.rows.y, strict=True)
        ]
        return self._target_scales * np.where(finite.cpu().numpy(), scores_one_by_one, np.nan)

    def _compute_criterion(self, criterion: Criterion, outputs: Tensor) -> Tensor:
        numbers = self._get_criterion_program(criterion, outputs).run(outputs, self.rows.y)
        assert isinstance(numbers, Tensor)
        return numbers

    def _get_criterion_program(self, criterion: Criterion, outputs: Tensor) -> Program:
        key = id(criterion)
        if key not in self._programs:
            self._programs[key] = tracing.get_criterion_program(criterion, (outputs, self.rows.y))
        return self._programs[key]


def _to_numpy(values: Tensor, finite: Tensor) -> RunValues:
    return np.where(finite.cpu().numpy(), values.double().cpu().numpy(), np.nan)


def _is_rowwise(network: Network, x: Tensor) -> bool:
    """Whether the outputs for a row do not depend on what rows stand beside it."""
    module, tensors = network.module.eval(), network.perturb()
    with torch.no_grad():
        together, *halves = (functional_call(module, tensors, (part,)) for part in (x, *x.chunk(2)))
    return torch.allclose(together, torch.cat(halves), rtol=1e-3, atol=1e-6, equal_nan=True)
