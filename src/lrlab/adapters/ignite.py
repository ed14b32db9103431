"""The scheduler on an Ignite trainer: stepped at one of its events, fed by one of its metrics.

Ignite's own handler, ``ignite.handlers.LRScheduler(scheduler)`` at ``Events.ITERATION_STARTED``,
gives the same rates and saves where they are, but schedules nothing else and reads no metric.
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
    """Calls ``scheduler.step()`` at every ``event`` of ``trainer``.

    The scheduler holds its own state: give it to Ignite's ``Checkpoint`` beside the optimizer.

    Args:
        scheduler: the scheduler of the optimizer that ``trainer`` steps.
        trainer: the engine that trains.
        event: one that fires after ``optimizer.step()``: every iteration unless told otherwise,
            ``Events.ITERATION_COMPLETED(every=4)`` where four batches make a step,
            ``Events.EPOCH_COMPLETED`` where the schedule counts epochs.
        metric: the name in ``state.states`` that a reactive schedule reads, and no other does.
        evaluator: the engine whose metric it is, read whenever a run of it completes; the trainer
            when left out, read at the end of its epochs. Metrics must be attached before.

    Raises:
        SchedulerError: ``event`` fires before ``optimizer.step()``; ``metric`` is left out for a
            schedule that reads one, or given to one that reads none; when it is to be read, no
            such metric is there.

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
            "attach takes lrlab's scheduler and then the engine, got "
            f"{type(scheduler).__name__} and {type(trainer).__name__}."
        )
    _check_event(event)
    if scheduler.needs_metric and metric is None:
        raise SchedulerError(
            "attach needs the metric that the schedule reads: say which with metric=..., and with "
            "evaluator=... where it is another engine's."
        )
    if metric is None and evaluator is not None:
        raise SchedulerError("attach reads nothing of an evaluator without metric=...: name it.")
    if metric is not None:
        if not scheduler.needs_metric:
            raise SchedulerError(
                f"the schedule must read a metric, such as Plateau(), to be given {metric!r}; "
                "leave metric out."
            )
        _attach_metric(scheduler, metric, trainer, evaluator)
    # After the metric: of an epoch's end the step comes last.
    trainer.add_event_handler(event, lambda: scheduler.step())


def _attach_metric(
    scheduler: LRScheduler, metric: str, trainer: Engine, evaluator: Engine | None
) -> None:
    def observe_metric(engine: Engine) -> None:
        metrics = engine.state.metrics
        if metric not in metrics:
            raise SchedulerError(
                f"the engine must have the metric {metric!r}, but has "
                f"{', '.join(map(repr, metrics)) or 'none'}{format_suggestion(metric, metrics)}: attach "
                "it to the engine before the scheduler."
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
                f"event must be one after optimizer.step(), got {name}, at which the schedule's "
                "first rate would be skipped: take Events.ITERATION_COMPLETED."
            )
