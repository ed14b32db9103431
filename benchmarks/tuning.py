"""Simulated studies that choose settings, in which no schedule at its best is better than another.

What ``calibration.py`` tests the whole protocol with: scores rise and fall with the rate, settings
are chosen by few held-out rows, and the final runs are judged. Choosing is written again here, so
that thousands of studies take seconds; a test holds it to lrlab's own. Schedule 0 is the baseline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lrlab import Constant, Schedule
from lrlab.problems.metrics import make_binary_task
from lrlab.studies import BASELINE, Comparison, Selection, build_grid, compare_scores
from lrlab.studies.plan.grid import LR_GRIDS, MOMENTUM_GRIDS, build_midpoints, compute_extension_lr
from lrlab.training import Settings
from worlds import Numbers, draw_test_rows

WIDENINGS, TUNING_SEEDS, SEEDS = 3, 20, 30

GRID = build_grid(Settings(validation_size=0.2), LR_GRIDS["sgd"], MOMENTUM_GRIDS["sgd"])
_RATES = [*LR_GRIDS["sgd"]]
_RATES += [
    compute_extension_lr(LR_GRIDS["sgd"], side, 1 + i) for side in (-1, 1) for i in range(WIDENINGS)
]
_WHOLE = build_grid(Settings(validation_size=0.2), _RATES, MOMENTUM_GRIDS["sgd"])
EVERY = tuple(sorted((*_WHOLE, *build_midpoints(_WHOLE)), key=lambda one: (one.lr, one.momentum)))
"""All settings that a study may come to, the lowest rate first; every other rate is between two."""

RATE = np.repeat(np.arange(-2 - WIDENINGS, 2 + WIDENINGS + 0.5, 0.5), 2)
"""Of each of them, in steps of the grid from its middle."""

PLACE = RATE + 2 * (np.arange(len(EVERY)) % 2)
"""The same, where a momentum of 0.9 counts as a rate ten times as high: two steps of the grid."""


@dataclass(frozen=True)
class Tried:
    """A study: mean scores of the held-out rows over the tuning seeds, shape (schedules, settings);
    scores of the final runs, shape (schedules, settings, seeds); and true means on this data, shape
    (schedules, settings), or None where all are equally good at their best.
    """

    held_out: Numbers
    final: Numbers
    here: Numbers | None


class Tuning(Protocol):
    """What draws studies."""

    test_train_ratio: float | None

    def draw(self, random: np.random.Generator) -> Tried:
        """One study."""


@dataclass(frozen=True)
class Curves:
    """A score falls with the square of the rate's distance from the schedule's best rate, down to
    that of a guess. Every seed has the same test rows.

    Args:
        drops: how much it falls one step of the grid away, for each schedule.
        gains: how much higher each one's best is than the baseline's; none where left out.
        between: whether best rates may lie between rates of the grid, or are some of them.
        shared, own: the deviation that runs of a seed have in common, and each one's own.
        of_held_out: the deviation that a score of few held-out rows has.
    """

    drops: Sequence[float]
    gains: Sequence[float] = ()
    between: bool = False
    shared: float = 0.027
    own: float = 0.008
    of_held_out: float = 0.02
    test_train_ratio: float | None = None

    def draw(self, random: np.random.Generator) -> Tried:
        """One study."""
        mean = self.means(random)
        runs = random.normal(0, self.shared, SEEDS) + random.normal(
            0, self.own, (*mean.shape, SEEDS)
        )
        held_out = mean + random.normal(0, self.of_held_out / np.sqrt(TUNING_SEEDS), mean.shape)
        return Tried(held_out, mean[..., None] + runs, None)

    def means(self, random: np.random.Generator) -> Numbers:
        """Of each schedule at all settings, over all seeds there are; best rates are drawn."""
        best = random.uniform(-1.5, 1.5, len(self.drops))
        best = best if self.between else best.round()
        fall = np.array(self.drops)[:, None] * (PLACE - best[:, None]) ** 2
        gains = np.array(self.gains or [0.0] * len(self.drops))
        return np.maximum(0.88 + gains[:, None] - fall, 0.64)


@dataclass(frozen=True)
class SuitedRows(Curves):
    """The same on overlapping splits of rows, of which each suits some schedules more than others,
    and each of them at some settings more than at others, by accident: settings are chosen by what
    suits these rows.

    Args:
        of_schedule, of_settings: how much it does.
    """

    own: float = 0.005
    of_schedule: float = 0.1
    of_settings: float = 0.05
    rows: int = 351
    tested: int = 106
    test_train_ratio: float | None = 106 / 245

    def draw(self, random: np.random.Generator) -> Tried:
        """One study."""
        mean = self.means(random)
        many, at = mean.shape
        suits = random.normal(0, self.of_settings, (many, at, self.rows))
        suits += random.normal(0, self.of_schedule, (many, 1, self.rows))
        few = (self.rows - self.tested) // 5
        tuning = draw_test_rows(random, TUNING_SEEDS, self.rows, few).mean(axis=0) / few
        final = draw_test_rows(random, SEEDS, self.rows, self.tested) / self.tested
        runs = random.normal(0, self.own, (many, at, SEEDS))
        return Tried(
            mean + suits @ tuning,
            mean[..., None] + suits @ final.T + runs,
            mean + suits.mean(axis=-1),
        )


@dataclass(frozen=True)
class Fitted:
    """Linear classifiers really fitted to overlapping splits, as ``Learners`` are.

    The rate pulls them away from where they start, and a low one does hardly. What the baseline
    does at one rate each other schedule does at another, but for runs that start elsewhere; by
    which factor the rates differ is drawn for each study.
    """

    schedules: int = 4
    rows: int = 150
    tested: int = 45
    width: int = 12
    noise: float = 2.0
    pull: float = 2.0

    @property
    def test_train_ratio(self) -> float:
        """Test rows per row not tested."""
        return self.tested / (self.rows - self.tested)

    def draw(self, random: np.random.Generator) -> Tried:
        """One study."""
        x = random.normal(0, 1, (self.rows, self.width))
        y = np.sign(x.sum(axis=1) + self.noise * random.normal(0, 1, self.rows))
        factors = random.uniform(-1.5, 1.5, (self.schedules, 1))
        pulls = self.pull * 10 ** (-(PLACE - factors) / 2)
        tested = draw_test_rows(random, TUNING_SEEDS + SEEDS, self.rows, self.tested)
        # Of the other rows one in five is held out.
        order = np.where(tested > 0, np.inf, random.random(tested.shape)).argsort().argsort()
        held_out = order < (self.rows - self.tested) // 5
        used = 1 - tested - held_out
        scored = np.concatenate([held_out[:TUNING_SEEDS], tested[TUNING_SEEDS:]])
        values, axes = np.linalg.eigh(np.einsum("sn,np,nq->spq", used, x, x, optimize=True))
        start = random.normal(0, 1, (len(used), *pulls.shape, self.width))
        aim = (used @ (x * y[:, None]))[:, None, None] + pulls[..., None] * start
        turned = np.matmul(aim.reshape(len(used), -1, self.width), axes)
        turned /= (values[:, None, None] + pulls[..., None]).reshape(turned.shape)
        fits = np.matmul(turned, axes.transpose(0, 2, 1)).astype(np.float32)
        right = (np.matmul(fits, x.T.astype(np.float32)) > 0) == (y > 0)
        count = np.matmul(right, scored[..., None].astype(np.float32))[..., 0]
        scores = (count / scored.sum(axis=1, keepdims=True)).reshape(len(used), *pulls.shape)
        final = np.moveaxis(scores[TUNING_SEEDS:], 0, -1)
        return Tried(scores[:TUNING_SEEDS].mean(axis=0), final, None)


def select_settings(held_out: Numbers) -> tuple[int, int, NDArray[np.bool_]]:
    """Of one schedule the number of its best settings, the side of the edge that they lie at, and
    with which settings it was tried.

    Args:
        held_out: mean scores of the held-out rows, shape (settings,).
    """
    low, high = -2, 2
    while True:
        tried = _clip_to_grid(low, high) & (RATE % 1 == 0)
        means = np.where(tried, held_out, -np.inf)
        near = np.flatnonzero(means >= means.max() * (1 - 1e-9))
        at = int(min(near, key=lambda i: (RATE[i] in (low, high), RATE[i])))
        side = int(RATE[at] == high) - int(RATE[at] == low)
        if not side or RATE[at] in (RATE[0], RATE[-1]):
            return at, side, tried
        low, high = low - (side < 0), high + (side > 0)


def _clip_to_grid(low: float, high: float) -> NDArray[np.bool_]:
    return np.array([low <= rate <= high for rate in RATE])


def compare_tuned(study: Tried, test_train_ratio: float | None, halves: bool = True) -> Comparison:
    """The comparison of a simulated study; without the rates halfway if asked."""
    scores: dict[Schedule, Numbers] = {}
    tuned: dict[Schedule, Selection] = {}
    rivals: dict[Settings, Numbers] = {}
    for k, (held_out, final) in enumerate(zip(study.held_out, study.final, strict=True)):
        schedule = Constant(float(k + 1)) if k else BASELINE
        at, side, tried = select_settings(held_out)
        scores[schedule], tuned[schedule] = (
            final[at],
            Selection(EVERY[at], side, float(held_out[at])),
        )
        if schedule == BASELINE:
            all_rivals = _clip_to_grid(*RATE[tried][[0, -1]]) if halves else tried
            rivals = {EVERY[i]: final[i] for i in np.flatnonzero(all_rivals)}
    return compare_scores(
        scores,
        BASELINE,
        make_binary_task().metric,
        test_train_ratio,
        selections=tuned,
        baseline_scores=rivals,
    )
