"""What has come of the runs of a block so far: their curves, and which of them have diverged."""

import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrlab.problems import Problem
from lrlab.training.ensemble.batches import Batches, StackedRows, stack_validation_rows
from lrlab.training.ensemble.evaluation import Evaluator, RunValues
from lrlab.training.ensemble.network import Stack, get_network
from lrlab.training.ensemble.optimizers import HyperparameterValues, OptimizerSpec
from lrlab.training.ensemble.schedule_table import ScheduleTable, bind_schedules
from lrlab.training.ensemble.tracing import StepSpec, count_bytes, estimate_peak_bytes
from lrlab.training.loop import compute_dummy_score
from lrlab.training.result import EPOCH_COLUMNS, Curve, Epoch, Result
from lrlab.training.run import Run


class BlockHistory:
    """Curves and divergences, run by run.

    Args:
        runs: how many there are.
        epochs: how many are trained.
    """

    def __init__(self, runs: int, epochs: int) -> None:
        self._values = np.full((runs, epochs, len(EPOCH_COLUMNS)), np.nan)
        self._epoch_counts = np.zeros(runs, dtype=np.intp)
        self._diverged_at_step = np.zeros(runs, dtype=np.intp)
        self.active = np.ones(runs, dtype=bool)

    def mark_diverged(self, runs: NDArray[np.intp], steps: NDArray[np.intp]) -> None:
        """Some runs have diverged, which was noticed after so many steps of each."""
        self.active[runs] = False
        self._diverged_at_step[runs] = steps

    def add_epoch(self, runs: NDArray[np.intp], columns: dict[str, NDArray[np.float64]]) -> None:
        """One more epoch of some runs: the fields of ``Epoch`` by name, one number for each run."""
        epoch = self._epoch_counts[runs]
        self._values[runs, epoch, 0] = epoch
        for name, numbers in columns.items():
            self._values[runs, epoch, EPOCH_COLUMNS.index(name)] = numbers
        self._epoch_counts[runs] += 1

    def set_lr_end(self, runs: NDArray[np.intp], lrs: NDArray[np.float64]) -> None:
        """The rate that follows the last epoch of some runs, known once they have read it."""
        self._values[runs, self._epoch_counts[runs] - 1, EPOCH_COLUMNS.index("lr_end")] = lrs

    def get_last_epoch(self, run: int) -> Epoch:
        """The last epoch of a run."""
        return self._get_curve(run)[-1]

    def build_results(
        self, get_dummy_score: Callable[[int], float], seconds: float
    ) -> list[Result]:
        """The results of all runs.

        Args:
            get_dummy_score: what a run is scored as that has diverged.
            seconds: how long all of them took; each is given its share.
        """
        seconds_per_run = seconds / len(self.active)
        return [
            Result(curve[-1].test_score, False, curve, seconds_per_run)
            if alive
            else Result(
                get_dummy_score(run),
                True,
                curve,
                seconds_per_run,
                diverged_at_step=int(self._diverged_at_step[run]),
            )
            for run, alive in enumerate(self.active)
            for curve in [self._get_curve(run)]
        ]

    def _get_curve(self, run: int) -> Curve:
        return Curve(self._values[run, : self._epoch_counts[run]])


_MIN_SAVED_RUN_STEPS = 100_000
"""Steps of runs that must be saved before those left are put together and traced anew, which takes
0.2 to 0.4 s."""


class Block:
    """Runs that are trained together.

    Args:
        problem: what is trained.
        programs: shape (seeds, runs of a seed): each row has runs of one seed. Settings are alike in
            all but numbers.
        device: where they are trained.
        torch_compile: whether steps go through ``torch.compile``.

    Raises:
        ScheduleError, SchedulerError, TrainingError: what the loop raises for one of the runs.
        TrainingError: the problem cannot be trained for many runs at once.
    """

    def __init__(
        self, problem: Problem, runs: Sequence[Sequence[Run]], device: str, torch_compile: bool
    ) -> None:
        self._started = time.perf_counter()
        self._problem, self._torch_compile = problem, torch_compile
        flat = [run for of_seed in runs for run in of_seed]
        seeds, width = [of_seed[0].seed for of_seed in runs], len(runs[0])
        self._settings = settings = flat[0].settings
        validation_count = settings.count_validation_rows(problem.train_rows)
        splits = [problem.split_rows(seed, validation_count).to(device) for seed in seeds]
        rows = StackedRows.from_parts([(split.x_train, split.y_train) for split in splits])
        self._batches = Batches(seeds, rows, settings.batch_size, settings.shuffle)
        self._network = get_network(problem, rows.x[0, :16], rows.y[0, :16], device)
        create_evaluator = partial(
            Evaluator,
            self._network,
            problem.task,
            target_scales=[split.target_scale for split in splits],
            chunk_size=max(2 * settings.batch_size, 32),
        )
        self._test_evaluator = create_evaluator(
            StackedRows.from_parts([(split.x_test, split.y_test) for split in splits])
        )
        validation = stack_validation_rows(splits)
        self._validation_evaluator = None if validation is None else create_evaluator(validation)
        self._history = BlockHistory(len(flat), settings.epochs)
        self._get_dummy_score = cache(lambda seed: compute_dummy_score(problem, splits[seed]))
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
        """Trains all runs to their ends; their results in order, seed by seed."""
        for epoch in range(self._settings.epochs):
            self._train_epoch(epoch)
            if not self._history.active.any():
                break
            self._drop_diverged_runs(epoch + 1)
        seconds = time.perf_counter() - self._started
        return self._history.build_results(
            lambda run: self._get_dummy_score(run // self._runs_per_seed), seconds
        )

    def get_weights(self) -> list[dict[str, Tensor]]:
        """Parameters and buffers of all runs by name, in order; none of runs that have diverged."""
        names = (*self._network.trainable, *self._network.non_trainable)
        stacked = [tensor.flatten(0, 1) for tensor in self._stack.network_tensors]
        slots = {run: slot for slot, run in enumerate(self._run_indices.ravel().tolist())}
        return [
            {name: tensor[slots[run]] for name, tensor in zip(names, stacked, strict=True)}
            if alive
            else {}
            for run, alive in enumerate(self._history.active)
        ]

    def estimate_memory(self) -> tuple[int, int, int]:
        """Bytes of a run in training, of a run at most, and of a seed's rows; of a block of one."""
        x, y = next(self._batches.iter_epoch())
        structure, columns = self._compute_coefficients(
            self._schedule_table.get_values(np.zeros(1, dtype=np.intp)), 0
        )
        row = (*self._stack.tensors, x, y, *(column[0] for column in columns))
        step_bytes = estimate_peak_bytes(
            structure.get_program(self._network, self._problem.task.loss, row)
        )
        evaluators = [
            judge
            for judge in (self._test_evaluator, self._validation_evaluator)
            if judge is not None
        ]
        evaluation_bytes = max(judge.estimate_bytes_per_run(self._stack) for judge in evaluators)
        stack_bytes = count_bytes(self._stack.tensors)
        rows = (self._batches.rows, *(judge.rows for judge in evaluators))
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
        """Trains an epoch; loss and finite outputs of shape (steps, seeds, runs of a seed)."""
        structure, columns = self._compute_coefficients(values, steps_done)
        losses, fine = [], []
        programs: dict[int, Callable[..., Any]] = {}
        for i, (x, y) in enumerate(self._batches.iter_epoch()):
            row = (*self._stack.tensors, x, y, *(column[i] for column in columns))
            if x.shape[1] not in programs:
                programs[x.shape[1]] = structure.get_program(
                    self._network, self._problem.task.loss, row
                ).run
            loss, finite = programs[x.shape[1]](*row)
            losses.append(loss)
            fine.append(finite)
        return torch.stack(losses).double().cpu().numpy(), torch.stack(fine).cpu().numpy()

    def _compute_coefficients(
        self, values: HyperparameterValues, steps_done: int
    ) -> tuple[StepSpec, list[Tensor]]:
        """What the steps of an epoch take beside runs and batches, and the structure that makes."""
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
        outputs, fine = self._test_evaluator.compute_outputs(self._stack)
        found = {"test_score": self._test_evaluator.compute_scores(outputs, fine)}
        if self._validation_evaluator is not None:
            outputs, fine = self._validation_evaluator.compute_outputs(self._stack)
            found["validation_loss"] = self._validation_evaluator.compute_losses(outputs, fine)
            found["validation_score"] = self._validation_evaluator.compute_scores(outputs, fine)
        return found

    def _update_schedules(self, epoch: int, runs: NDArray[np.intp]) -> None:
        """Hands metrics to the schedules that read them, and notes the rates that follow."""
        next_step = (epoch + 1) * self._steps_per_epoch
        # As the loop does it: observed before the step of the schedule where that is the epoch's.
        t = epoch if self._settings.step_every == "epoch" else next_step
        metric_driven = self._schedule_table.metric_driven_runs.intersection(runs.tolist())
        self._schedule_table.update_states(
            {run: self._history.get_last_epoch(run) for run in metric_driven}, t, next_step
        )
        self._history.set_lr_end(
            runs, self._schedule_table.get_values(np.array([next_step]))["lr"][0][runs]
        )

    def _drop_diverged_runs(self, epochs_done: int) -> None:
        """Puts the runs that are left together, where what that saves is worth it."""
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
        kept_seeds = torch.as_tensor(seeds)
        self._batches.keep_seeds(kept_seeds)
        self._test_evaluator = self._test_evaluator.select_seeds(kept_seeds)
        self._validation_evaluator = (
            None
            if self._validation_evaluator is None
            else self._validation_evaluator.select_seeds(kept_seeds)
        )
