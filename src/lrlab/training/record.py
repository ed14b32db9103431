"""What has come of the runs of a block so far: their curves, and which of them have diverged."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lrlab.training.result import EPOCH_COLUMNS, Curve, Epoch, Result


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
        self._values[runs, self._epoch_counts[runs] - 1, EPOCH_COLUMNS.index("after")] = lrs

    def get_last_epoch(self, run: int) -> Epoch:
        """The last epoch of a run."""
        return self._get_curve(run)[-1]

    def build_results(self, get_dummy_score: Callable[[int], float], seconds: float) -> list[Result]:
        """The results of all runs.

        Args:
            get_dummy_score: what a run is scored as that has diverged.
            seconds: how long all of them took; each is given its share.
        """
        seconds_per_run = seconds / len(self.active)
        return [
            Result(curve[-1].test_score, False, curve, seconds_per_run)
            if alive
            else Result(get_dummy_score(run), True, curve, seconds_per_run, diverged_at_step=int(self._diverged_at_step[run]))
            for run, alive in enumerate(self.active)
            for curve in [self._get_curve(run)]
        ]

    def _get_curve(self, run: int) -> Curve:
        return Curve(self._values[run, : self._epoch_counts[run]])
