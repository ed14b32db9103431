"""Simulated studies whose truth is known: what ``calibration.py`` tests the statistics with.

A world gives the scores of one study, of shape (schedules, seeds), and the true mean of each
schedule in both senses: on this data (over all seeds, with these rows) where it is known, and for
new data (over all rows that might have been drawn too). Schedule 0 is the baseline. Nothing in here
is lrlab's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Simulated:
    """A study, and the truth about it; shapes (schedules, seeds) and (schedules,)."""

    scores: Numbers
    here: Numbers | None
    new: Numbers | None


class World(Protocol):
    """What draws studies."""

    test_train_ratio: float | None

    def draw(self, random: np.random.Generator) -> Simulated:
        """One study."""


def draw_test_rows(random: np.random.Generator, seeds: int, rows: int, tested: int) -> Numbers:
    """Which rows each seed tests: ones and zeros of shape (seeds, rows), ``tested`` ones each."""
    order = random.random((seeds, rows)).argsort(axis=1)
    return (order < tested).astype(float)


@dataclass(frozen=True)
class FixedRows:
    """The same test rows for every seed: accuracies of 106 rows that vary with the seed.

    A seed is easy or hard for all schedules alike; what is left is each run's own. Some runs
    diverge and score as a constant guess.
    """

    effects: Sequence[float]
    seeds: int = 30
    shared: float = 0.027
    own: float = 0.008
    diverging: float = 0.0
    rows: int = 106
    test_train_ratio: float | None = None

    def draw(self, random: np.random.Generator) -> Simulated:
        """One study."""
        effects = np.array(self.effects)
        level = random.normal(0.88, self.shared, self.seeds)
        noise = random.normal(0, self.own, (len(effects), self.seeds))
        scores = level + effects[:, None] + noise
        # Rounded at random, so that the mean stays what it is.
        scores = np.floor(scores * self.rows + random.random(scores.shape)) / self.rows
        scores[random.random(scores.shape) < self.diverging] = 0.64
        truth = (1 - self.diverging) * (0.88 + effects) + self.diverging * 0.64
        return Simulated(scores, truth, None)


@dataclass(frozen=True)
class Rows:
    """Overlapping splits of rows of which each suits one schedule more than another.

    What a row scores under a schedule is fixed when the data is drawn, whatever is trained on; a
    run adds noise of its own.
    """

    effects: Sequence[float]
    seeds: int = 30
    rows: int = 351
    tested: int = 106
    of_row: float = 0.1
    of_run: float = 0.0

    @property
    def test_train_ratio(self) -> float:
        """Test rows per row not tested."""
        return self.tested / (self.rows - self.tested)

    def draw(self, random: np.random.Generator) -> Simulated:
        """One study."""
        effects = np.array(self.effects)
        shape = (len(effects), self.rows)
        suits = random.normal(effects[:, None], self.of_row, shape) + random.normal(0, 1, self.rows)
        tested = draw_test_rows(random, self.seeds, self.rows, self.tested)
        noise = random.normal(0, self.of_run, (len(effects), self.seeds))
        return Simulated(suits @ tested.T / self.tested + noise, suits.mean(axis=1), effects)


@dataclass(frozen=True)
class Learners:
    """Real training on overlapping splits: linear classifiers in closed form.

    Inputs are normal, of which each learner reads ``width`` of its own; the label is the sign of
    their weighted sum with noise. A run starts at random weights w0, different for each seed, and
    ends at what minimises |x w - y|^2 + pull |w - w0|^2 over the training rows, so that it depends
    on rows and seed as a short training does. Learners whose inputs have equal weights are equally
    good for new data, though not on this data; where all of them read the same inputs and have
    starts of their own, they are equally good on this data too.

    Args:
        weights: how much each learner's inputs count in the label.
        same: whether all learners read the inputs of the first.
    """

    weights: Sequence[float]
    same: bool = False
    seeds: int = 30
    rows: int = 200
    tested: int = 60
    width: int = 4
    pull: float = 10.0
    start: float = 0.5

    @property
    def test_train_ratio(self) -> float:
        """Test rows per row not tested."""
        return self.tested / (self.rows - self.tested)

    def draw(self, random: np.random.Generator, truth: int = 0) -> Simulated:
        """One study; with as many more seeds as ``truth`` for the truth on this data."""
        seeds = self.seeds + truth
        x, y = self._rows(random, self.rows)
        tested = draw_test_rows(random, seeds, self.rows, self.tested)
        fits = self._fit(random, x, y, 1 - tested)
        right = (np.einsum("nkp,skp->skn", x, fits) > 0) == (y > 0)
        scores = np.einsum("skn,sn->ks", right, tested) / self.tested
        here = scores[:, self.seeds :].mean(axis=1) if truth else None
        return Simulated(scores[:, : self.seeds], here, None)

    def truth(self, random: np.random.Generator, many: int) -> tuple[Numbers, Numbers]:
        """Mean accuracy of each learner over many data sets, and its standard error.

        The accuracy of weights v is exact, 1/2 + arcsin(r) / pi, where r is the correlation of what
        they predict with what the label is the sign of.
        """
        found = []
        norm = np.sqrt(self.width * np.sum(np.square(self.weights)) + 1)
        for _ in range(many):
            x, y = self._rows(random, self.rows - self.tested)
            (fit,) = self._fit(random, x, y, np.ones((1, len(y))))
            weights = np.array(self.weights)[:1] if self.same else np.array(self.weights)
            r = fit.sum(axis=1) * weights / (np.linalg.norm(fit, axis=1) * norm)
            found.append(0.5 + np.arcsin(r) / np.pi)
        return np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(many)

    def _rows(self, random: np.random.Generator, rows: int) -> tuple[Numbers, Numbers]:
        """Inputs of shape (rows, learners, width) and labels of shape (rows,)."""
        x = random.normal(0, 1, (rows, len(self.weights), self.width))
        signal = np.einsum("nkp,k->n", x, np.array(self.weights))
        y = np.sign(signal + random.normal(0, 1, rows))
        return (np.repeat(x[:, :1], len(self.weights), axis=1) if self.same else x), y

    def _fit(self, random: np.random.Generator, x: Numbers, y: Numbers, used: Numbers) -> Numbers:
        """Weights of shape (seeds, learners, width)."""
        of_rows = np.einsum("nkp,nkq->nkpq", x, x)
        gram = np.tensordot(used, of_rows, axes=1) + self.pull * np.eye(self.width)
        aim = np.tensordot(used, x * y[:, None, None], axes=1)
        starts = len(self.weights) if self.same else 1
        start = random.normal(0, self.start, (len(used), starts, self.width))
        return np.linalg.solve(gram, (aim + self.pull * start)[..., None])[..., 0]
