"""The scheduler in an Ignite trainer: steps it at one of its events and passes it a metric.

Ignite's own handler, ``ignite.handlers.LRScheduler(scheduler)`` at ``Events.ITERATION_STARTED``,
gives the same learning rates and saves its state, but schedules nothing else and passes no metric.
"""

from typing import Any

from lrlab.errors import SchedulerError, format_suggestion, require_package
from lrlab.optim import LRScheduler

with require_package("pytorch-ignite"):
    from ignite.engine import Engine, Events
    from ignite.engine.events import EventsList


def attach(
    scheduler: LRScheduler,
    trainer: Engine,
    event: Any = Events.ITERATION_COMPLETED,
    *,
    metric: str | None = None,
    evaluator: Engine | None = None,
) -> None:
    """Call ``scheduler.step()`` at every ``event`` of ``trainer``.

    To save its state, pass the scheduler to Ignite's ``Checkpoint`` together with the optimizer.

    Args:
        scheduler: the scheduler of the optimizer that ``trainer`` steps.
        trainer: the engine that trains.
        event: an event after ``optimizer.step()``: by default, every iteration;
            ``Events.ITERATION_COMPLETED(every=4)`` if four batches make a step;
            ``Events.EPOCH_COMPLETED`` if the schedule counts epochs.
        metric: name in ``state.metrics`` of the metric that a metric-driven schedule reads.
        evaluator: the engine that computes the metric, read whenever a run of it completes; by
            default the trainer, read at the end of its epochs. Attach metrics to it first.

    Raises:
        SchedulerError: ``event`` comes before ``optimizer.step()``; ``metric`` is missing for a
            metric-driven schedule, or given for another; or, in training, the engine lacks it.

    >>> import torch
    >>> from ignite.engine import Engine
    >>> from lrlab import Linear, LRScheduler
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> def update(engine, batch):
    ...     optimizer.step()
    ...     print(f"{optimizer.param_groups[0]['lr']:.3f}")
    >>> trainer = Engine(update)
    >>> attach(LRScheduler(optimizer, Linear(1.0, 0.6), total_steps=4), trainer)
    >>> _ = trainer.run(range(2), max_epochs=2)
    0.100
    0.090
    0.080
    0.070
    """
    if not isinstance(scheduler, LRScheduler) or not isinstance(trainer, Engine):
        raise SchedulerError(
            "attach takes lrlab's scheduler and then the trainer's engine, got "
            f"{type(scheduler).__name__} and {type(trainer).__name__}."
        )
    _check_event(event)
    if scheduler.needs_metric and metric is None:
        raise SchedulerError(
            "attach needs the metric that the schedule reads: pass its name as metric=..., and "
            "evaluator=... if another engine has it."
        )
    if metric is None and evaluator is not None:
        raise SchedulerError("attach needs metric=... to read from an evaluator: pass its name.")
    if metric is not None:
        if not scheduler.needs_metric:
            raise SchedulerError(
                f"metric must be left out for a schedule that reads none, got {metric!r}; "
                "Plateau() reads one."
            )
        _attach_metric(scheduler, metric, trainer, evaluator)
    # After the metric, so that at the end of an epoch the step comes last.
    trainer.add_event_handler(event, lambda: scheduler.step())


def _attach_metric(
    scheduler: LRScheduler, metric: str, trainer: Engine, evaluator: Engine | None
) -> None:
    def observe_metric(engine: Engine) -> None:
        metrics = engine.state.metrics
        if metric not in metrics:
            raise SchedulerError(
                f"the engine must have the metric {metric!r}, but has "
                f"{', '.join(map(repr, metrics)) or 'none'}{format_suggestion(metric, metrics)}: "
                "attach it to the engine before the scheduler."
            )
        scheduler.observe(metrics[metric])

    if evaluator is None:
        trainer.add_event_handler(Events.EPOCH_COMPLETED, observe_metric)
    else:
        evaluator.add_event_handler(Events.COMPLETED, observe_metric)


def _check_event(event: Any) -> None:
    for single_event in event if isinstance(event, EventsList) else (event,):
        name = getattr(single_event, "name", str(single_event))
        if name.endswith("STARTED"):
            raise SchedulerError(
                f"event must come after optimizer.step(), got {name}, which would skip the first "
                "learning rate: use Events.ITERATION_COMPLETED."
            )
