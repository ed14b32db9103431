"""The scheduler in transformers' Trainer: in its logs, and with its metrics.

The scheduler itself is passed as it is, ``Trainer(optimizers=(optimizer, scheduler), ...)``. Where
its schedule needs the number of steps, which only the Trainer knows, let the Trainer build it::

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
    """Logs every scheduled hyperparameter as used, and hands metrics to schedules that read one.

    With ``Trainer(callbacks=[ScheduleCallback()])``, whatever is logged of training has the values
    that the optimizer used last (``"lr"``, ``"momentum"``, ..., with several parameter groups
    ``"lr/0"`` or ``"lr/head"``) in the Trainer's ``state.log_history`` and on the screen. Callbacks
    that report, to TensorBoard for instance, come before it there and miss them; with
    ``ScheduleCallback().add_to(trainer)`` it comes first, and they get them too.

    Args:
        monitor: the metric that a reactive schedule reads whenever the Trainer evaluates;
            ``metric_for_best_model`` unless given, and without that ``"loss"``. As there,
            ``"eval_"`` may be left out.

    Raises:
        SchedulerError: as training begins, where the Trainer's scheduler is another's; as it goes
            on after an evaluation without the metric that the schedule reads.

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
        """Adds it to a Trainer in front of all other callbacks, so that they see what it logs."""
        trainer.callback_handler.callbacks.insert(0, self)

    def get_metric_name(self, args: TrainingArguments) -> str:
        """The metric that a reactive schedule reads, as evaluations name it."""
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
        """Checks whose scheduler it is, and whether it will get its metric."""
        if not isinstance(lr_scheduler, LRScheduler):
            raise SchedulerError(
                f"ScheduleCallback is for lrlab's scheduler, but the Trainer has a "
                f"{type(lr_scheduler).__name__}: say Trainer(optimizers=(optimizer, scheduler))."
            )
        if lr_scheduler.needs_metric and args.eval_strategy == "no":
            warnings.warn(
                "a schedule that reads a metric needs evaluations, but the Trainer makes none: say "
                'TrainingArguments(eval_strategy="epoch") and Trainer(eval_dataset=...).',
                UserWarning,
                stacklevel=2,
            )
        self._is_training = False
        self._metric_names.clear()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Checks that the evaluations since the last step, if any, had the metric.

        Not sooner, as evaluations on several data sets come one after the other, and each has its
        own metrics.
        """
        if self._metric_names and self.get_metric_name(args) not in self._metric_names:
            raise SchedulerError(
                f"the schedule reads {self.get_metric_name(args)!r}, which no evaluation gives: say "
                f"ScheduleCallback(monitor=...) with one of {', '.join(sorted(self._metric_names))}."
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
        """Hands the metric over, unless training has not begun or is over."""
        if not self._is_training or not lr_scheduler.reactive or metrics is None:
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
        """Adds what the optimizer used last to what is logged of training."""
        if logs is None or "learning_rate" not in logs:
            return  # of an evaluation, or the summary of the training
        used_values = lr_scheduler.logs()
        logs.update(used_values)
        state.log_history[-1].update(used_values)  # which has a copy of them already

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """No metric counts from here on."""
        self._is_training = False
