"""The common code of the adapters of both Lightning packages; it imports neither package."""

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
    """Build what ``configure_optimizers`` returns: the optimizer and a scheduler on it.

    Lightning then calls ``scheduler.step()`` once for every ``optimizer.step()``, with or without
    gradient accumulation, and saves and loads the scheduler's state with its checkpoints.

    Args:
        optimizer: the optimizer whose parameter groups are scheduled.
        schedule: schedule of the learning rate or its text, as ``LRScheduler`` takes it.
        trainer: ``self.trainer``, which knows the number of steps; required by metric-driven
            schedules too.
        interval: when to step the schedule: after every ``"step"`` of the optimizer, or every
            ``"epoch"``, Lightning's default, with which a schedule of thousands of steps would
            hardly begin.
        monitor: the logged metric that a metric-driven schedule reads, such as ``"val_loss"``. It
            is read after every validation, or without validation after every epoch. On several
            devices, log it with ``sync_dist=True``, so that all of them get the same value.
        name: prefix of the names that ``ScheduleCallback`` logs; none by default.
        total_steps, steps_per_epoch: calls of ``step()`` in the training and in an epoch; by
            default, what the trainer knows. Pass them with a ``GradientAccumulationScheduler``,
            which changes them during training.
        options: the other arguments of ``LRScheduler``.

    Returns:
        The dictionary that Lightning expects. Its ``frequency`` is always 1, because Lightning
        counts batches for it under accumulation; ``schedule.staircase(10)`` changes the learning
        rate less often.

    Raises:
        SchedulerError: ``interval`` is neither, or a metric-driven schedule has no ``monitor`` or
            no trainer with a ``ScheduleCallback``.
        ScheduleError: the schedule needs a number of steps that the trainer does not know, because
            the training has no end or the data has no length.

    Source: LightningModule.configure_optimizers, https://lightning.ai/docs/pytorch/stable/common/optimization.html

    >>> import torch
    >>> from lightning.pytorch import LightningModule
    >>> class Module(LightningModule):
    ...     def configure_optimizers(self):
    ...         optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
    ...         schedule = "Warmup('5%') >> Cosine()"
    ...         return configure_scheduler(optimizer, schedule, trainer=self.trainer)
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
        _check_metric_setup(scheduler, monitor, trainer)
    # Lightning would pass a metric after checkpoints are written, so that they miss it, and again
    # at every step until the next validation; the callback passes it once, before the checkpoint.
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
    """Calls of ``step()`` in the whole training and in an epoch; None if unknown."""

    total_steps: int | None
    steps_per_epoch: int | None


def _get_step_counts(trainer: Any, interval: str) -> _StepCounts:
    """Read the numbers of steps from the trainer, which accounts for accumulation and devices."""
    if trainer.train_dataloader is None:
        trainer.fit_loop.setup_data()  # the next line does it too, except for endless training
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
    """Turn Lightning's inf and -1, which mean no end, into None."""
    return int(count) if 0 < count < math.inf else None


def _check_metric_setup(scheduler: LRScheduler, monitor: str | None, trainer: Any) -> None:
    if monitor is None:
        raise SchedulerError(
            f"{scheduler} reads a metric: pass its name as monitor=..., such as 'val_loss'."
        )
    if not any(
        isinstance(callback, ScheduleHooks) for callback in getattr(trainer, "callbacks", ())
    ):
        raise SchedulerError(
            f"{scheduler} reads a metric, which a callback must pass: use "
            "Trainer(callbacks=[ScheduleCallback()]) and "
            "configure_scheduler(..., trainer=self.trainer)."
        )


class ScheduleHooks:
    """The callback without its base class, which differs between the two packages."""

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Optimizer) -> None:
        """Log every scheduled hyperparameter as the optimizer uses it now."""
        # These private names are those that Lightning's LearningRateMonitor uses. self.log would
        # take half a millisecond per value, even at steps that are not logged.
        if not trainer.loggers or not trainer._logger_connector.should_update_logs:
            return
        values: dict[str, float] = {}
        for prefix, config in _list_scheduler_configs(trainer):
            if config.scheduler.optimizer is optimizer:
                logs = config.scheduler.get_logs(next_step=True)
                values |= {prefix + name: value for name, value in logs.items()}
        if values:
            for logger in trainer.loggers:
                logger.log_metrics(values, step=trainer.fit_loop.epoch_loop._batches_that_stepped)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Pass metrics to the schedulers."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._pass_metrics(trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Pass metrics to the schedulers if there is no validation."""
        if not trainer.enable_validation:
            self._pass_metrics(trainer)

    def _pass_metrics(self, trainer: Any) -> None:
        for _, config in _list_scheduler_configs(trainer):
            # With reduce_on_plateau, Lightning itself passes the metric by step(metric).
            scheduler = config.scheduler
            if config.monitor is None or config.reduce_on_plateau or not scheduler.needs_metric:
                continue
            if config.monitor not in trainer.callback_metrics:
                raise SchedulerError(
                    f"the schedule reads {config.monitor!r}, which has not been logged: log it, or "
                    f"monitor one of {', '.join(trainer.callback_metrics) or '(none)'}."
                )
            scheduler.observe(float(trainer.callback_metrics[config.monitor]))


def _list_scheduler_configs(trainer: Any) -> list[tuple[str, Any]]:
    """List Lightning's config of each lrlab scheduler, with the prefix of its logs."""
    configs = [c for c in trainer.lr_scheduler_configs if isinstance(c.scheduler, LRScheduler)]
    names = [c.name or (str(i) if len(configs) > 1 else "") for i, c in enumerate(configs)]
    return [(f"{name}/" if name else "", c) for name, c in zip(names, configs, strict=True)]
