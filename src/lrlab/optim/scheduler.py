"""The one scheduler: any schedule on any torch optimizer, in place of torch's classes."""

import warnings
from collections.abc import Mapping
from copy import copy
from typing import Any, cast

import torch
from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedulers

from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.errors import SchedulerError
from lrlab.optim.groups import Groups
from lrlab.optim.plan import read_plan
from lrlab.optim.replanning import replanned
from lrlab.optim.resume import CHOICES, OnChange, resumed
from lrlab.optim.state import dumped, read
from lrlab.optim.track import Track
from lrlab.optim.watch import Watch
from lrlab.schedules import Schedule
from lrlab.schedules.numbers import real, whole

Rates = list[float | torch.Tensor]
"""One rate per parameter group; always floats here, torch's type allows tensors."""

METRIC_DUE = 1000
"""Steps after which a schedule that reads a metric should have seen one."""


class LRScheduler(torch_schedulers.LRScheduler):
    """Sets the rate of every parameter group to ``schedule(t, base)``, t counting ``step()``.

    Each rate is computed from the step and the group's base rate alone, so nothing drifts, and once
    its state is loaded nothing depends on the order in which schedulers and checkpoints were built
    and loaded. Nothing of the optimizer is patched. The base rate of a group is its
    ``"initial_lr"``, as checkpoints of optimizers have it, and where that is missing its ``"lr"``
    when the scheduler first sees it.

    Any other hyperparameter may have a schedule too; its levels are factors of the group's own
    value (kept as ``"initial_momentum"`` and the like), or absolute as ``Rate(0.85)``. A rate that
    is a tensor is filled in place, so that compiled optimizer steps and captured graphs see it.

    A parameter group added later follows the schedule of all groups from the next ``step()`` on,
    on the same clock as the others, from a base rate of its own.

    Args:
        optimizer: whose parameter groups are scheduled.
        schedule: of the rate: ``Warmup(5) >> Cosine(45)``, or its text. What
            ``dialects.torch.OneCycleLR`` and its like return schedules the momentum too.
        total_steps: calls of ``step()`` in the whole training; needed by durations such as
            ``"10%"`` and by shapes without a duration.
        steps_per_epoch: calls of ``step()`` in one epoch; needed by durations such as ``"5ep"``.
        momentum: a schedule or its text; of ``betas[0]`` where the optimizer is of Adam's kind.
        weight_decay: a schedule or its text.
        betas: that of ``betas[0]``, or a pair for both, None for one that stays as it is.
        groups: what single groups follow instead, by place or ``"name"``: a schedule of the rate
            (``{"head": "Cosine(45)"}``) or several (``{0: {"lr": ..., "weight_decay": ...}}``).
        on_change: what to do when a state is loaded that was saved under another schedule or base
            rate: ``"error"``, or ``"keep_new"`` (those of now), or ``"keep_saved"``.
        last_epoch: the last step that was done, for code that resumes without
            ``load_state_dict``: training goes on with the one after. -1, the default, is none.
        **others: schedules of any other hyperparameter, by its name.

    Raises:
        SchedulerError: ``optimizer`` is no optimizer; something is no schedule; there is no such
            hyperparameter or group.
        ScheduleError: a text is no schedule, or one needs ``total_steps`` or ``steps_per_epoch``.

    >>> import torch
    >>> from lrlab import Linear
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> scheduler = LRScheduler(optimizer, Linear(1.0, 0.5, over=2))
    >>> for epoch in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     print(scheduler.current, scheduler.next)
    [0.1] [0.07500000000000001]
    [0.07500000000000001] [0.05]
    [0.05] [0.05]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Schedule | LrAndMomentum | str,
        *,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
        momentum: Schedule | str | None = None,
        weight_decay: Schedule | str | None = None,
        betas: Schedule | str | tuple[Schedule | str | None, ...] | None = None,
        groups: Mapping[int | str, Any] | None = None,
        on_change: OnChange = "error",
        last_epoch: int = -1,
        **others: Schedule | str,
    ) -> None:
        # torch's own __init__ wraps optimizer.step to warn about the order of calls, which raises
        # false alarms under mixed precision and ties the two objects together; it is not called.
        if not isinstance(optimizer, Optimizer):
            raise SchedulerError(
                f"optimizer must be a torch.optim.Optimizer, got {type(optimizer).__name__}."
            )
        if on_change not in CHOICES:
            raise SchedulerError(f"on_change must be {' or '.join(CHOICES)}, got {on_change!r}.")
        done = whole(last_epoch)
        if done is None or done < -1:
            raise SchedulerError(
                f"last_epoch must be the last step done, or -1 for none, got {last_epoch!r}."
            )

        def bind(one: Schedule) -> Schedule:
            return one.bind(total=total_steps, epoch=steps_per_epoch)

        named = {"momentum": momentum, "weight_decay": weight_decay, "betas": betas, **others}
        start = done + 1
        plan = read_plan(optimizer, bind, schedule, named, groups or {})
        self.optimizer = optimizer
        self._groups = Groups(optimizer, plan, start)
        self._on_change = on_change
        self._total: float | None = total_steps  # trainers stop by an attribute total_steps
        self._watch: Watch | None = Watch(optimizer)
        self.last_epoch = start
        self._step_count = start + 1

    def __copy__(self) -> "LRScheduler":
        # On the same optimizer, but what moves is its own.
        other = object.__new__(type(self))
        own = {"_groups": copy(self._groups), "_watch": copy(self._watch)}
        other.__dict__.update(self.__dict__ | own)
        return other

    def __repr__(self) -> str:
        said = (
            f"{track.what}: {_one_or_all(track.schedules)}" for track in self._groups.table.tracks
        )
        return f"LRScheduler({', '.join(said)}) at step {self.last_epoch}"

    @property
    def schedule(self) -> Schedule:
        """The schedule of the rate, durations in steps; of the first group where they differ."""
        return self._groups.table.tracks[0].schedules[0]

    @property
    def reactive(self) -> bool:
        """Whether a schedule reads a metric."""
        return any(track.reactive for track in self._groups.table.tracks)

    @property
    def base_lrs(self) -> Rates:
        """The base rate of each group; what is changed counts from the next ``step()`` on."""
        return cast(Rates, self._groups.table.tracks[0].bases)

    @base_lrs.setter
    def base_lrs(self, rates: Rates) -> None:
        self._groups.table.tracks[0].bases[:] = [float(rate) for rate in rates]

    @property
    def current(self) -> list[float]:
        """The rate of each group that the last ``optimizer.step()`` used, once ``step()`` is called
        after it; before the first ``step()``, the first rate.
        """
        return self._groups.around(self.last_epoch).used(self.last_epoch)[0]

    @property
    def next(self) -> list[float]:
        """The rate of each group that the next ``optimizer.step()`` uses."""
        return self._groups.around(self.last_epoch).at(self.last_epoch)[0]

    def logs(self, *, next: bool = False) -> dict[str, float]:
        """Every scheduled hyperparameter by a name to log it under: ``"lr"``, or ``"lr/head"`` and
        the like where there are several groups.

        Args:
            next: whether as the next ``optimizer.step()`` uses it, and not, as for ``current``, as
                the last one did.

        >>> import torch
        >>> optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.1)
        >>> LRScheduler(optimizer, "Cosine(45)", weight_decay="Constant(Rate(0.01))").logs()
        {'lr': 0.1, 'weight_decay': 0.01}
        """
        t = self.last_epoch
        table = self._groups.around(t)
        groups = self.optimizer.param_groups
        names = [""] if len(groups) == 1 else [f"/{g.get('name', i)}" for i, g in enumerate(groups)]
        return {
            f"{track.what}{name}": value
            for track, row in zip(table.tracks, table.at(t) if next else table.used(t), strict=True)
            for name, value in zip(names, row, strict=False)
        }

    def get_last_lr(self) -> Rates:
        """The rate of each group as last set, which is what torch means by it: that of ``next``."""
        return [*self.next]

    def get_lr(self) -> Rates:
        """The rate of each group at the current step: a pure function of ``last_epoch``."""
        track, t = self._groups.tracks[0], max(0, self.last_epoch)
        return [one(t, base=base) for one, base in zip(track.ruling, track.bases, strict=True)]

    def step(  # type: ignore[override]  # with a metric first, as torch's ReduceLROnPlateau
        self, metrics: Any = None, epoch: int | None = None, *, skipped: bool = False
    ) -> None:
        """Goes on to the next step and sets every scheduled hyperparameter.

        Args:
            metrics: for a schedule that reads one: what was measured after training with the
                rates of now.
            epoch: the step to go to, if not the next; as in torch it may stand first where the
                schedule reads no metric.
            skipped: whether the optimizer skipped its step, as under mixed precision; then the
                schedule does not go on either.

        Raises:
            SchedulerError: ``epoch`` is no step, or there is a metric that nothing reads.
            ScheduleError: the schedule gives no rate there, or ``metrics`` is no number. Nothing
                has changed then.
        """
        if metrics is not None or epoch is not None or skipped:
            self._step_with(metrics, epoch, bool(skipped))
            return
        t = self.last_epoch + 1
        groups = self.optimizer.param_groups
        table = self._groups.table
        i = t - table.first
        # As few operations as can be: a step costs less than a third of one of torch's.
        if (
            0 < i < table.length
            and len(groups) == table.groups
            and table.bases == table.tracks[0].bases
        ):
            for place, key, numbers, scale, what in table.cells:
                group = groups[place]
                if type(group[key]) is float:
                    group[key] = numbers[i] * scale
                else:
                    what.write(group, numbers[i] * scale)
        else:
            self._groups.go_to(t, self._groups.tracks, table.at(t - 1))
            if table.first < METRIC_DUE <= t:
                self._warn_without_metric(t)
        self.last_epoch = t
        self._step_count += 1
        if self._watch is not None and not self._watch.goes_on(self.optimizer):
            self._watch = None

    def observe(self, metric: Any) -> None:
        """Takes in a metric between two steps: the rates of now follow it, the step stays.

        For trainers that measure at other times than they step; call it after ``step()``.

        Args:
            metric: any number; NaN is never an improvement.

        Raises:
            SchedulerError: no schedule reads a metric.
            ScheduleError: it is no number. Nothing has changed then.
        """
        used = self._groups.around(self.last_epoch).used(self.last_epoch)
        self._groups.go_to(self.last_epoch, self._observed(metric), used)

    def replan(self, new_total: float) -> None:
        """Goes on as for a training of ``new_total`` steps: no jump now, and the end comes then.

        Every schedule that is still to come is stretched or shrunk, as ``schedule.replan`` does.
        The state that is saved from now on is one of the schedules changed in this way: load it
        with ``on_change="keep_saved"``, or into a scheduler that was replanned alike.

        Raises:
            SchedulerError: a schedule reads a metric, or all go on for ever.
            ScheduleError: ``new_total`` is no number of steps above the current one, or the
                planned end has passed.

        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        >>> scheduler = LRScheduler(optimizer, "Linear(1, 0, over=10)")
        >>> scheduler.step(epoch=5)
        >>> scheduler.replan(15)
        >>> scheduler.schedule
        Linear(1.0, 0.0, over=10).until(5) >> Linear(1.0, 0.0, over=10).shift(-5).stretch(2.0)
        """
        t = self.last_epoch
        table = self._groups.around(t)
        tracks = replanned(self._groups.tracks, new_total, t, self._total)
        self._groups.go_to(t, tracks, table.used(t))
        self._total = new_total

    def state_dict(self) -> dict[str, Any]:
        """Where it stands: numbers and texts, safe for ``torch.load(weights_only=True)``.

        Returns:
            ``last_epoch``, ``_step_count``, ``total_steps`` and, of each of the
            ``hyperparameters``, the schedule's text, the base value and the value used last of
            every group, and what its schedule keeps of the metrics.
        """
        used = self._groups.around(self.last_epoch).used(self.last_epoch)
        return dumped(self._groups.tracks, used, self.last_epoch, self._step_count, self._total)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on where ``state_dict`` was taken; afterwards the groups hold the right values.

        The optimizer's own state may be loaded before, after or not at all.

        Raises:
            SchedulerError: the state is none of this kind of scheduler or of another number of
                groups, or was saved under another schedule or base rate and ``on_change`` does not
                say what to do. Nothing has changed then.
        """
        step, count, saved = read(state_dict, len(self.optimizer.param_groups))
        tracks = resumed(saved, self._groups.tracks, step, self._on_change, self.optimizer)
        known = {name: one.used for name, one in saved.items()}
        used = [known.get(str(track.what), list(track.bases)) for track in tracks]
        self._groups.go_to(step, tracks, used)
        self.last_epoch = step
        self._step_count = count
        if self._on_change == "keep_saved":  # what was planned too, which replan goes by
            self._total = real(state_dict.get("total_steps"))

    def _step_with(self, metrics: Any, epoch: Any, skipped: bool) -> None:
        if metrics is not None and epoch is None and not self.reactive:
            metrics, epoch = None, metrics  # torch's own step(epoch)
        t = self.last_epoch + 1 if epoch is None else _step(epoch)
        if t is None:
            raise SchedulerError(
                f"step() goes to a step, a whole number of 0 or more, got {epoch!r}; this schedule "
                "reads no metric."
            )
        now = self.last_epoch
        table = self._groups.around(now)
        tracks = self._groups.tracks if metrics is None else self._observed(metrics)
        if skipped:
            self._groups.go_to(now, tracks, table.used(now))
        else:
            self._groups.go_to(t, tracks, table.at(now))
            self.last_epoch = t
            self._step_count += 1

    def _observed(self, metric: Any) -> tuple[Track, ...]:
        if not self.reactive:
            raise SchedulerError(
                f"only a schedule that reads metrics can observe {metric!r}; Plateau() is one."
            )
        tracks = self._groups.tracks
        return tuple(track.observed(self.last_epoch, metric) for track in tracks)

    def _warn_without_metric(self, t: int) -> None:
        for track in self._groups.tracks:
            if track.reactive and track.unmoved:
                warnings.warn(
                    f"the schedule of {track.what} reads a metric, but none came in {t} steps: "
                    "pass it with step(metric), or with observe(metric) where a trainer calls "
                    "step() by itself.",
                    UserWarning,
                    stacklevel=3,
                )

    def _update_lr(self, epoch: int | None = None) -> None:
        # By which torch's SequentialLR begins a child of its own.
        self._step_with(None, self.last_epoch + 1 if epoch is None else epoch, False)
        self._step_count -= 1


def _one_or_all(schedules: list[Schedule]) -> str:
    texts = list(dict.fromkeys(map(repr, schedules)))
    return texts[0] if len(texts) == 1 else f"[{', '.join(map(repr, schedules))}]"


def _step(value: Any) -> int | None:
    """``value`` as a step, or None where it is none."""
    step = whole(value)
    return None if step is None or step < 0 else step
