"""Metric-driven primitives: the rate changes when a metric improves or stops improving."""

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from math import inf

import numpy as np

from lrlab.schedules.core import Array, Constant, MetricState, Primitive, Schedule
from lrlab.schedules.fields import (
    Absolute,
    Flag,
    FractionBelowOne,
    Level,
    Mode,
    NonNegative,
    NonNegativeInteger,
    ThresholdMode,
    resolve_level,
)

__all__ = ["Greedy", "Plateau"]


class MetricDriven(Primitive):
    """A schedule that stays at the base rate until metrics change it.

    Its state is ``(rate, ...)``; the rate is None until a metric changes it.
    """

    mode: str
    threshold: float
    threshold_mode: str

    @property
    def needs_metric(self) -> bool:
        return True

    def evaluate(self, t: Array, base: float) -> Array:
        return np.full_like(t, base)

    def apply_state(self, state: MetricState) -> Schedule:
        rate = state[0]
        if rate is None:
            return Constant(1.0)
        return Constant(rate if self.is_relative else Absolute(rate))

    def apply_metric(self, state: MetricState, t: float, metric: float, base: float) -> MetricState:
        # The state of a relative schedule is a factor, which ``evaluate`` multiplies by the base
        # rate: that of the training, or the rate at which another schedule ended.
        return self.advance_state(state, metric, 1.0 if self.is_relative else base)

    @abstractmethod
    def advance_state(self, state: MetricState, metric: float, base: float) -> MetricState:
        """Return the state after a metric; ``base`` is the rate before any change."""

    def is_better(self, metric: float, best: float | None) -> bool:
        """Whether a metric improves on the best (None at first) by more than the threshold."""
        sign = -1 if self.mode == "min" else 1
        if best is None:
            best = -sign * inf
        margin = sign * self.threshold
        best_with_threshold = best * (1 + margin) if self.threshold_mode == "rel" else best + margin
        return sign * metric > sign * best_with_threshold


@dataclass(frozen=True, repr=False)
class Plateau(MetricDriven):
    """Multiplied by ``factor`` whenever a metric has stopped improving.

    A metric is bad unless it is below best * (1 - threshold) (``mode="min"``, ``"rel"``). After
    more than ``patience`` bad ones in a row::

        rate(t) = max(factor * rate, low)    unless that changes it by no more than eps

    Args:
        factor: from 0 to below 1; 0.1 by default, as in torch.
        patience: number of bad metrics in a row without a reduction, 0 or more.
        mode: ``"min"`` if lower metrics are better, ``"max"`` if higher ones are.
        threshold, threshold_mode: smallest improvement that counts, 0 or more; ``"rel"`` as a
            fraction of the best, ``"abs"`` as a difference.
        cooldown: number of metrics after a reduction that are never bad, 0 or more.
        low: the lowest level.
        eps: reductions by no more than this level are skipped.
        at_patience: whether the ``patience``-th bad metric reduces the rate, as in Keras and optax;
            in torch the next one does.

    Raises:
        ScheduleError: an argument is out of its domain.

    Source: torch.optim.lr_scheduler.ReduceLROnPlateau.

    >>> plateau = Plateau(0.5, patience=1)
    >>> state = plateau.init_state()
    >>> for loss in [1.0, 1.0, 1.0, 0.9]:
    ...     state = plateau.update_state(state, 0, loss)
    >>> plateau.with_state(state)(0, base=0.1)
    0.05
    """

    gallery_example = "Plateau(0.3, patience=20)"
    factor: FractionBelowOne = 0.1
    _: KW_ONLY
    patience: NonNegativeInteger = 10
    mode: Mode = "min"
    threshold: NonNegative = 1e-4
    threshold_mode: ThresholdMode = "rel"
    cooldown: NonNegativeInteger = 0
    low: Level = 0.0
    eps: Level = 0.0
    at_patience: Flag = False

    def init_state(self) -> MetricState:
        return None, None, 0, 0

    def advance_state(self, state: MetricState, metric: float, base: float) -> MetricState:
        rate, best, num_bad, cooldown_left = state
        if self.is_better(metric, best):
            best, num_bad = metric, 0
        else:
            num_bad += 1
        if cooldown_left:
            cooldown_left, num_bad = cooldown_left - 1, 0
        if num_bad > self.patience or (self.at_patience and num_bad >= max(1, self.patience)):
            rate = self._reduce(base if rate is None else rate, base)
            cooldown_left, num_bad = self.cooldown, 0
        return rate, best, num_bad, cooldown_left

    def _reduce(self, rate: float, base: float) -> float:
        reduced = max(self.factor * rate, resolve_level(self.low, base))
        return reduced if rate - reduced > resolve_level(self.eps, base) else rate


@dataclass(frozen=True, repr=False)
class Greedy(MetricDriven):
    """Raised while a metric improves, lowered while it does not.

    A metric is good if it is below best - threshold (``mode="min"``, ``"abs"``), else bad. After
    more than ``patience`` good ones or bad ones in a row::

        rate(t) = min(rate / factor, high)    after good ones; then ignores ``warmup`` metrics
        rate(t) = max(rate * factor, low)     after bad ones; then ignores ``cooldown`` metrics

    After ``reset`` reductions at ``low``, everything starts again at the base rate.

    Args:
        factor: above 0 and below 1.
        patience: number of good or of bad metrics in a row without a change, 0 or more.
        mode: ``"min"`` if lower metrics are better, ``"max"`` if higher ones are.
        threshold, threshold_mode: smallest improvement that counts, 0 or more; ``"rel"`` as a
            fraction of the best, ``"abs"`` as a difference.
        cooldown, warmup: number of metrics ignored after a change, 0 or more.
        low, high: the lowest and the highest level.
        eps: changes by no more than this level are skipped.
        window: number of metrics that are averaged first, 1 or more.
        reset: number of reductions at ``low`` before it starts again, 1 or more.

    Raises:
        ScheduleError: an argument is out of its domain.

    Source: arXiv:2512.14527; transformers' GreedyLR, whose bounds are absolute rates.

    >>> greedy = Greedy(0.5, patience=0)
    >>> state = greedy.init_state()
    >>> for loss in [1.0, 0.9, 0.95]:
    ...     state = greedy.update_state(state, 0, loss)
    >>> greedy.with_state(state)(0, base=0.1)
    0.2
    """

    gallery_example = "Greedy(0.8, patience=5)"
    factor: FractionBelowOne = 0.95
    _: KW_ONLY
    patience: NonNegativeInteger = 10
    mode: Mode = "min"
    threshold: NonNegative = 1e-6
    threshold_mode: ThresholdMode = "abs"
    cooldown: NonNegativeInteger = 0
    warmup: NonNegativeInteger = 0
    low: Level = 0.01
    high: Level = 10.0
    eps: Level = 0.0
    window: NonNegativeInteger = 1
    reset: NonNegativeInteger = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("factor", "window", "reset"):
            if not getattr(self, name):
                raise self.make_error(f"{name} must be above 0, got 0.")

    def init_state(self) -> MetricState:
        return None, None, 0, 0, 0, self.reset, ()

    def advance_state(self, state: MetricState, metric: float, base: float) -> MetricState:
        rate, best, num_good, num_bad, cooldown_left, reductions_left, recent_metrics = state
        rate = base if rate is None else rate
        recent_metrics = (*recent_metrics, metric)[-self.window :]
        metric = sum(recent_metrics) / len(recent_metrics)
        if cooldown_left:
            return rate, best, 0, 0, cooldown_left - 1, reductions_left, recent_metrics
        if self.is_better(metric, best):
            best, num_good, num_bad = metric, num_good + 1, 0
        else:
            num_good, num_bad = 0, num_bad + 1
        if num_good > self.patience:
            higher = min(rate / self.factor, resolve_level(self.high, base))
            rate = higher if higher - rate > resolve_level(self.eps, base) else rate
            return rate, best, 0, 0, self.warmup, self.reset, recent_metrics
        if num_bad > self.patience:
            low = resolve_level(self.low, base)
            lower = max(rate * self.factor, low)
            rate = lower if rate - lower > resolve_level(self.eps, base) else rate
            reductions_left -= rate <= low
            if not reductions_left:
                rate, best, reductions_left, recent_metrics = None, None, self.reset, ()
            return rate, best, 0, 0, self.cooldown, reductions_left, recent_metrics
        return rate, best, num_good, num_bad, 0, reductions_left, recent_metrics
