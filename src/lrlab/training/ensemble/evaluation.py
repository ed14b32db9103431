"""``Evaluator``: losses and scores of all runs of a block on test or validation rows."""

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
from lrlab.training.ensemble.network import Criterion, Network
from lrlab.training.ensemble.stack import Stack
from lrlab.training.ensemble.tracing import Program, count_bytes, estimate_peak_bytes

RunValues = NDArray[np.float64]
"""A number per run, shape (seeds, runs per seed); NaN if an output is not finite."""


class Evaluator:
    """Evaluates all runs of a block on rows of every seed.

    Args:
        network: the network.
        task: its loss and metric.
        rows: the rows of each seed.
        target_scales: factor of the scores of each seed.
        chunk_size: number of rows per call of the network.
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
        self._metric_is_vectorized = True  # until the metric turns out to need one run at a time
        count = rows.x.shape[1]
        in_one_chunk = count <= chunk_size or not _is_rowwise(network, rows.x[0, :chunk_size])
        length = count if in_one_chunk else ceil(count / ceil(count / chunk_size))
        padding = -count % length  # copies of row 0, so that all chunks have one size and program
        indices = torch.cat([torch.arange(count), torch.zeros(padding, dtype=torch.int64)])
        self._chunks = [rows.x[:, chunk].contiguous() for chunk in indices.split(length)]

    def select_seeds(self, seeds: Tensor) -> "Evaluator":
        """Return the evaluator of some of the seeds."""
        scales = self._target_scales[seeds.cpu().numpy(), 0].tolist()
        return Evaluator(
            self._network, self._task, self.rows.select_seeds(seeds), scales, self._chunk_size
        )

    def compute_outputs(self, stack: Stack) -> tuple[Tensor, Tensor]:
        """Return the outputs of all runs, and whether those of a run are all finite.

        Outputs of a run that are not all finite are replaced by zeros.
        """
        tensors, run = stack.network_tensors, self._get_outputs_program(stack).run
        outputs = torch.cat([run(*tensors, chunk) for chunk in self._chunks], dim=2)
        outputs = outputs[:, :, : self.rows.x.shape[1]]
        finite = (outputs - outputs).flatten(2).sum(2) == 0  # NaN if an output is NaN or infinite
        mask = finite.reshape(*finite.shape, *[1] * (outputs.dim() - 2))
        return torch.where(mask, outputs, 0), finite

    def compute_losses(self, outputs: Tensor, finite: Tensor) -> RunValues:
        """Return the loss of every run."""
        return _to_numpy(self._compute_criterion(self._task.loss, outputs), finite)

    def compute_scores(self, outputs: Tensor, finite: Tensor) -> RunValues:
        """Return the metric of every run, in the units of the targets."""
        metric = self._task.metric.fn
        if self._metric_is_vectorized:
            try:
                return self._target_scales * _to_numpy(
                    self._compute_criterion(metric, outputs), finite
                )
            except TrainingError:  # the metric returns a float, for example
                self._metric_is_vectorized = False
        scores_one_by_one = [
            [float(metric(run_outputs, y)) for run_outputs in seed_outputs]
            for seed_outputs, y in zip(outputs, self.rows.y, strict=True)
        ]
        return self._target_scales * np.where(finite.cpu().numpy(), scores_one_by_one, np.nan)

    def estimate_bytes_per_run(self, stack: Stack) -> int:
        """Return the peak memory of evaluating a run, in bytes; the stack must have one run."""
        outputs, _ = self.compute_outputs(stack)
        program_bytes = [estimate_peak_bytes(self._get_outputs_program(stack))]
        for function in (self._task.loss, self._task.metric.fn):
            with suppress(TrainingError):  # one run at a time needs next to no memory
                program = self._get_criterion_program(function, outputs)
                program_bytes.append(estimate_peak_bytes(program))
        # Outputs exist as chunks, as a whole, and with zeros in place of what is not finite.
        return 3 * count_bytes([outputs]) + max(program_bytes)

    def _get_outputs_program(self, stack: Stack) -> Program:
        return tracing.get_outputs_program(self._network, (*stack.network_tensors, self._chunks[0]))

    def _compute_criterion(self, criterion: Criterion, outputs: Tensor) -> Tensor:
        values = self._get_criterion_program(criterion, outputs).run(outputs, self.rows.y)
        assert isinstance(values, Tensor)
        return values

    def _get_criterion_program(self, criterion: Criterion, outputs: Tensor) -> Program:
        key = id(criterion)
        if key not in self._programs:
            self._programs[key] = tracing.get_criterion_program(criterion, (outputs, self.rows.y))
        return self._programs[key]


def _to_numpy(values: Tensor, finite: Tensor) -> RunValues:
    return np.where(finite.cpu().numpy(), values.double().cpu().numpy(), np.nan)


def _is_rowwise(network: Network, x: Tensor) -> bool:
    """Check that the outputs for a row do not depend on the other rows."""
    module, tensors = network.module.eval(), network.perturb()
    with torch.no_grad():
        whole, *halves = (functional_call(module, tensors, (rows,)) for rows in (x, *x.chunk(2)))
    return torch.allclose(whole, torch.cat(halves), rtol=1e-3, atol=1e-6, equal_nan=True)
