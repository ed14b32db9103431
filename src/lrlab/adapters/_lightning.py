"""What both names of Lightning have in common; it imports neither of them."""

import math
from typing import Any, Literal, NamedTuple

from torch.optim import Optimizer

from lrlab.dialects.building_blocks import LrAndMomentum
from lrlab.errors import SchedulerError
from lrlab.optim import LRScheduler
from lrlab.schedules import Schedule


def configure_scheduler(
    optimizer: Optimizer,
    schedule: Schedule | LrAndMomentum | str,
    *,
    trainer: Any = None,
    interval: Literal["step", "epoch"] = "step",
    monitor: str | None = None,
    name: str | None = None,
    total_steps: int | None = None,
    steps_per_epoch: int | None = None,
    **options: Any,
) -> dict[str, Any]:
    """What ``configure_optimizers`` returns: the optimizer, and a schedule on it.

    Lightning then calls ``scheduler.step()`` once for every ``optimizer.step()``, gradient
    accumulation or not, and saves and loads its state with its checkpoints.

    Args:
        optimizer: whose parameter groups are scheduled.
        schedule: of the rate, as ``LRScheduler`` takes it; or its text.
        trainer: ``self.trainer``, which knows how many steps the training has; needed by a
            schedule that reads a metric too.
        interval: how often the schedule is stepped: every ``"step"`` of the optimizer, or every
            ``"epoch"``. Lightning's own default is the epoch, at which a schedule of thousands of
            steps hardly begins.
        monitor: the logged metric that a reactive schedule reads, ``"val_loss"`` for instance. It
            is seen whenever a validation ends, and without validation whenever an epoch does. On
            several devices log it with ``sync_dist=True``, so that all of them see the same.
        name: begins the names under which ``ScheduleCallback`` logs; left out, nothing does.
        total_steps, steps_per_epoch: calls of ``step()`` in the training and in an epoch, as the
            trainer knows them unless given; give them under a ``GradientAccumulationScheduler``,
            which changes them as it goes.
        options: the other arguments of ``LRScheduler``.

    Returns:
        The dictionary that Lightning expects. Its ``frequency`` stays 1, as under accumulation
        Lightning counts batches for it; ``schedule.staircase(10)`` changes a rate more rarely.

    Raises:
        SchedulerError: ``interval`` is neither, or a reactive schedule has no ``monitor``, or no
            trainer with a ``ScheduleCallback``, which hands it over.
        ScheduleError: the schedule needs a number of steps that the trainer does not know, because
            it has no end or its data no length.

    Source: LightningModule.configure_optimizers, https://lightning.ai/docs/pytorch/stable/common/optimization.html

    >>> import torch
    >>> from lightning.pytorch import LightningModule
    >>> class Module(LightningModule):
    ...     def configure_optimizers(self):
    ...         optimizer = torch.optim.SGD(self.list_parameters(), lr=0.1)
    ...         return configure_scheduler(optimizer, "Warmup('5%') >> Cosine()", trainer=self.trainer)
    """
    if interval not in ("step", "epoch"):
        raise SchedulerError(f'interval must be "step" or "epoch", got {interval!r}.')
    counts = _StepCounts(None, None) if trainer is None else _get_step_counts(trainer, interval)
    scheduler = LRScheduler(
        optimizer,
        schedule,
        total_steps=counts.total_steps if total_steps is None else total_steps,
        steps_per_epoch=counts.steps_per_epoch if steps_per_epoch is None else steps_per_epoch,
        **options,
    )
    if scheduler.needs_metric:
        _check_metrics_arrive(scheduler, monitor, trainer)
    # Lightning itself hands a metric over after checkpoints are written, so that they miss it, and
    # again at every step until the next validation; the callback does so once and in time.
    return {
        "optimizer": optimizer,
        "lr_scheduler": {
            "scheduler": scheduler,
            "interval": interval,
            "frequency": 1,
            "name": name,
            **({"reduce_on_plateau": False, "monitor": monitor} if scheduler.needs_metric else {}),
        },
    }


class _StepCounts(NamedTuple):
    """Calls of ``step()`` in the whole training and in an epoch; None where there is no telling."""

    total_steps: int | None
    steps_per_epoch: int | None


def _get_step_counts(trainer: Any, interval: str) -> _StepCounts:
    """As the trainer knows them, accumulation and devices accounted for."""
    if trainer.train_dataloader is None:
        trainer.fit_loop.setup_data()  # as the next line does, but not in training without end
    total_steps = _to_finite(trainer.estimated_stepping_batches)
    batches = _to_finite(trainer.num_training_batches)
    steps_per_epoch = (
        None if batches is None else math.ceil(batches / trainer.accumulate_grad_batches)
    )
    if interval == "step":
        return _StepCounts(total_steps, steps_per_epoch)
    if total_steps is not None and steps_per_epoch is not None:
        return _StepCounts(math.ceil(total_steps / steps_per_epoch), 1)
    return _StepCounts(_to_finite(trainer.max_epochs), 1)


def _to_finite(count: float) -> int | None:
    """A count of Lightning's, which writes inf or -1 where there is no end."""
    return int(count) if 0 < count < math.inf else None


def _check_metrics_arrive(scheduler: LRScheduler, monitor: str | None, trainer: Any) -> None:
    if monitor is None:
        raise SchedulerError(
            f"{scheduler} reads a metric: say which with monitor=..., such as 'val_loss'."
        )
    if not any(
        isinstance(callback, ScheduleHooks) for callback in getattr(trainer, "callbacks", ())
    ):
        raise SchedulerError(
            f"{scheduler} reads a metric, which a callback must hand over: say "
            "Trainer(callbacks=[ScheduleCallback()]) and config(..., trainer=self.trainer)."
        )


class ScheduleHooks:
    """The callback without its base class, which differs between the two names of Lightning."""

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Optimizer) -> None:
        """Logs every scheduled hyperparameter as the optimizer uses it now."""
        # Both of Lightning's inner names as its LearningRateMonitor has them. Not through self.log,
        # which takes half a millisecond for each value, whether it is written at this step or not.
        if not trainer.loggers or not trainer._logger_connector.should_update_logs:
            return
        values: dict[str, float] = {}
        for prefix, config in _list_scheduler_configs(trainer):
            if config.scheduler.optimizer is optimizer:
                logs = config.scheduler.logs(next=True)
                values |= {prefix + name: value for name, value in logs.items()}
        if values:
            for logger in trainer.loggers:
                logger.log_metrics(values, step=trainer.fit_loop.epoch_loop._batches_that_stepped)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Hands metrics over."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._pass_metrics(trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Hands metrics over where no validation does."""
        if not trainer.enable_validation:
            self._pass_metrics(trainer)

    def _pass_metrics(self, trainer: Any) -> None:
        for _, config in _list_scheduler_configs(trainer):
            # Where it is to reduce on plateaus, Lightning hands the metric over by step(metric).
            if config.monitor is None or config.reduce_on_plateau or not config.scheduler.reactive:
                continue
            if config.monitor not in trainer.callback_metrics:
                raise SchedulerError(
                    f"the schedule reads {config.monitor!r}, which is not logged by now: log it, "
                    f"or monitor one of {', '.join(trainer.callback_metrics) or '(none)'}."
                )
            config.scheduler.observe(float(trainer.callback_metrics[config.monitor]))


def _list_scheduler_configs(trainer: Any) -> list[tuple[str, Any]]:
    """Lightning's entry of each of our schedulers, and how the names of its logs begin."""
    configs = [c for c in trainer.lr_scheduler_configs if isinstance(c.scheduler, LRScheduler)]
    names = [c.name or (str(i) if len(configs) > 1 else "") for i, c in enumerate(configs)]
    return [(f"{name}/" if name else "", c) for name, c in zip(names, configs, strict=True)]
