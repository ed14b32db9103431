"""``Block``: runs that train together step by step, and the history of their epochs."""

import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrlab.problems import Problem
from lrlab.problems.seeds import fork_seeded_rng
from lrlab.training.ensemble.batches import Batches, StackedRows, stack_validation_rows
from lrlab.training.ensemble.evaluation import Evaluator, RunValues, TargetUnits
from lrlab.training.ensemble.network import get_network
from lrlab.training.ensemble.optimizers import HyperparameterValues, OptimizerSpec
from lrlab.training.ensemble.schedule_table import ScheduleTable, bind_schedules
from lrlab.training.ensemble.stack import Stack
from lrlab.training.ensemble.tracing import StepSpec, count_bytes, estimate_peak_bytes
from lrlab.training.loop import compute_dummy_scores, compute_train_outputs
from lrlab.training.result import EPOCH_COLUMNS, Curve, DummyScores, Epoch, Result
from lrlab.training.run import Run

_MIN_SAVED_RUN_STEPS = 100_000
"""Run-steps that dropping diverged runs must save, as it traces new programs in 0.2 to 0.4 s."""


class Block:
    """Runs that train together.

    Args:
        problem: the problem to train on.
        runs: a row of runs per seed, all equally long; settings differ only in numbers.
        device: device to train on, as torch names it.
        torch_compile: whether steps use ``torch.compile``.

    Raises:
        ScheduleError, SchedulerError, TrainingError: what the loop raises for one of the runs.
        TrainingError: runs of this problem cannot train together.
    """

    def __init__(
        self, problem: Problem, runs: Sequence[Sequence[Run]], device: str, torch_compile: bool
    ) -> None:
        self._started = time.perf_counter()
        self._problem, self._torch_compile = problem, torch_compile
        flat = [run for row in runs for run in row]
        seeds, width = [row[0].seed for row in runs], len(runs[0])
        self._settings = settings = flat[0].settings
        validation_count = settings.count_validation_rows(problem.train_rows)
        splits = [problem.split_arrays(seed, validation_count).to(device) for seed in seeds]
        rows = StackedRows.from_parts([(split.x_train, split.y_train) for split in splits])
        self._batches = Batches(seeds, rows, settings.batch_size, settings.shuffle)
        if self._batches.batch_sizes[-1] == 1:
            with fork_seeded_rng(0):
                compute_train_outputs(problem.model().to(device), rows.x[0, :1])
        self._network = get_network(problem, rows.x[0, :16], rows.y[0, :16], device)
        create_evaluator = partial(
            Evaluator,
            self._network,
            problem.task,
            units=TargetUnits.from_splits(splits),
            chunk_size=max(2 * settings.batch_size, 32),
        )
        self._test_evaluator = create_evaluator(
            StackedRows.from_parts([(split.x_test, split.y_test) for split in splits])
        )
        validation = stack_validation_rows(splits)
        self._validation_evaluator = None if validation is None else create_evaluator(validation)
        self._history = BlockHistory(len(flat), settings.epochs)
        self._get_dummy_scores = cache(lambda seed: compute_dummy_scores(problem, splits[seed]))
        self._runs_per_seed = width

        self._steps_per_epoch = settings.count_steps_per_epoch(problem.train_rows)
        self._schedule_table = ScheduleTable(
            bind_schedules(problem, flat), settings.epochs * self._steps_per_epoch + 1
        )
        max_grad_norms = np.array(
            [np.inf if r.settings.max_grad_norm is None else r.settings.max_grad_norm for r in flat]
        )
        self._max_grad_norms = max_grad_norms if np.isfinite(max_grad_norms).any() else None
        optimizer_spec = OptimizerSpec(
            settings.optimizer,
            settings.nesterov,
            settings.centered,
            self._schedule_table.nonzero,
            self._schedule_table.scheduled & {"momentum"},
        )
        self._update_rule = optimizer_spec.create_update_rule()
        self._stack = Stack.from_seeds(
            problem, self._network, seeds, width, self._update_rule.state_count
        )
        self._run_indices = np.arange(len(flat)).reshape(len(seeds), width)

    def train(self) -> list[Result]:
        """Train all runs, and return their results in order, seed by seed."""
        for epoch in range(self._settings.epochs):
            self._train_epoch(epoch)
            if not self._history.active.any():
                break
            self._drop_diverged_runs(epoch + 1)
        seconds = time.perf_counter() - self._started
        return self._history.build_results(
            lambda run: self._get_dummy_scores(run // self._runs_per_seed), seconds
        )

    def get_weights(self) -> list[dict[str, Tensor]]:
        """Return parameters and buffers of all runs by name; none for runs that diverged."""
        names = (*self._network.trainable, *self._network.non_trainable)
        stacked = [tensor.flatten(0, 1) for tensor in self._stack.network_tensors]
        slots = {run: slot for slot, run in enumerate(self._run_indices.ravel().tolist())}
        return [
            {name: tensor[slots[run]] for name, tensor in zip(names, stacked, strict=True)}
            if active
            else {}
            for run, active in enumerate(self._history.active)
        ]

    def estimate_memory(self) -> tuple[int, int, int]:
        """Return the bytes of a run in training, its peak, and those of a seed's rows.

        The block must have one run.
        """
        x, y = next(self._batches.iter_epoch())
        step_spec, columns = self._compute_coefficients(
            self._schedule_table.get_values(np.zeros(1, dtype=np.intp)), 0
        )
        row = (*self._stack.tensors, x, y, *(column[0] for column in columns))
        step_bytes = estimate_peak_bytes(
            step_spec.get_program(self._network, self._problem.task.loss, row)
        )
        evaluators = [
            evaluator
            for evaluator in (self._test_evaluator, self._validation_evaluator)
            if evaluator is not None
        ]
        evaluation_bytes = max(each.estimate_bytes_per_run(self._stack) for each in evaluators)
        stack_bytes = count_bytes(self._stack.tensors)
        rows = (self._batches.rows, *(evaluator.rows for evaluator in evaluators))
        seed_bytes = 2 * sum(count_bytes((part.x, part.y)) for part in rows)
        return stack_bytes + step_bytes, stack_bytes + max(step_bytes, evaluation_bytes), seed_bytes

    def _train_epoch(self, epoch: int) -> None:
        count = len(self._batches.batch_sizes)
        steps = np.arange(epoch * count, (epoch + 1) * count)
        values = self._schedule_table.get_values(
            steps // count if self._settings.step_every == "epoch" else steps
        )
        losses, outputs_finite = self._train_steps(values, epoch * count)
        sizes = np.array(self._batches.batch_sizes)[:, None, None]
        columns = {
            "lr_start": values["lr"][0][self._run_indices],
            "loss": (losses * sizes).sum(0) / sizes.sum(),
            **self._evaluate(),
        }
        finite = self._stack.is_finite().cpu().numpy() & outputs_finite.all(0)
        finite &= np.logical_and.reduce([np.isfinite(column) for column in columns.values()])
        active = self._history.active[self._run_indices]
        diverged = active & ~finite
        first_nonfinite = np.where(outputs_finite.all(0), count, outputs_finite.argmin(0))
        self._history.mark_diverged(
            self._run_indices[diverged], epoch * count + first_nonfinite[diverged]
        )
        remaining = active & finite
        runs = self._run_indices[remaining]
        self._history.add_epoch(runs, {name: column[remaining] for name, column in columns.items()})
        self._update_schedules(epoch, runs)

    def _train_steps(
        self, values: HyperparameterValues, steps_done: int
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Train an epoch, and return losses and whether outputs were finite.

        Both have shape (steps, seeds, runs per seed).
        """
        step_spec, columns = self._compute_coefficients(values, steps_done)
        losses, outputs_finite = [], []
        programs: dict[int, Callable[..., Any]] = {}
        for i, (x, y) in enumerate(self._batches.iter_epoch()):
            row = (*self._stack.tensors, x, y, *(column[i] for column in columns))
            if x.shape[1] not in programs:
                programs[x.shape[1]] = step_spec.get_program(
                    self._network, self._problem.task.loss, row
                ).run
            loss, finite = programs[x.shape[1]](*row)
            losses.append(loss)
            outputs_finite.append(finite)
        return (
            torch.stack(losses).double().cpu().numpy(),
            torch.stack(outputs_finite).cpu().numpy(),
        )

    def _compute_coefficients(
        self, values: HyperparameterValues, steps_done: int
    ) -> tuple[StepSpec, list[Tensor]]:
        """Return the spec of the steps of an epoch, and their coefficients."""
        numbers = self._update_rule.compute_coefficients(values, steps_done)
        if self._max_grad_norms is not None:
            numbers["max_grad_norm"] = np.broadcast_to(self._max_grad_norms, values["lr"].shape)
        first = self._stack.trainable[0]
        columns = [
            torch.as_tensor(column[:, self._run_indices], dtype=first.dtype, device=first.device)
            for column in numbers.values()
        ]
        spec = self._update_rule.spec
        return StepSpec(spec, tuple(numbers), self._torch_compile), columns

    def _evaluate(self) -> dict[str, RunValues]:
        outputs, finite = self._test_evaluator.compute_outputs(self._stack)
        values = {"test_score": self._test_evaluator.compute_scores(outputs, finite)}
        if self._validation_evaluator is not None:
            outputs, finite = self._validation_evaluator.compute_outputs(self._stack)
            values["validation_loss"] = self._validation_evaluator.compute_losses(outputs, finite)
            values["validation_score"] = self._validation_evaluator.compute_scores(outputs, finite)
        return values

    def _update_schedules(self, epoch: int, runs: NDArray[np.intp]) -> None:
        """Give metrics to the metric-driven schedules, and record the next learning rates."""
        next_step = (epoch + 1) * self._steps_per_epoch
        # As in the loop: with one step per epoch, the metric comes before that step.
        t = epoch if self._settings.step_every == "epoch" else next_step
        metric_driven = self._schedule_table.metric_driven_runs.intersection(runs.tolist())
        self._schedule_table.update_states(
            {run: self._history.get_last_epoch(run) for run in metric_driven}, t, next_step
        )
        self._history.set_lr_end(
            runs, self._schedule_table.get_values(np.array([next_step]))["lr"][0][runs]
        )

    def _drop_diverged_runs(self, epochs_done: int) -> None:
        """Move the remaining runs together if that saves enough steps."""
        active = self._history.active[self._run_indices]
        seeds = np.flatnonzero(active.any(1))
        width = int(active.sum(1).max())
        epochs_left = self._settings.epochs - epochs_done
        saved_runs = self._run_indices.size - len(seeds) * width
        if saved_runs * epochs_left * len(self._batches.batch_sizes) < _MIN_SAVED_RUN_STEPS:
            return
        slots = np.stack([np.resize(np.flatnonzero(active[seed]), width) for seed in seeds])
        self._run_indices = self._run_indices[seeds[:, None], slots]
        rows, columns = torch.as_tensor(seeds[:, None]), torch.as_tensor(slots)
        self._stack = self._stack.map_tensors(lambda tensor: tensor[rows, columns])
        remaining_seeds = torch.as_tensor(seeds)
        self._batches.keep_seeds(remaining_seeds)
        self._test_evaluator = self._test_evaluator.select_seeds(remaining_seeds)
        self._validation_evaluator = (
            None
            if self._validation_evaluator is None
            else self._validation_evaluator.select_seeds(remaining_seeds)
        )


class BlockHistory:
    """The epochs of the runs of a block so far, and which runs have diverged.

    Args:
        runs: number of runs.
        epochs: number of epochs to train.
    """

    def __init__(self, runs: int, epochs: int) -> None:
        self._values = np.full((runs, epochs, len(EPOCH_COLUMNS)), np.nan)
        self._epoch_counts = np.zeros(runs, dtype=np.intp)
        self._diverged_at_step = np.zeros(runs, dtype=np.intp)
        self.active = np.ones(runs, dtype=bool)

    def mark_diverged(self, runs: NDArray[np.intp], steps: NDArray[np.intp]) -> None:
        """Mark runs as diverged, each after its number of steps."""
        self.active[runs] = False
        self._diverged_at_step[runs] = steps

    def add_epoch(self, runs: NDArray[np.intp], columns: dict[str, NDArray[np.float64]]) -> None:
        """Add an epoch of some runs: fields of ``Epoch`` by name, with one number per run."""
        epoch = self._epoch_counts[runs]
        self._values[runs, epoch, 0] = epoch
        for name, column in columns.items():
            self._values[runs, epoch, EPOCH_COLUMNS.index(name)] = column
        self._epoch_counts[runs] += 1

    def set_lr_end(self, runs: NDArray[np.intp], lrs: NDArray[np.float64]) -> None:
        """Set the learning rate that follows the last epoch of some runs."""
        self._values[runs, self._epoch_counts[runs] - 1, EPOCH_COLUMNS.index("lr_end")] = lrs

    def get_last_epoch(self, run: int) -> Epoch:
        """Return the last epoch of a run."""
        return self._get_curve(run)[-1]

    def build_results(
        self, get_dummy_scores: Callable[[int], DummyScores], seconds: float
    ) -> list[Result]:
        """Build the results of all runs.

        Args:
            get_dummy_scores: returns the scores of a diverged run, given its index.
            seconds: wall time of all runs; it is divided evenly among them.
        """
        seconds_per_run = seconds / len(self.active)
        return [
            Result(curve[-1].test_score, False, curve, seconds_per_run)
            if active
            else Result.from_diverged(
                get_dummy_scores(run), curve, seconds_per_run, int(self._diverged_at_step[run])
            )
            for run, active in enumerate(self.active)
            for curve in [self._get_curve(run)]
        ]

    def _get_curve(self, run: int) -> Curve:
        return Curve(self._values[run, : self._epoch_counts[run]])
