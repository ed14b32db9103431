"""Schedules on a fastai Learner, through fastai's own ``ParamScheduler``."""

from collections.abc import Callable, Sequence
from typing import Any

from lrlab.adapters._reading import plain
from lrlab.errors import SchedulerError, did_you_mean, needs

Hyper = float | list[float]
"""A hyperparameter: one value, or one for each parameter group."""


def curve(
    schedule: Any,
    base: float | Sequence[float],
    *,
    total_steps: int,
    steps_per_epoch: int | None = None,
) -> Callable[[float], Hyper]:
    """The function of the share of the training that ``ParamScheduler`` calls before each batch.

    Args:
        schedule: a schedule or its text; a step of it is a batch.
        base: the value that levels are factors of, or one for each parameter group.
        total_steps: batches in the whole training, ``len(learn.dls.train) * n_epoch``.
        steps_per_epoch: batches in one epoch; needed by durations such as ``"5ep"``.

    Raises:
        SchedulerError: ``schedule`` is none, or reads a metric.
        ScheduleError: ``total_steps`` is not above 0, ``base`` is no rate, or the schedule needs
            ``steps_per_epoch``.

    >>> rate = curve("Warmup('10%') >> Cosine()", 0.1, total_steps=50)
    >>> [round(rate(batch / 50), 4) for batch in (0, 1, 5, 49)]
    [0.0167, 0.0333, 0.1, 0.0001]
    """
    bound = plain(schedule, "fastai's ParamScheduler", total_steps, steps_per_epoch)

    def value(share: float) -> Hyper:
        # fastai adds up 1 / total_steps, whose last bits are off: the nearest batch is meant.
        step = round(share * total_steps)
        if isinstance(base, Sequence):
            return [bound(step, base=own) for own in base]
        return bound(step, base=base)

    value(0.0)  # what is wrong with base is told now, not in the first batch
    return value


def fit(
    learn: Any,
    n_epoch: int,
    lr: Any,
    *,
    lr_max: Any = None,
    cbs: Any = None,
    start_epoch: int = 0,
    **others: Any,
) -> None:
    """Trains as ``learn.fit_one_cycle`` does, by any schedule.

    Args:
        learn: a fastai ``Learner``.
        n_epoch: epochs of the whole training.
        lr: the schedule of the rate, or its text; a step is a batch.
        lr_max: the base rate, or a slice or list of them for the parameter groups, as fastai has
            it; the Learner's own when left out.
        cbs: further callbacks.
        start_epoch: the first epoch not to skip, where training goes on.
        others: schedules of other hyperparameters by fastai's names (``mom``, ``wd``, ...), whose
            levels are factors of the optimizer's value, which it has again afterwards.

    Raises:
        MissingExtra: fastai is not installed.
        SchedulerError: one of them is no schedule or reads a metric, or the optimizer has no such
            hyperparameter.
        ScheduleError: a text cannot be read, or a schedule gives no rate.

    ``fit(learn, 5, "Warmup('10%') >> Cosine()", lr_max=1e-3)`` trains a Learner for five epochs.
    """
    with needs("fastai"):
        from fastai.callback.schedule import ParamScheduler
        from fastcore.foundation import L
    if learn.opt is None:
        learn.create_opt()
    learn.opt.set_hyper("lr", learn.lr if lr_max is None else lr_max)
    if learn.wd is not None:
        learn.opt.set_hyper("wd", learn.wd)  # as learn.fit will
    batches = len(learn.dls.train)
    bases = {name: _base(learn.opt.hypers, name) for name in ("lr", *others)}
    curves = {
        name: curve(schedule, bases[name], total_steps=n_epoch * batches, steps_per_epoch=batches)
        for name, schedule in {"lr": lr, **others}.items()
    }
    try:
        learn.fit(n_epoch, cbs=[ParamScheduler(curves), *L(cbs)], start_epoch=start_epoch)
    finally:
        for name in others:
            learn.opt.set_hyper(name, bases[name])


def _base(hypers: list[dict[str, Any]], name: str) -> list[float]:
    for group in hypers:
        if name not in group:
            raise SchedulerError(
                f"the optimizer has no hyperparameter {name!r}{did_you_mean(name, group)}: it has "
                f"{', '.join(group)}."
            )
    return [group[name] for group in hypers]
