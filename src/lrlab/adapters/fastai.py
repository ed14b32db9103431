"""Schedules in fastai: ``fit`` for a Learner, and functions for its ``ParamScheduler``."""

from collections.abc import Callable, Sequence
from typing import Any

from lrlab.adapters._binding import bind_schedule
from lrlab.errors import SchedulerError, format_suggestion, require_package

HyperValue = float | list[float]
"""A hyperparameter: one value, or one for each parameter group."""


def to_function(
    schedule: Any,
    base: float | Sequence[float],
    *,
    total_steps: int,
    steps_per_epoch: int | None = None,
) -> Callable[[float], HyperValue]:
    """Return a function of the fraction of training, which ``ParamScheduler`` calls every batch.

    Args:
        schedule: a schedule or its text; one step is a batch.
        base: the base value, or one for each parameter group.
        total_steps: batches in the whole training, ``len(learn.dls.train) * n_epoch``.
        steps_per_epoch: batches in one epoch; needed by durations such as ``"5ep"``.

    Raises:
        SchedulerError: ``schedule`` is not a schedule, or is metric-driven.
        ScheduleError: ``total_steps`` is not above 0, ``base`` is not a learning rate, or the
            schedule needs ``steps_per_epoch``.

    >>> get_lr = to_function("Warmup('10%') >> Cosine()", 0.1, total_steps=50)
    >>> [round(get_lr(batch / 50), 4) for batch in (0, 1, 5, 49)]
    [0.0167, 0.0333, 0.1, 0.0001]
    """
    bound = bind_schedule(schedule, "fastai's ParamScheduler", total_steps, steps_per_epoch)

    def get_value(fraction: float) -> HyperValue:
        # fastai sums up 1 / total_steps, so the last bits are off: round to the nearest batch.
        step = round(fraction * total_steps)
        if isinstance(base, Sequence):
            return [bound(step, base=group_base) for group_base in base]
        return bound(step, base=base)

    get_value(0.0)  # a wrong base fails now, not in the first batch
    return get_value


def fit(
    learn: Any,
    n_epoch: int,
    lr: Any,
    *,
    lr_max: Any = None,
    cbs: Any = None,
    start_epoch: int = 0,
    **hyperparameter_schedules: Any,
) -> None:
    """Train as ``learn.fit_one_cycle`` does, with any schedule.

    Args:
        learn: a fastai ``Learner``.
        n_epoch: epochs of the whole training.
        lr: schedule of the learning rate, or its text; one step is a batch.
        lr_max: the base learning rate, or a slice or list of them for the parameter groups, as in
            fastai; the Learner's own by default.
        cbs: further callbacks.
        start_epoch: epochs to skip, to resume training.
        hyperparameter_schedules: schedules of other hyperparameters by fastai's names (``mom``,
            ``wd``, ...). Levels are factors of the optimizer's value, which is restored afterwards.

    Raises:
        MissingExtra: fastai is not installed.
        SchedulerError: something is not a schedule or is metric-driven, or the optimizer has no
            such hyperparameter.
        ScheduleError: a text is not a schedule, or a schedule has no value at some step.

    ``fit(learn, 5, "Warmup('10%') >> Cosine()", lr_max=1e-3)`` trains a Learner for five epochs.
    """
    with require_package("fastai"):
        from fastai.callback.schedule import ParamScheduler
        from fastcore.foundation import L
    if learn.opt is None:
        learn.create_opt()
    learn.opt.set_hyper("lr", learn.lr if lr_max is None else lr_max)
    if learn.wd is not None:
        learn.opt.set_hyper("wd", learn.wd)  # as learn.fit will
    batches = len(learn.dls.train)
    bases = {name: _get_bases(learn.opt.hypers, name) for name in ("lr", *hyperparameter_schedules)}
    functions = {
        name: to_function(
            schedule, bases[name], total_steps=n_epoch * batches, steps_per_epoch=batches
        )
        for name, schedule in {"lr": lr, **hyperparameter_schedules}.items()
    }
    try:
        learn.fit(n_epoch, cbs=[ParamScheduler(functions), *L(cbs)], start_epoch=start_epoch)
    finally:
        for name in hyperparameter_schedules:
            learn.opt.set_hyper(name, bases[name])


def _get_bases(hypers: list[dict[str, Any]], name: str) -> list[float]:
    for group in hypers:
        if name not in group:
            raise SchedulerError(
                f"the optimizer has no hyperparameter {name!r}{format_suggestion(name, group)}: it "
                f"has {', '.join(group)}."
            )
    return [group[name] for group in hypers]
