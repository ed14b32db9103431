"""What has come of the runs of a block so far: their curves, and which of them have diverged."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lrlab.training.result import COLUMNS, Curve, Epoch, Result


class Record:
    """Curves and divergences, run by run.

    Args:
        guesses: what each run is scored as if it diverges.
        epochs: how many are trained.
    """

    def __init__(self, guesses: Sequence[float], epochs: int) -> None:
        self._guesses = guesses
        self._values = np.full((len(guesses), epochs, len(COLUMNS)), np.nan)
        self._epochs = np.zeros(len(guesses), dtype=np.intp)
        self._left_at = np.zeros(len(guesses), dtype=np.intp)
        self.alive = np.ones(len(guesses), dtype=bool)

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

    def results(self, seconds: float) -> list[Result]:
        """The results of all runs, of which each took its share of so many seconds."""
        share = seconds / len(self.alive)
        return [
            Result(curve[-1].score, False, curve, share)
            if alive
            else Result(guess, True, curve, share, left_at=int(left_at))
            for alive, guess, left_at, curve in zip(
                self.alive,
                self._guesses,
                self._left_at,
                map(self._curve, range(len(self.alive))),
                strict=True,
            )
        ]

    def _curve(self, run: int) -> Curve:
        return Curve(self._values[run, : self._epochs[run]])
