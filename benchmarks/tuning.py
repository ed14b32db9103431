"""Simulated studies that tune settings, in which no schedule is better than another at its best.

With them ``calibration.py`` tests the whole protocol: scores rise and fall with the learning rate,
few validation rows select the settings, and the final runs are compared. The selection is written
again here, so that thousands of studies take seconds; a test compares it with that of lrlab.
Schedule 0 is the baseline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lrlab.studies import Comparison, build_grid, compare_scores
from lrlab.studies.plan.grid import (
    build_midpoints,
    compute_extension_lr,
    label_settings,
)
from lrlab.training import OPTIMIZERS, Settings
from worlds import FloatArray, draw_test_rows

GRID_EXTENSIONS, TUNING_SEEDS, SEEDS = 3, 20, 30

_SGD = OPTIMIZERS["sgd"]
GRID = build_grid(Settings(validation_size=0.2), _SGD.lr_grid, _SGD.momentum_grid)
_LRS = [*_SGD.lr_grid]
_LRS += [
    compute_extension_lr(_SGD.lr_grid, side, 1 + i)
    for side in (-1, 1)
    for i in range(GRID_EXTENSIONS)
]
_EXTENDED_GRID = build_grid(Settings(validation_size=0.2), _LRS, _SGD.momentum_grid)
ALL_SETTINGS = tuple(
    sorted((*_EXTENDED_GRID, *build_midpoints(_EXTENDED_GRID)), key=lambda s: (s.lr, s.momentum))
)
"""All settings that a study may try, the lowest learning rate first; every other one is a midpoint
of two neighbors.
"""

SETTINGS_LABELS = tuple(label_settings(ALL_SETTINGS))

LR_POSITIONS = np.repeat(np.arange(-2 - GRID_EXTENSIONS, 2 + GRID_EXTENSIONS + 0.5, 0.5), 2)
"""The learning rate of each of them, in grid steps from the middle of the grid."""

EFFECTIVE_LR_POSITIONS = LR_POSITIONS + 2 * (np.arange(len(ALL_SETTINGS)) % 2)
"""The same, where momentum 0.9 counts like a learning rate ten times as high: two grid steps."""


@dataclass(frozen=True)
class TunedStudy:
    """A simulated study with tuned settings.

    Args:
        validation_scores: mean validation scores over the tuning seeds, shape (schedules,
            settings).
        final_scores: scores of the final runs, shape (schedules, settings, seeds).
        means_on_this_data: true mean scores, shape (schedules, settings); None if all schedules are
            equally good at their best.
    """

    validation_scores: FloatArray
    final_scores: FloatArray
    means_on_this_data: FloatArray | None


class TuningWorld(Protocol):
    """Draws studies that tune settings."""

    test_train_ratio: float | None

    def draw_study(self, rng: np.random.Generator) -> TunedStudy:
        """Draw a study."""


@dataclass(frozen=True)
class Curves:
    """Scores fall with the squared distance from the best learning rate, to the dummy score.

    All seeds have the same test rows.

    Args:
        drops: how much the score of each schedule falls one grid step from its best.
        gains: how much better the best of each schedule is than that of the baseline; 0 if omitted.
        off_grid: whether best learning rates may lie between those of the grid.
        seed_sd: standard deviation that all runs of a seed share.
        run_sd: standard deviation of each run.
        validation_sd: standard deviation of a score on the few validation rows.
    """

    drops: Sequence[float]
    gains: Sequence[float] = ()
    off_grid: bool = False
    seed_sd: float = 0.027
    run_sd: float = 0.008
    validation_sd: float = 0.02
    test_train_ratio: float | None = None

    def draw_study(self, rng: np.random.Generator) -> TunedStudy:
        """Draw a study."""
        means = self.draw_means(rng)
        noise = rng.normal(0, self.seed_sd, SEEDS) + rng.normal(
            0, self.run_sd, (*means.shape, SEEDS)
        )
        validation_scores = means + rng.normal(
            0, self.validation_sd / np.sqrt(TUNING_SEEDS), means.shape
        )
        return TunedStudy(validation_scores, means[..., None] + noise, None)

    def draw_means(self, rng: np.random.Generator) -> FloatArray:
        """Draw best learning rates, and return the true means, shape (schedules, settings)."""
        best = rng.uniform(-1.5, 1.5, len(self.drops))
        best = best if self.off_grid else best.round()
        losses = np.array(self.drops)[:, None] * (EFFECTIVE_LR_POSITIONS - best[:, None]) ** 2
        gains = np.array(self.gains or [0.0] * len(self.drops))
        return np.maximum(0.88 + gains[:, None] - losses, 0.64)


@dataclass(frozen=True)
class FavoringRows(Curves):
    """The same on overlapping splits of rows that favor schedules and settings by accident.

    So the selected settings are those that these rows favor.

    Args:
        schedule_sd: standard deviation of the score of a row under a schedule.
        settings_sd: standard deviation of the score of a row with settings of a schedule.
        rows, test_rows: number of all rows, and of test rows.
    """

    run_sd: float = 0.005
    schedule_sd: float = 0.1
    settings_sd: float = 0.05
    rows: int = 351
    test_rows: int = 106
    test_train_ratio: float | None = 106 / 245

    def draw_study(self, rng: np.random.Generator) -> TunedStudy:
        """Draw a study."""
        means = self.draw_means(rng)
        schedules, settings = means.shape
        row_scores = rng.normal(0, self.settings_sd, (schedules, settings, self.rows))
        row_scores += rng.normal(0, self.schedule_sd, (schedules, 1, self.rows))
        validation_rows = (self.rows - self.test_rows) // 5
        validation_weights = (
            draw_test_rows(rng, TUNING_SEEDS, self.rows, validation_rows).mean(axis=0)
            / validation_rows
        )
        test_weights = draw_test_rows(rng, SEEDS, self.rows, self.test_rows) / self.test_rows
        noise = rng.normal(0, self.run_sd, (schedules, settings, SEEDS))
        return TunedStudy(
            means + row_scores @ validation_weights,
            means[..., None] + row_scores @ test_weights.T + noise,
            means + row_scores.mean(axis=-1),
        )


@dataclass(frozen=True)
class FittedClassifiers:
    """Linear classifiers fitted to overlapping splits, as ``LinearClassifiers`` are.

    The higher the learning rate, the further they move from their initial weights. Each schedule
    does at one learning rate what the baseline does at another, with other initial weights; the
    factor between the two is drawn for each study.
    """

    schedules: int = 4
    rows: int = 150
    test_rows: int = 45
    inputs: int = 12
    noise_sd: float = 2.0
    penalty: float = 2.0

    @property
    def test_train_ratio(self) -> float:
        """Test rows per remaining row."""
        return self.test_rows / (self.rows - self.test_rows)

    def draw_study(self, rng: np.random.Generator) -> TunedStudy:
        """Draw a study."""
        x = rng.normal(0, 1, (self.rows, self.inputs))
        y = np.sign(x.sum(axis=1) + self.noise_sd * rng.normal(0, 1, self.rows))
        shifts = rng.uniform(-1.5, 1.5, (self.schedules, 1))
        penalties = self.penalty * 10 ** (-(EFFECTIVE_LR_POSITIONS - shifts) / 2)
        is_test = draw_test_rows(rng, TUNING_SEEDS + SEEDS, self.rows, self.test_rows)
        # One in five of the other rows is a validation row.
        order = np.where(is_test > 0, np.inf, rng.random(is_test.shape)).argsort().argsort()
        is_validation = order < (self.rows - self.test_rows) // 5
        is_train = 1 - is_test - is_validation
        is_scored = np.concatenate([is_validation[:TUNING_SEEDS], is_test[TUNING_SEEDS:]])
        values, axes = np.linalg.eigh(np.einsum("sn,np,nq->spq", is_train, x, x, optimize=True))
        init = rng.normal(0, 1, (len(is_train), *penalties.shape, self.inputs))
        target = (is_train @ (x * y[:, None]))[:, None, None] + penalties[..., None] * init
        rotated = np.matmul(target.reshape(len(is_train), -1, self.inputs), axes)
        rotated /= (values[:, None, None] + penalties[..., None]).reshape(rotated.shape)
        weights = np.matmul(rotated, axes.transpose(0, 2, 1)).astype(np.float32)
        is_correct = (np.matmul(weights, x.T.astype(np.float32)) > 0) == (y > 0)
        correct_counts = np.matmul(is_correct, is_scored[..., None].astype(np.float32))[..., 0]
        scores = (correct_counts / is_scored.sum(axis=1, keepdims=True)).reshape(
            len(is_train), *penalties.shape
        )
        final_scores = np.moveaxis(scores[TUNING_SEEDS:], 0, -1)
        return TunedStudy(scores[:TUNING_SEEDS].mean(axis=0), final_scores, None)


def select_settings(validation_scores: FloatArray) -> tuple[int, int, NDArray[np.bool_]]:
    """Return the index of the best settings of a schedule, their edge side, and what was tried.

    Args:
        validation_scores: mean validation scores, shape (settings,).

    Returns:
        The index; -1 or 1 at an edge of the extended grid, else 0; and whether the schedule was
        tried with each of the settings.
    """
    low, high = -2, 2
    while True:
        is_tried = _find_lrs_between(low, high) & (LR_POSITIONS % 1 == 0)
        means = np.where(is_tried, validation_scores, -np.inf)
        tied = np.flatnonzero(means >= means.max() * (1 - 1e-9))
        best = int(min(tied, key=lambda i: (LR_POSITIONS[i] in (low, high), LR_POSITIONS[i])))
        side = int(LR_POSITIONS[best] == high) - int(LR_POSITIONS[best] == low)
        if not side or LR_POSITIONS[best] in (LR_POSITIONS[0], LR_POSITIONS[-1]):
            return best, side, is_tried
        low, high = low - (side < 0), high + (side > 0)


def _find_lrs_between(low: float, high: float) -> NDArray[np.bool_]:
    return np.array([low <= position <= high for position in LR_POSITIONS])


def compare_tuned(
    study: TunedStudy, test_train_ratio: float | None, with_midpoints: bool = True
) -> Comparison:
    """Compare the schedules of a simulated study, labelled by their indices.

    Args:
        study: the study.
        test_train_ratio: that of its world.
        with_midpoints: whether a winner must beat the baseline halfway between learning rates, too.
    """
    scores: dict[str, FloatArray] = {}
    at_grid_edge: list[str] = []
    baseline_scores: dict[str, FloatArray] = {}
    per_schedule = zip(study.validation_scores, study.final_scores, strict=True)
    for k, (validation_scores, final_scores) in enumerate(per_schedule):
        best, side, is_tried = select_settings(validation_scores)
        scores[str(k)] = final_scores[best]
        if side:
            at_grid_edge.append(str(k))
        if k == 0:
            is_trained = (
                _find_lrs_between(*LR_POSITIONS[is_tried][[0, -1]]) if with_midpoints else is_tried
            )
            baseline_scores = {
                SETTINGS_LABELS[i]: final_scores[i] for i in np.flatnonzero(is_trained)
            }
    return compare_scores(
        scores,
        "0",
        greater_is_better=True,
        test_train_ratio=test_train_ratio,
        at_grid_edge=at_grid_edge,
        baseline_scores=baseline_scores,
    )
