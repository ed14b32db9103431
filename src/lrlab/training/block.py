"""A block: runs that are trained together, equally many of each of its seeds."""

import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrlab.problems import Problem, split_of
from lrlab.training.data import Batches, Rows, validation_rows
from lrlab.training.judging import Judge, Scores
from lrlab.training.loop import score_of_a_guess
from lrlab.training.memory import most_bytes, size
from lrlab.training.network import network_of
from lrlab.training.record import Record
from lrlab.training.result import Result
from lrlab.training.rules import Kind, Values
from lrlab.training.run import Run
from lrlab.training.stack import Stack
from lrlab.training.structure import Structure
from lrlab.training.tables import Table, tracks_of

_WORTH_IT = 100_000
"""Steps of runs that must be saved before those left are put together and traced anew, which takes
0.2 to 0.4 s."""


class Block:
    """Runs that are trained together.

    Args:
        problem: what is trained.
        runs: shape (seeds, runs of a seed): each row has runs of one seed. Settings are alike in
            all but numbers.
        device: where they are trained.
        compiled: whether steps go through ``torch.compile``.

    Raises:
        ScheduleError, SchedulerError, TrainingError: what the loop raises for one of the runs.
        TrainingError: the problem cannot be trained for many runs at once.
    """

    def __init__(
        self, problem: Problem, runs: Sequence[Sequence[Run]], device: str, compiled: bool
    ) -> None:
        self._started = time.perf_counter()
        self._problem, self._compiled = problem, compiled
        flat = [run for of_seed in runs for run in of_seed]
        seeds, width = [of_seed[0].seed for of_seed in runs], len(runs[0])
        self._settings = settings = flat[0].settings
        held_out = settings.held_out(problem.train_rows)
        splits = [split_of(problem, seed, held_out).to(device) for seed in seeds]
        rows = Rows.of([(split.x_train, split.y_train) for split in splits])
        self._batches = Batches(seeds, rows, settings.batch_size, settings.shuffle)
        self._network = network_of(problem, rows.x[0, :16], rows.y[0, :16], device)
        judge = partial(
            Judge,
            self._network,
            problem.task,
            units=[split.unit for split in splits],
            at_once=max(2 * settings.batch_size, 32),
        )
        self._test = judge(Rows.of([(split.x_test, split.y_test) for split in splits]))
        held = validation_rows(splits)
        self._validation = None if held is None else judge(held)
        self._record = Record(len(flat), settings.epochs)
        self._guess = cache(lambda seed: score_of_a_guess(problem, splits[seed]))
        self._width = width

        self._per_epoch = settings.steps_per_epoch(problem.train_rows)
        self._table = Table(tracks_of(problem, flat), settings.epochs * self._per_epoch + 1)
        clips = np.array([np.inf if r.settings.clip is None else r.settings.clip for r in flat])
        self._clips = clips if np.isfinite(clips).any() else None
        kind = Kind(
            settings.optimizer,
            settings.nesterov,
            settings.centered,
            self._table.used,
            self._table.moving & {"momentum"},
        )
        self._rule = kind.rule()
        self._stack = Stack.fresh(problem, self._network, seeds, width, self._rule.averages)
        self._places = np.arange(len(flat)).reshape(len(seeds), width)

    def train(self) -> list[Result]:
        """Trains all runs to their ends; their results in order, seed by seed."""
        for epoch in range(self._settings.epochs):
            self._train_epoch(epoch)
            if not self._record.alive.any():
                break
            self._drop_the_dead(epoch + 1)
        seconds = time.perf_counter() - self._started
        return self._record.results(lambda run: self._guess(run // self._width), seconds)

    def weights(self) -> list[dict[str, Tensor]]:
        """Parameters and buffers of all runs by name, in order; none of runs that have diverged."""
        names = (*self._network.trained, *self._network.kept)
        stacked = [tensor.flatten(0, 1) for tensor in self._stack.networks]
        slots = {run: slot for slot, run in enumerate(self._places.ravel().tolist())}
        return [
            {name: tensor[slots[run]] for name, tensor in zip(names, stacked, strict=True)}
            if alive
            else {}
            for run, alive in enumerate(self._record.alive)
        ]

    def needs(self) -> tuple[int, int, int]:
        """Bytes of a run in training, of a run at most, and of a seed's rows; of a block of one."""
        x, y = next(self._batches.epoch())
        structure, columns = self._coefficients(self._table.at(np.zeros(1, dtype=np.intp)), 0)
        row = (*self._stack.row, x, y, *(column[0] for column in columns))
        step = most_bytes(structure.step(self._network, self._problem.task.loss, row))
        judges = [judge for judge in (self._test, self._validation) if judge is not None]
        judged = max(judge.most_bytes(self._stack) for judge in judges)
        held = size(self._stack.row)
        rows = (self._batches.rows, *(judge.rows for judge in judges))
        seed = 2 * sum(size((part.x, part.y)) for part in rows)
        return held + step, held + max(step, judged), seed

    def _train_epoch(self, epoch: int) -> None:
        count = len(self._batches.sizes)
        steps = np.arange(epoch * count, (epoch + 1) * count)
        values = self._table.at(steps // count if self._settings.per == "epoch" else steps)
        losses, fine = self._steps(values, epoch * count)
        sizes = np.array(self._batches.sizes)[:, None, None]
        columns = {
            "before": values["lr"][0][self._places],
            "loss": (losses * sizes).sum(0) / sizes.sum(),
            **self._scores(),
        }
        whole = self._stack.finite().cpu().numpy() & fine.all(0)
        whole &= np.logical_and.reduce([np.isfinite(column) for column in columns.values()])
        alive = self._record.alive[self._places]
        gone = alive & ~whole
        first_lost = np.where(fine.all(0), count, fine.argmin(0))
        self._record.leave(self._places[gone], epoch * count + first_lost[gone])
        stays = alive & whole
        runs = self._places[stays]
        self._record.add(runs, {name: column[stays] for name, column in columns.items()})
        self._go_on(epoch, runs)

    def _steps(self, values: Values, done: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Trains an epoch; loss and finite outputs of shape (steps, seeds, runs of a seed)."""
        structure, columns = self._coefficients(values, done)
        losses, fine = [], []
        runs: dict[int, Callable[..., Any]] = {}
        for i, (x, y) in enumerate(self._batches.epoch()):
            row = (*self._stack.row, x, y, *(column[i] for column in columns))
            if x.shape[1] not in runs:
                runs[x.shape[1]] = structure.step(self._network, self._problem.task.loss, row).run
            loss, finite = runs[x.shape[1]](*row)
            losses.append(loss)
            fine.append(finite)
        return torch.stack(losses).double().cpu().numpy(), torch.stack(fine).cpu().numpy()

    def _coefficients(self, values: Values, done: int) -> tuple[Structure, list[Tensor]]:
        """What the steps of an epoch take beside runs and batches, and the structure that makes."""
        numbers = self._rule.coefficients(values, done)
        if self._clips is not None:
            numbers["clip"] = np.broadcast_to(self._clips, values["lr"].shape)
        first = self._stack.trained[0]
        columns = [
            torch.as_tensor(column[:, self._places], dtype=first.dtype, device=first.device)
            for column in numbers.values()
        ]
        kind = self._rule.kind
        return Structure(kind, tuple(numbers), self._compiled), columns

    def _scores(self) -> dict[str, Scores]:
        outputs, fine = self._test.outputs(self._stack)
        found = {"score": self._test.scores(outputs, fine)}
        if self._validation is not None:
            outputs, fine = self._validation.outputs(self._stack)
            found["validation_loss"] = self._validation.losses(outputs, fine)
            found["validation_score"] = self._validation.scores(outputs, fine)
        return found

    def _go_on(self, epoch: int, runs: NDArray[np.intp]) -> None:
        """Hands metrics to the schedules that read them, and notes the rates that follow."""
        then = (epoch + 1) * self._per_epoch
        # As the loop does it: observed before the step of the schedule where that is the epoch's.
        t = epoch if self._settings.per == "epoch" else then
        reading = self._table.reading.intersection(runs.tolist())
        self._table.observe({run: self._record.last(run) for run in reading}, t, then)
        self._record.set_after(runs, self._table.at(np.array([then]))["lr"][0][runs])

    def _drop_the_dead(self, epoch: int) -> None:
        """Puts the runs that are left together, where what that saves is worth it."""
        alive = self._record.alive[self._places]
        seeds = np.flatnonzero(alive.any(1))
        width = int(alive.sum(1).max())
        left = self._settings.epochs - epoch
        saved = self._places.size - len(seeds) * width
        if saved * left * len(self._batches.sizes) < _WORTH_IT:
            return
        slots = np.stack([np.resize(np.flatnonzero(alive[seed]), width) for seed in seeds])
        self._places = self._places[seeds[:, None], slots]
        rows, columns = torch.as_tensor(seeds[:, None]), torch.as_tensor(slots)
        self._stack = self._stack.each(lambda tensor: tensor[rows, columns])
        kept = torch.as_tensor(seeds)
        self._batches.keep(kept)
        self._test = self._test.kept(kept)
        self._validation = None if self._validation is None else self._validation.kept(kept)
