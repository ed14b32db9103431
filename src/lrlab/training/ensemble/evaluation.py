"""``Evaluator``: losses and scores of all runs of a block on test or validation rows."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call

from lrlab.errors import TrainingError
from lrlab.problems import Split
from lrlab.problems.metrics import Task
from lrlab.training.ensemble import tracing
from lrlab.training.ensemble.batches import StackedRows
from lrlab.training.ensemble.network import Criterion, Network
from lrlab.training.ensemble.stack import Stack
from lrlab.training.ensemble.tracing import Program, count_bytes, estimate_peak_bytes

RunValues = NDArray[np.float64]
"""A number per run, shape (seeds, runs per seed); NaN if an output is not finite."""


@dataclass(frozen=True, eq=False)
class TargetUnits:
    """How scores of each seed get the user's units; see ``loop.compute_score``.

    Args:
        scales: factor of each seed.
        means: mean of each seed if outputs and targets are restored; None if scores are multiplied.
    """

    scales: NDArray[np.float64]
    means: NDArray[np.float64] | None

    @classmethod
    def from_splits(cls, splits: Sequence[Split]) -> "TargetUnits":
        """Read the units of every seed from its split."""
        means = [split.target_mean for split in splits if split.target_mean is not None]
        return cls(
            np.array([split.target_scale for split in splits]), np.array(means) if means else None
        )

    def select_seeds(self, seeds: Tensor) -> "TargetUnits":
        """Return the units of some of the seeds."""
        indices = seeds.cpu().numpy()
        return TargetUnits(
            self.scales[indices], None if self.means is None else self.means[indices]
        )

    def restore(self, values: Tensor) -> Tensor:
        """Return outputs or targets, shape (seeds, ...), as the metric takes them."""
        if self.means is None:
            return values
        scales, means = (
            torch.as_tensor(numbers, dtype=values.dtype, device=values.device).reshape(
                -1, *[1] * (values.dim() - 1)
            )
            for numbers in (self.scales, self.means)
        )
        return values * scales + means

    def scale_scores(self, scores: RunValues) -> RunValues:
        """Return scores, shape (seeds, runs per seed), in the user's units."""
        return self.scales[:, None] * scores if self.means is None else scores


class Evaluator:
    """Evaluates all runs of a block on rows of every seed.

    Args:
        network: the network.
        task: its loss and metric.
        rows: the rows of each seed.
        units: how the scores of each seed get the user's units.
        chunk_size: number of rows per call of the network.
    """

    def __init__(
        self,
        network: Network,
        task: Task,
        rows: StackedRows,
        units: TargetUnits,
        chunk_size: int,
    ) -> None:
        self._network, self._task, self.rows, self._units = network, task, rows, units
        self._chunk_size = chunk_size
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
        return Evaluator(
            self._network,
            self._task,
            self.rows.select_seeds(seeds),
            self._units.select_seeds(seeds),
            self._chunk_size,
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
        return _to_numpy(self._compute_criterion(self._task.loss, outputs, self.rows.y), finite)

    def compute_scores(self, outputs: Tensor, finite: Tensor) -> RunValues:
        """Return the metric of every run, in the user's units."""
        metric = self._task.metric.fn
        outputs, targets = self._units.restore(outputs), self._units.restore(self.rows.y)
        if self._metric_is_vectorized:
            try:
                scores = _to_numpy(self._compute_criterion(metric, outputs, targets), finite)
                return self._units.scale_scores(scores)
            except TrainingError:  # the metric returns a float, for example
                self._metric_is_vectorized = False
        scores_one_by_one = [
            [float(metric(run_outputs, y)) for run_outputs in seed_outputs]
            for seed_outputs, y in zip(outputs, targets, strict=True)
        ]
        return self._units.scale_scores(np.where(finite.cpu().numpy(), scores_one_by_one, np.nan))

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

    def _compute_criterion(self, criterion: Criterion, outputs: Tensor, targets: Tensor) -> Tensor:
        values = self._get_criterion_program(criterion, outputs).run(outputs, targets)
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
