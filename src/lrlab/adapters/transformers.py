"""The scheduler in transformers' Trainer: a callback for its logs and metrics.

Pass the scheduler itself as ``Trainer(optimizers=(optimizer, scheduler), ...)``. If its schedule
needs the number of steps, which only the Trainer knows, let the Trainer build it::

    class MyTrainer(Trainer):
        def create_scheduler(self, num_training_steps, optimizer=None):
            schedule = Warmup("5%") >> Cosine()
            self.lr_scheduler = LRScheduler(
                optimizer or self.optimizer, schedule, total_steps=num_training_steps
            )
            return self.lr_scheduler
"""

import warnings
from typing import Any

from lrlab.errors import SchedulerError, require_package
from lrlab.optim import LRScheduler

with require_package("'transformers[torch]'"):
    from transformers import (
        Trainer,
        TrainerCallback,
        TrainerControl,
        TrainerState,
        TrainingArguments,
    )


class ScheduleCallback(TrainerCallback):
    """Logs scheduled hyperparameters as used, and passes metrics to metric-driven schedules.

    With ``Trainer(callbacks=[ScheduleCallback()])``, the training logs in ``state.log_history`` and
    on the screen have the values that the optimizer used last (``"lr"``, ``"momentum"``, ..., with
    several parameter groups ``"lr/0"`` or ``"lr/head"``). Callbacks that report, for instance to
    TensorBoard, then come before it and miss the values; ``ScheduleCallback().add_to(trainer)``
    puts it first, so that they get them too.

    Args:
        monitor: the metric that a metric-driven schedule reads whenever the Trainer evaluates; by
            default ``metric_for_best_model``, or ``"loss"`` without that. ``"eval_"`` may be
            omitted, as there.

    Raises:
        SchedulerError: when training begins, if the Trainer's scheduler is not lrlab's; during
            training, if an evaluation lacks the metric that the schedule reads.

    >>> from transformers import TrainingArguments
    >>> callback = ScheduleCallback(monitor="accuracy")
    >>> callback.get_metric_name(TrainingArguments(report_to="none"))
    'eval_accuracy'
    """

    def __init__(self, monitor: str | None = None) -> None:
        self.monitor = monitor
        self._is_training = False
        self._metric_names: set[str] = set()

    def add_to(self, trainer: Trainer) -> None:
        """Add it to a Trainer before all other callbacks, so that they see its values."""
        trainer.callback_handler.callbacks.insert(0, self)

    def get_metric_name(self, args: TrainingArguments) -> str:
        """Return the evaluation's name of the metric that a metric-driven schedule reads."""
        name = self.monitor or args.metric_for_best_model or "loss"
        return name if name.startswith("eval_") else f"eval_{name}"

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        lr_scheduler: Any = None,
        **kwargs: Any,
    ) -> None:
        """Check that the scheduler is lrlab's, and that it will get its metric."""
        if not isinstance(lr_scheduler, LRScheduler):
            raise SchedulerError(
                f"ScheduleCallback is for lrlab's scheduler, but the Trainer has a "
                f"{type(lr_scheduler).__name__}: use Trainer(optimizers=(optimizer, scheduler))."
            )
        if lr_scheduler.needs_metric and args.eval_strategy == "no":
            warnings.warn(
                "a metric-driven schedule needs evaluations, but the Trainer makes none: use "
                'TrainingArguments(eval_strategy="epoch") and Trainer(eval_dataset=...).',
                UserWarning,
                stacklevel=2,
            )
        self._is_training = False
        self._metric_names.clear()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Check that the evaluations since the last step, if any, had the metric.

        This is not checked earlier, because an evaluation on several data sets reports one set of
        metrics after another.
        """
        if self._metric_names and self.get_metric_name(args) not in self._metric_names:
            raise SchedulerError(
                f"the schedule reads {self.get_metric_name(args)!r}, which no evaluation reports: "
                "use ScheduleCallback(monitor=...) with one of "
                f"{', '.join(sorted(self._metric_names))}."
            )
        self._metric_names.clear()
        self._is_training = True

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        lr_scheduler: Any = None,
        **kwargs: Any,
    ) -> None:
        """Pass the metric to the scheduler, during training only."""
        if not self._is_training or not lr_scheduler.needs_metric or metrics is None:
            return
        self._metric_names.update(metrics)
        if self.get_metric_name(args) in metrics:
            lr_scheduler.observe(metrics[self.get_metric_name(args)])

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        lr_scheduler: Any = None,
        **kwargs: Any,
    ) -> None:
        """Add the values that the optimizer used last to the logs of training."""
        if logs is None or "learning_rate" not in logs:
            return  # the logs are of an evaluation, or the summary of the training
        used_values = lr_scheduler.get_logs()
        logs.update(used_values)
        state.log_history[-1].update(used_values)  # it has a copy of the logs already

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Ignore metrics from now on."""
        self._is_training = False
