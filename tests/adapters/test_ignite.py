"""The scheduler in real Ignite engines: what the optimizer used at each of its steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint, DiskSaver
from ignite.handlers import LRScheduler as IgniteScheduler
from ignite.metrics import Average

from lrlab import Cosine, LRScheduler, Plateau, Schedule, Warmup
from lrlab.adapters.ignite import attach
from lrlab.errors import SchedulerError
from tests.raising import raises

BASES = (0.1, 1.0)
SCHEDULE = Warmup("25%") >> Cosine()
BATCHES, EPOCHS = 4, 3
STEPS = BATCHES * EPOCHS
LOSSES = [1.0, 0.9, 0.9, 0.9, 0.5, 0.6]

pytestmark = pytest.mark.integration


class Training:
    """A model, its optimizer with two groups, and a trainer that records the learning rates."""

    def __init__(self, accumulate: int = 1) -> None:
        torch.manual_seed(0)
        self.model = torch.nn.Linear(2, 1)
        groups = zip([[self.model.weight], [self.model.bias]], BASES, strict=True)
        self.optimizer = torch.optim.SGD([{"params": p, "lr": lr} for p, lr in groups])
        self.used: list[list[float]] = []
        self.optimizer.register_step_pre_hook(self._record)
        self.accumulate = accumulate
        self.trainer = Engine(self._update)

    def _record(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        self.used.append([float(group["lr"]) for group in optimizer.param_groups])

    def _update(self, engine: Engine, batch: Any) -> None:
        self.model(torch.ones(1, 2)).sum().backward()
        if engine.state.iteration % self.accumulate == 0:
            self.optimizer.step()
            self.optimizer.zero_grad()

    def run(self, epochs: int = EPOCHS) -> list[list[float]]:
        self.trainer.run(range(BATCHES), max_epochs=epochs)
        return self.used


def compute_lrs(schedule: Schedule, steps: int, each: int = 1) -> list[list[float]]:
    return [[schedule(t // each, base=base) for base in BASES] for t in range(steps)]


@pytest.mark.parametrize(
    ("event", "accumulate", "steps", "each"),
    [
        (Events.ITERATION_COMPLETED, 1, STEPS, 1),
        (Events.ITERATION_COMPLETED(every=2), 2, STEPS // 2, 1),
        (Events.EPOCH_COMPLETED, 1, EPOCHS, BATCHES),
    ],
    ids=["iterations", "accumulated", "epochs"],
)
def test_each_optimizer_step_uses_the_schedules_lr(
    event: Any, accumulate: int, steps: int, each: int
) -> None:
    training = Training(accumulate)
    attach(LRScheduler(training.optimizer, SCHEDULE, total_steps=steps), training.trainer, event)
    assert training.run() == compute_lrs(SCHEDULE.bind(total_steps=steps), steps * each, each)


def make_evaluator(trainer: Engine) -> Engine:
    """Build an engine with the metric "loss", run after each epoch of ``trainer``."""
    evaluator = Engine(lambda engine, batch: LOSSES[trainer.state.epoch - 1])
    Average().attach(evaluator, "loss")
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run([0]))
    return evaluator


def compute_metric_driven_lrs(
    schedule: Schedule, steps_per_epoch: int, first: int
) -> list[list[float]]:
    """Use the pure state machine: ``first`` steps of an epoch, the metric, the other steps."""
    state, t, used = [schedule.init_state()] * 2, 0, []
    for loss in LOSSES:
        for i in range(steps_per_epoch):
            if i == first:
                state = [
                    schedule.update_state(s, t, loss, b) for s, b in zip(state, BASES, strict=True)
                ]
            used.append([schedule.with_state(s)(t, b) for s, b in zip(state, BASES, strict=True)])
            t += 1
        if first == steps_per_epoch:
            state = [
                schedule.update_state(s, t, loss, b) for s, b in zip(state, BASES, strict=True)
            ]
    return used


def test_an_evaluators_metric_changes_a_metric_driven_schedule() -> None:
    schedule = Warmup(5) >> Plateau(0.5, patience=0)
    training = Training()
    scheduler = LRScheduler(training.optimizer, schedule)
    evaluator = make_evaluator(training.trainer)
    attach(scheduler, training.trainer, metric="loss", evaluator=evaluator)
    used = training.run(len(LOSSES))
    assert used == compute_metric_driven_lrs(schedule, BATCHES, BATCHES)
    assert [lrs[0] for lrs in used[::BATCHES]] == pytest.approx(
        [0.1 / 6, 0.1 * 5 / 6, 0.1, 0.05, 0.025, 0.025]
    )


@pytest.mark.parametrize("evaluator_first", [True, False])
def test_steps_per_epoch_use_the_metric_in_any_order_of_handlers(evaluator_first: bool) -> None:
    training = Training()
    scheduler = LRScheduler(training.optimizer, Plateau(0.5, patience=0))
    evaluator = Engine(lambda engine, batch: LOSSES[training.trainer.state.epoch - 1])
    Average().attach(evaluator, "loss")
    handlers: list[Callable[[], Any]] = [
        lambda: training.trainer.add_event_handler(
            Events.EPOCH_COMPLETED, lambda: evaluator.run([0])
        ),
        lambda: attach(
            scheduler, training.trainer, Events.EPOCH_COMPLETED, metric="loss", evaluator=evaluator
        ),
    ]
    for add in handlers if evaluator_first else reversed(handlers):
        add()
    first = [lrs[0] for lrs in training.run(len(LOSSES))[::BATCHES]]
    assert first == [0.1, 0.1, 0.1, 0.05, 0.025, 0.025]


def test_the_trainers_own_metric_is_read_at_the_end_of_its_epochs() -> None:
    training = Training()
    average = Average(output_transform=lambda _: LOSSES[training.trainer.state.epoch - 1])
    average.attach(training.trainer, "loss")
    scheduler = LRScheduler(training.optimizer, Plateau(0.5, patience=0))
    attach(scheduler, training.trainer, metric="loss")
    first = [lrs[0] for lrs in training.run(len(LOSSES))[::BATCHES]]
    assert first == [0.1, 0.1, 0.1, 0.05, 0.025, 0.025]


def test_a_checkpoint_of_ignite_resumes_it(tmp_path: Path) -> None:
    schedule = (Warmup(3) >> Cosine(21)) * Plateau(0.5, patience=0)

    def prepare() -> tuple[Training, dict[str, Any]]:
        training = Training()
        scheduler = LRScheduler(training.optimizer, schedule)
        attach(
            scheduler, training.trainer, metric="loss", evaluator=make_evaluator(training.trainer)
        )
        return training, {
            "trainer": training.trainer,
            "optimizer": training.optimizer,
            "scheduler": scheduler,
        }

    whole = prepare()[0].run(len(LOSSES))
    first_run, saved = prepare()
    checkpoint = Checkpoint(saved, DiskSaver(tmp_path, create_dir=False))
    first_run.trainer.add_event_handler(Events.EPOCH_COMPLETED(once=4), checkpoint)
    first_run.run(5)
    resumed, loaded = prepare()
    Checkpoint.load_objects(
        loaded, torch.load(tmp_path / checkpoint.last_checkpoint, weights_only=True)
    )
    assert resumed.run(len(LOSSES)) == whole[4 * BATCHES :]


def test_ignites_own_handler_uses_the_schedules_lrs_and_saves_the_state() -> None:
    schedule = SCHEDULE.bind(total_steps=STEPS)

    def prepare() -> tuple[Training, IgniteScheduler]:
        training = Training()
        handler = IgniteScheduler(LRScheduler(training.optimizer, schedule))
        training.trainer.add_event_handler(Events.ITERATION_STARTED, handler)
        return training, handler

    whole, _ = prepare()
    assert whole.run() == compute_lrs(schedule, STEPS)
    first_run, handler = prepare()
    first_run.run(2)
    resumed, new_handler = prepare()
    new_handler.load_state_dict(handler.state_dict())
    assert resumed.run(1) == compute_lrs(schedule, STEPS)[2 * BATCHES :]


def test_mistakes_are_refused() -> None:
    training = Training()
    plain = LRScheduler(training.optimizer, SCHEDULE, total_steps=STEPS)
    metric_driven = LRScheduler(training.optimizer, Plateau())
    trainer, evaluator = training.trainer, Engine(lambda *_: None)
    for event, name in (
        (Events.ITERATION_STARTED, "ITERATION_STARTED"),
        (Events.EPOCH_STARTED(every=2), "EPOCH_STARTED"),
        (Events.ITERATION_COMPLETED | Events.STARTED, "STARTED"),
    ):
        with raises(SchedulerError, "event", name, "Events.ITERATION_COMPLETED"):
            attach(plain, trainer, event)
    with raises(SchedulerError, "metric="):
        attach(metric_driven, trainer)
    with raises(SchedulerError, "metric must be left out", "'loss'"):
        attach(plain, trainer, metric="loss")
    with raises(SchedulerError, "metric=", "evaluator"):
        attach(plain, trainer, evaluator=evaluator)
    attach(metric_driven, trainer, metric="los", evaluator=evaluator)
    Average(output_transform=lambda _: 1.0).attach(evaluator, "loss")
    evaluator.logger.disabled = True  # Ignite logs the error too
    with raises(SchedulerError, "'los'", "did you mean loss"):
        evaluator.run([0])
