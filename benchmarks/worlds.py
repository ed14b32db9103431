"""Simulated studies with known truth, with which ``calibration.py`` tests the statistics.

A world draws studies: scores of shape (schedules, seeds), and the true mean score of each schedule
in two senses: on this data (over all seeds, with these rows) and for new data (over all rows that
might have been drawn). Schedule 0 is the baseline. Nothing in this file uses lrlab.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SimulatedStudy:
    """A study and its truth.

    Args:
        scores: shape (schedules, seeds).
        means_on_this_data, means_for_new_data: true mean scores, shape (schedules,); None if
            unknown.
        diverged_counts: number of diverged runs of each schedule; empty if none diverged.
    """

    scores: FloatArray
    means_on_this_data: FloatArray | None
    means_for_new_data: FloatArray | None
    diverged_counts: Sequence[int] = ()


class World(Protocol):
    """Draws studies."""

    test_train_ratio: float | None

    def draw_study(self, rng: np.random.Generator) -> SimulatedStudy:
        """Draw a study."""


def draw_test_rows(rng: np.random.Generator, seeds: int, rows: int, test_rows: int) -> FloatArray:
    """Draw the test rows of each seed: an array of shape (seeds, rows), 1 for test rows, else 0."""
    order = rng.random((seeds, rows)).argsort(axis=1)
    return (order < test_rows).astype(float)


@dataclass(frozen=True)
class FixedRows:
    """All seeds have the same test rows: accuracies on these rows vary with the seed.

    Args:
        effects: how much better each schedule is than the baseline.
        seeds: number of seeds.
        seed_sd: standard deviation that all runs of a seed share.
        run_sd: standard deviation of each run.
        diverged_fractions: fraction of the runs of each schedule that diverge and get the dummy
            score; none if omitted.
        test_rows: number of test rows.
    """

    effects: Sequence[float]
    seeds: int = 30
    seed_sd: float = 0.027
    run_sd: float = 0.008
    diverged_fractions: Sequence[float] = (0.0,)
    test_rows: int = 106
    test_train_ratio: float | None = None

    def draw_study(self, rng: np.random.Generator) -> SimulatedStudy:
        """Draw a study."""
        effects = np.array(self.effects)
        level = rng.normal(0.88, self.seed_sd, self.seeds)
        noise = rng.normal(0, self.run_sd, (len(effects), self.seeds))
        scores = level + effects[:, None] + noise
        # Random rounding leaves the mean unchanged.
        scores = np.floor(scores * self.test_rows + rng.random(scores.shape)) / self.test_rows
        diverged_fractions = np.broadcast_to(self.diverged_fractions, effects.shape)
        has_diverged = rng.random(scores.shape) < diverged_fractions[:, None]
        scores[has_diverged] = 0.64
        means = (1 - diverged_fractions) * (0.88 + effects) + diverged_fractions * 0.64
        return SimulatedStudy(scores, means, None, has_diverged.sum(axis=1).tolist())


@dataclass(frozen=True)
class OverlappingSplits:
    """Each seed splits the same rows, and each row favors some schedules by accident.

    The score of a row under a schedule is fixed when the data is drawn, whatever the training rows
    are; each run adds noise.

    Args:
        effects: how much better each schedule is than the baseline.
        seeds: number of seeds.
        rows, test_rows: number of all rows, and of test rows.
        row_sd: standard deviation of the score of a row under a schedule.
        run_sd: standard deviation of the noise of each run.
    """

    effects: Sequence[float]
    seeds: int = 30
    rows: int = 351
    test_rows: int = 106
    row_sd: float = 0.1
    run_sd: float = 0.0

    @property
    def test_train_ratio(self) -> float:
        """Test rows per remaining row."""
        return self.test_rows / (self.rows - self.test_rows)

    def draw_study(self, rng: np.random.Generator) -> SimulatedStudy:
        """Draw a study."""
        effects = np.array(self.effects)
        shape = (len(effects), self.rows)
        row_scores = rng.normal(effects[:, None], self.row_sd, shape) + rng.normal(0, 1, self.rows)
        is_test = draw_test_rows(rng, self.seeds, self.rows, self.test_rows)
        noise = rng.normal(0, self.run_sd, (len(effects), self.seeds))
        scores = row_scores @ is_test.T / self.test_rows + noise
        return SimulatedStudy(scores, row_scores.mean(axis=1), effects)


@dataclass(frozen=True)
class LinearClassifiers:
    """Real training on overlapping splits: linear classifiers in closed form.

    Inputs are normal, and each classifier has its own; the label is the sign of their weighted sum
    with noise. A run starts from random weights w0, different for each seed, and ends at the w that
    minimizes |x w - y|^2 + penalty |w - w0|^2 over the training rows, so that it depends on rows
    and seed as a short training does. Classifiers whose inputs have equal weights are equally good
    for new data, though not on this data. With the same inputs and different initial weights they
    are equally good on this data, too.

    Args:
        input_weights: weight of each classifier's inputs in the label.
        same_inputs: whether all classifiers have the inputs of the first one.
        seeds: number of seeds.
        rows, test_rows: number of all rows, and of test rows.
        inputs: number of inputs of a classifier.
        penalty: strength of the pull towards the initial weights.
        init_sd: standard deviation of the initial weights.
    """

    input_weights: Sequence[float]
    same_inputs: bool = False
    seeds: int = 30
    rows: int = 200
    test_rows: int = 60
    inputs: int = 4
    penalty: float = 10.0
    init_sd: float = 0.5

    @property
    def test_train_ratio(self) -> float:
        """Test rows per remaining row."""
        return self.test_rows / (self.rows - self.test_rows)

    def draw_study(self, rng: np.random.Generator, truth_seeds: int = 0) -> SimulatedStudy:
        """Draw a study; its true means on this data are means over ``truth_seeds`` more seeds."""
        seeds = self.seeds + truth_seeds
        x, y = self._draw_rows(rng, self.rows)
        is_test = draw_test_rows(rng, seeds, self.rows, self.test_rows)
        weights = self._fit(rng, x, y, 1 - is_test)
        is_correct = (np.einsum("nkp,skp->skn", x, weights) > 0) == (y > 0)
        scores = np.einsum("skn,sn->ks", is_correct, is_test) / self.test_rows
        means = scores[:, self.seeds :].mean(axis=1) if truth_seeds else None
        return SimulatedStudy(scores[:, : self.seeds], means, None)

    def estimate_means_for_new_data(
        self, rng: np.random.Generator, data_sets: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return the mean accuracy of each classifier over many data sets, and its standard error.

        The accuracy of weights is exact, 1/2 + arcsin(r) / pi, where r is the correlation of the
        output with the number whose sign is the label.
        """
        accuracies = []
        label_norm = np.sqrt(self.inputs * np.sum(np.square(self.input_weights)) + 1)
        all_weights = np.array(self.input_weights)
        label_weights = all_weights[:1] if self.same_inputs else all_weights
        for _ in range(data_sets):
            x, y = self._draw_rows(rng, self.rows - self.test_rows)
            (weights,) = self._fit(rng, x, y, np.ones((1, len(y))))
            output_norms = np.linalg.norm(weights, axis=1)
            r = weights.sum(axis=1) * label_weights / (output_norms * label_norm)
            accuracies.append(0.5 + np.arcsin(r) / np.pi)
        return np.mean(accuracies, axis=0), np.std(accuracies, axis=0) / np.sqrt(data_sets)

    def _draw_rows(self, rng: np.random.Generator, rows: int) -> tuple[FloatArray, FloatArray]:
        """Draw inputs of shape (rows, classifiers, inputs) and labels of shape (rows,)."""
        classifiers = len(self.input_weights)
        x = rng.normal(0, 1, (rows, classifiers, self.inputs))
        signal = np.einsum("nkp,k->n", x, np.array(self.input_weights))
        y = np.sign(signal + rng.normal(0, 1, rows))
        return (np.repeat(x[:, :1], classifiers, axis=1) if self.same_inputs else x), y

    def _fit(
        self, rng: np.random.Generator, x: FloatArray, y: FloatArray, is_train: FloatArray
    ) -> FloatArray:
        """Return the weights after training, shape (seeds, classifiers, inputs)."""
        row_grams = np.einsum("nkp,nkq->nkpq", x, x)
        gram = np.tensordot(is_train, row_grams, axes=1) + self.penalty * np.eye(self.inputs)
        target = np.tensordot(is_train, x * y[:, None, None], axes=1)
        init_count = len(self.input_weights) if self.same_inputs else 1
        init = rng.normal(0, self.init_sd, (len(is_train), init_count, self.inputs))
        return np.linalg.solve(gram, (target + self.penalty * init)[..., None])[..., 0]
