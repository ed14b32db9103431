"""Reactive schedules: the rate moves as a metric does."""

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from math import inf

import numpy as np

from lrlab.schedules.base import Array, Schedule
from lrlab.schedules.levels import Rate, resolve
from lrlab.schedules.parameters import Count, Flag, Level, Mode, NotNegative, Share, ThresholdMode
from lrlab.schedules.ramps import Constant
from lrlab.schedules.reaction import State
from lrlab.schedules.shape import Shape

__all__ = ["Greedy", "Plateau"]


class Reactive(Shape):
    """A schedule at the base rate until metrics move it: a constant at every moment.

    Its state is ``(rate, ...)``, the rate None before anything moved it.
    """

    mode: str
    threshold: float
    threshold_mode: str

    @property
    def reactive(self) -> bool:
        return True

    def evaluate(self, t: Array, base: float) -> Array:
        return np.full_like(t, base)

    def made(self, state: State) -> Schedule:
        rate = state[0]
        if rate is None:
            return Constant(1.0)
        return Constant(rate if self.relative else Rate(rate))

    def observed(self, state: State, t: float, metric: float, base: float) -> State:
        # What is relative moves a factor, which ``given`` leaves to be multiplied by the base rate
        # of its place: that of the training, or the rate at which another schedule has ended.
        return self.moved(state, metric, 1.0 if self.relative else base)

    @abstractmethod
    def moved(self, state: State, metric: float, base: float) -> State:
        """The state after a metric, for the base rate in which its rate is counted."""

    def better(self, metric: float, best: float | None) -> bool:
        """Whether a metric improves by more than the threshold on the best, None before any."""
        sign = -1 if self.mode == "min" else 1
        if best is None:
            best = -sign * inf
        margin = sign * self.threshold
        bar = best * (1 + margin) if self.threshold_mode == "rel" else best + margin
        return sign * metric > sign * bar


@dataclass(frozen=True, repr=False)
class Plateau(Reactive):
    """Multiplied by ``factor`` whenever a metric has stopped improving.

    A metric is bad unless it is below best * (1 - threshold) (``mode="min"``, ``"rel"``). After
    more than ``patience`` bad ones in a row, and then not for ``cooldown`` metrics::

        rate(t) = max(factor * rate, low)    unless that changes it by no more than eps

    Args:
        factor: from 0 to below 1; a tenth unless told otherwise, as in torch.
        patience: how many bad metrics in a row are borne, 0 or more.
        mode: ``"min"`` if less is better, ``"max"`` if more is.
        threshold, threshold_mode: how much better counts, 0 or more; ``"rel"`` as a share of the
            best, ``"abs"`` as a difference.
        cooldown: how many metrics after a reduction are never bad, 0 or more.
        low: the level below which it never falls.
        eps: reductions by no more than this level are left out.
        at_patience: whether the ``patience``-th bad metric reduces already, as in Keras and optax;
            torch bears that many and reduces at the next.

    Raises:
        ScheduleError: an argument is out of its domain.

    Source: torch.optim.lr_scheduler.ReduceLROnPlateau.

    >>> plateau = Plateau(0.5, patience=1)
    >>> state = plateau.initial()
    >>> for loss in [1.0, 1.0, 1.0, 0.9]:
    ...     state = plateau.observe(state, 0, loss)
    >>> plateau.given(state)(0, base=0.1)
    0.05
    """

    factor: Share = 0.1
    _: KW_ONLY
    patience: Count = 10
    mode: Mode = "min"
    threshold: NotNegative = 1e-4
    threshold_mode: ThresholdMode = "rel"
    cooldown: Count = 0
    low: Level = 0.0
    eps: Level = 0.0
    at_patience: Flag = False

    def initial(self) -> State:
        return None, None, 0, 0

    def moved(self, state: State, metric: float, base: float) -> State:
        rate, best, bad, resting = state
        if self.better(metric, best):
            best, bad = metric, 0
        else:
            bad += 1
        if resting:
            resting, bad = resting - 1, 0
        if bad > self.patience or (self.at_patience and bad >= max(1, self.patience)):
            rate = self._reduced(base if rate is None else rate, base)
            resting, bad = self.cooldown, 0
        return rate, best, bad, resting

    def _reduced(self, rate: float, base: float) -> float:
        lower = max(self.factor * rate, resolve(self.low, base))
        return lower if rate - lower > resolve(self.eps, base) else rate


@dataclass(frozen=True, repr=False)
class Greedy(Reactive):
    """Raised while a metric improves, lowered while it does not.

    A metric is good if it is below best - threshold (``mode="min"``, ``"abs"``), else bad. After
    more than ``patience`` of a kind in a row::

        rate(t) = min(rate / factor, high)    after good ones, then a rest of ``warmup`` metrics
        rate(t) = max(rate * factor, low)     after bad ones, then a rest of ``cooldown`` metrics

    Changes by no more than ``eps`` are left out. After ``reset`` reductions at ``low``, everything
    begins anew at the base rate.

    Args:
        factor: above 0 and below 1.
        patience: how many metrics of a kind in a row are borne, 0 or more.
        mode: ``"min"`` if less is better, ``"max"`` if more is.
        threshold, threshold_mode: how much better counts, 0 or more; ``"rel"`` as a share of the
            best, ``"abs"`` as a difference.
        cooldown, warmup: how many metrics are ignored after a change, 0 or more.
        low, high: the levels between which it moves.
        eps: changes by no more than this level are left out.
        window: metrics are averaged over this many first; 1 takes each as it is.
        reset: how many reductions at ``low`` are borne, 1 or more.

    Raises:
        ScheduleError: an argument is out of its domain.

    Source: arXiv:2512.14527; transformers' GreedyLR, whose bounds are absolute rates.

    >>> greedy = Greedy(0.5, patience=0)
    >>> state = greedy.initial()
    >>> for loss in [1.0, 0.9, 0.95]:
    ...     state = greedy.observe(state, 0, loss)
    >>> greedy.given(state)(0, base=0.1)
    0.2
    """

    factor: Share = 0.95
    _: KW_ONLY
    patience: Count = 10
    mode: Mode = "min"
    threshold: NotNegative = 1e-6
    threshold_mode: ThresholdMode = "abs"
    cooldown: Count = 0
    warmup: Count = 0
    low: Level = 0.01
    high: Level = 10.0
    eps: Level = 0.0
    window: Count = 1
    reset: Count = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("factor", "window", "reset"):
            if not getattr(self, name):
                raise self.refusal(f"{name} must be above 0, got 0.")

    def initial(self) -> State:
        return None, None, 0, 0, 0, self.reset, ()

    def moved(self, state: State, metric: float, base: float) -> State:
        rate, best, good, bad, resting, left, seen = state
        rate = base if rate is None else rate
        seen = (*seen, metric)[-self.window :]
        metric = sum(seen) / len(seen)
        if resting:
            return rate, best, 0, 0, resting - 1, left, seen
        if self.better(metric, best):
            best, good, bad = metric, good + 1, 0
        else:
            good, bad = 0, bad + 1
        if good > self.patience:
            higher = min(rate / self.factor, resolve(self.high, base))
            rate = higher if higher - rate > resolve(self.eps, base) else rate
            return rate, best, 0, 0, self.warmup, self.reset, seen
        if bad > self.patience:
            low = resolve(self.low, base)
            lower = max(rate * self.factor, low)
            rate = lower if rate - lower > resolve(self.eps, base) else rate
            left -= rate <= low
            if not left:
                rate, best, left, seen = None, None, self.reset, ()
            return rate, best, 0, 0, self.cooldown, left, seen
        return rate, best, good, bad, 0, left, seen
