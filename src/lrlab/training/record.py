"""What has come of the runs of a block so far: their curves, and which of them have diverged."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lrlab.training.result import COLUMNS, Curve, Epoch, Result


class Record:
    """Curves and divergences, run by run.

    Args:
        runs: how many there are.
        epochs: how many are trained.
    """

    def __init__(self, runs: int, epochs: int) -> None:
        self._values = np.full((runs, epochs, len(COLUMNS)), np.nan)
        self._epochs = np.zeros(runs, dtype=np.intp)
        self._left_at = np.zeros(runs, dtype=np.intp)
        self.alive = np.ones(runs, dtype=bool)

    def leave(self, runs: NDArray[np.intp], steps: NDArray[np.intp]) -> None:
        """Some runs have diverged, which was noticed after so many steps of each."""
        self.alive[runs] = False
        self._left_at[runs] = steps

    def add(self, runs: NDArray[np.intp], columns: dict[str, NDArray[np.float64]]) -> None:
        """One more epoch of some runs: the fields of ``Epoch`` by name, one number for each run."""
        epoch = self._epochs[runs]
        self._values[runs, epoch, 0] = epoch
        for name, numbers in columns.items():
            self._values[runs, epoch, COLUMNS.index(name)] = numbers
        self._epochs[runs] += 1

    def set_after(self, runs: NDArray[np.intp], rates: NDArray[np.float64]) -> None:
        """The rate that follows the last epoch of some runs, known once they have read it."""
        self._values[runs, self._epochs[runs] - 1, COLUMNS.index("after")] = rates

    def last(self, run: int) -> Epoch:
        """The last epoch of a run."""
        return self._curve(run)[-1]

    def results(self, guess: Callable[[int], float], seconds: float) -> list[Result]:
        """The results of all runs.

        Args:
            guess: what a run is scored as that has diverged.
            seconds: how long all of them took; each is given its share.
        """
        share = seconds / len(self.alive)
        return [
            Result(curve[-1].score, False, curve, share)
            if alive
            else Result(guess(run), True, curve, share, left_at=int(self._left_at[run]))
            for run, alive in enumerate(self.alive)
            for curve in [self._curve(run)]
        ]

    def _curve(self, run: int) -> Curve:
        return Curve(self._values[run, : self._epochs[run]])
