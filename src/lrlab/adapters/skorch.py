"""Schedules in skorch: a callback for ``fit``, and for searches over schedules.

For a single ``fit``, skorch's own callback works too:
``LRScheduler(policy=lrlab.LRScheduler, schedule="Warmup(5) >> Cosine(45)")``. It passes no metric
and does not know the length of the whole training.
"""

from collections.abc import Callable
from typing import Any

from lrlab.dialects import parse
from lrlab.errors import SchedulerError, format_suggestion, require_package
from lrlab.optim import LRScheduler

with require_package("skorch"):
    from skorch.callbacks import Callback

_METRIC_COLUMN = "event_metric"
"""The column for the values of a monitored function, which resuming needs."""
_SKIPPED_COLUMN = "event_skipped"
"""The column that marks batches whose step was skipped by mixed precision."""


class ScheduleCallback(Callback):
    """Schedules a net's optimizer, and records the used values in the net's history.

    The whole training, for percentages such as ``"10%"`` and primitives without a duration, is the
    epochs in the net's history when a fit begins plus the ``max_epochs`` of that fit. The current
    step is read from the history alone: ``partial_fit``, ``warm_start``, pickles and checkpoints
    (which must load the history) continue where they were, and ``fit`` starts at step 0. The base
    learning rates are those that the optimizer was built with: a new ``lr`` of the net takes effect
    at the next ``fit``.

    Args:
        schedule: a schedule or its text, which a search can vary:
            ``{"callbacks__schedule__schedule": ["Constant(1.0)", "Warmup(5) >> Cosine()"]}``.
        monitor: what a metric-driven schedule reads at the end of every epoch: a column of the
            history (by default the validation loss) or a function of the net. The callback that
            records it (this one, for a function) must come before ``Checkpoint``.
        step_every: whether the schedule steps every ``"epoch"``, as in skorch, or every ``"step"``
            of the optimizer.
        total_epochs: epochs of the whole training, if several fits share one schedule.
        momentum, weight_decay, betas, groups, hyperparameter_schedules: see ``LRScheduler``.

    Raises:
        SchedulerError: ``step_every`` is neither, or ``monitor`` is not a column of the history.
        ScheduleError: the text is not a schedule.

    The history gets the columns ``event_lr``, ``event_momentum``, ... (of epochs or batches), by
    the names of ``LRScheduler.get_logs()``.

    >>> import numpy as np, torch
    >>> from skorch import NeuralNetRegressor
    >>> callback = ScheduleCallback("Linear(1.0, 0.5)")
    >>> net = NeuralNetRegressor(
    ...     torch.nn.Linear, module__in_features=1, module__out_features=1, lr=0.1, max_epochs=4,
    ...     callbacks=[("schedule", callback)], train_split=None, verbose=0,
    ... )
    >>> x = np.ones((8, 1), dtype=np.float32)
    >>> [round(lr, 4) for lr in net.fit(x, x).history[:, "event_lr"]]
    [0.1, 0.0875, 0.075, 0.0625]
    """

    def __init__(
        self,
        schedule: Any,
        monitor: str | Callable[[Any], float] = "valid_loss",
        step_every: str = "epoch",
        total_epochs: int | None = None,
        momentum: Any = None,
        weight_decay: Any = None,
        betas: Any = None,
        groups: Any = None,
        **hyperparameter_schedules: Any,
    ) -> None:
        # scikit-learn copies a callback by its arguments, so they are stored unchanged.
        self.schedule = schedule
        self.monitor = monitor
        self.step_every = step_every
        self.total_epochs = total_epochs
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.betas = betas
        self.groups = groups
        self.__dict__.update(hyperparameter_schedules)
        self.scheduler_: Any = None

    def initialize(self) -> "ScheduleCallback":
        """Check the arguments, as skorch's callbacks do when their net is initialized."""
        if self.step_every not in ("epoch", "step"):
            raise SchedulerError(f'step_every must be "epoch" or "step", got {self.step_every!r}.')
        if isinstance(self.schedule, str):
            parse(self.schedule)
        self.scheduler_ = None
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return everything but the scheduler, which the next fit builds again."""
        return {**vars(self), "scheduler_": None}

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Drop the scheduler: the first epoch builds one, after all callbacks have loaded."""
        self.scheduler_ = None

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:
        """Build the scheduler in the first epoch of a fit, and advance it to the current step."""
        if self.scheduler_ is not None:
            return
        steps_every_batch = self.step_every == "step"
        steps_per_epoch = (
            len(net.get_iterator(dataset_train, training=True)) if steps_every_batch else 1
        )
        past_epochs = [
            (self._count_epoch_steps(epoch), epoch.get(self._metric_column))
            for epoch in net.history[:-1]
        ]
        steps_done = sum(steps for steps, _ in past_epochs)
        arguments = self.get_params(deep=False)
        for name in ("monitor", "step_every", "total_epochs"):
            del arguments[name]
        self.scheduler_ = scheduler = LRScheduler(
            net.optimizer_,
            **arguments,
            total_steps=steps_done + net.max_epochs * steps_per_epoch
            if self.total_epochs is None
            else self.total_epochs * steps_per_epoch,
            steps_per_epoch=steps_per_epoch,
        )
        if not scheduler.needs_metric:
            scheduler.step(epoch=steps_done)
            return
        for steps, metric in past_epochs:
            for _ in range(steps):
                scheduler.step(None if steps_every_batch else metric)
            if steps_every_batch and metric is not None:
                scheduler.observe(metric)

    def on_batch_end(self, net: Any, training: bool = True, **kwargs: Any) -> None:
        """Step the scheduler and record the values that the batch used."""
        if not training or self.step_every != "step":
            return
        accelerator = getattr(net, "accelerator", None)  # of skorch's AccelerateMixin
        skipped = accelerator is not None and accelerator.optimizer_step_was_skipped
        self.scheduler_.step(skipped=skipped)
        if skipped:
            net.history.record_batch(_SKIPPED_COLUMN, True)
        for name, value in self.scheduler_.get_logs().items():
            net.history.record_batch(f"event_{name}", value)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Read the metric, step the scheduler and record the values that the epoch used."""
        scheduler = self.scheduler_
        metric = self._read_metric(net) if scheduler.needs_metric else None
        if self.step_every == "epoch":
            scheduler.step(metric)
            for name, value in scheduler.get_logs().items():
                net.history.record(f"event_{name}", value)
        elif metric is not None:
            scheduler.observe(metric)

    @property
    def _metric_column(self) -> str:
        return self.monitor if isinstance(self.monitor, str) else _METRIC_COLUMN

    def _count_epoch_steps(self, epoch: dict[str, Any]) -> int:
        """Count the steps of an epoch in the history, even an interrupted one."""
        if self.step_every == "step":
            trained = [batch for batch in epoch["batches"] if "train_loss" in batch]
            return sum(_SKIPPED_COLUMN not in batch for batch in trained)
        return int("train_batch_count" in epoch)

    def _read_metric(self, net: Any) -> float:
        if callable(self.monitor):
            net.history.record(self._metric_column, float(self.monitor(net)))
        epoch = net.history[-1]
        if self._metric_column not in epoch:
            columns = sorted(set(epoch) - {"batches"})
            raise SchedulerError(
                f"monitor must be a column of the history, got {self._metric_column!r}"
                f"{format_suggestion(self._metric_column, columns)}: it has {', '.join(columns)}."
            )
        return float(epoch[self._metric_column])
