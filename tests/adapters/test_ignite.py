"""The scheduler on real Ignite engines: what the optimizer holds in each of its steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint, DiskSaver
from ignite.handlers import LRScheduler as IgnitesOwn
from ignite.metrics import Average

from lrlab import Cosine, LRScheduler, Plateau, Schedule, Warmup
from lrlab.adapters.ignite import attach
from lrlab.errors import SchedulerError

BASES = (0.1, 1.0)
SCHEDULE = Warmup("25%") >> Cosine()
BATCHES, EPOCHS = 4, 3
STEPS = BATCHES * EPOCHS
LOSSES = [1.0, 0.9, 0.9, 0.9, 0.5, 0.6]


class Training:
    """A model, its optimizer with two groups, and a trainer that notes the rates it used."""

    def __init__(self, accumulate: int = 1) -> None:
        torch.manual_seed(0)
        self.model = torch.nn.Linear(2, 1)
        groups = zip([[self.model.weight], [self.model.bias]], BASES, strict=True)
        self.optimizer = torch.optim.SGD([{"params": p, "lr": lr} for p, lr in groups])
        self.used: list[list[float]] = []
        self.optimizer.register_step_pre_hook(self._note)
        self.accumulate = accumulate
        self.trainer = Engine(self._update)

    def _note(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        self.used.append([float(group["lr"]) for group in optimizer.param_groups])

    def _update(self, engine: Engine, batch: Any) -> None:
        self.model(torch.ones(1, 2)).sum().backward()
        if engine.state.iteration % self.accumulate == 0:
            self.optimizer.step()
            self.optimizer.zero_grad()

    def run(self, epochs: int = EPOCHS) -> list[list[float]]:
        self.trainer.run(range(BATCHES), max_epochs=epochs)
        return self.used


def values(schedule: Schedule, steps: int, each: int = 1) -> list[list[float]]:
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
def test_each_optimizer_step_uses_the_schedules_rate(
    event: Any, accumulate: int, steps: int, each: int
) -> None:
    training = Training(accumulate)
    attach(LRScheduler(training.optimizer, SCHEDULE, total_steps=steps), training.trainer, event)
    assert training.run() == values(SCHEDULE.bind(total_steps=steps), steps * each, each)


def evaluator_of(trainer: Engine) -> Engine:
    """An engine with the metric "loss", run after each epoch of ``trainer``."""
    evaluator = Engine(lambda engine, batch: LOSSES[trainer.state.epoch - 1])
    Average().attach(evaluator, "loss")
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run([0]))
    return evaluator


def expected_of(schedule: Schedule, steps_per_epoch: int, first: int) -> list[list[float]]:
    """By the pure state machine: ``first`` steps of an epoch, the metric, the other steps."""
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


def test_an_evaluators_metric_moves_a_reactive_schedule() -> None:
    schedule = Warmup(5) >> Plateau(0.5, patience=0)
    training = Training()
    scheduler = LRScheduler(training.optimizer, schedule)
    evaluator = evaluator_of(training.trainer)
    attach(scheduler, training.trainer, metric="loss", evaluator=evaluator)
    used = training.run(len(LOSSES))
    assert used == expected_of(schedule, BATCHES, BATCHES)
    assert [rates[0] for rates in used[::BATCHES]] == pytest.approx(
        [0.1 / 6, 0.1 * 5 / 6, 0.1, 0.05, 0.025, 0.025]
    )


@pytest.mark.parametrize("evaluator_first", [True, False])
def test_steps_by_epoch_take_the_metric_whichever_handler_came_first(evaluator_first: bool) -> None:
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
    first = [rates[0] for rates in training.run(len(LOSSES))[::BATCHES]]
    assert first == [0.1, 0.1, 0.1, 0.05, 0.025, 0.025]


def test_the_trainers_own_metric_is_read_at_the_end_of_its_epochs() -> None:
    training = Training()
    average = Average(output_transform=lambda _: LOSSES[training.trainer.state.epoch - 1])
    average.attach(training.trainer, "loss")
    scheduler = LRScheduler(training.optimizer, Plateau(0.5, patience=0))
    attach(scheduler, training.trainer, metric="loss")
    first = [rates[0] for rates in training.run(len(LOSSES))[::BATCHES]]
    assert first == [0.1, 0.1, 0.1, 0.05, 0.025, 0.025]


def test_a_checkpoint_of_ignite_resumes_it(tmp_path: Path) -> None:
    schedule = (Warmup(3) >> Cosine(21)) * Plateau(0.5, patience=0)

    def prepared() -> tuple[Training, dict[str, Any]]:
        training = Training()
        scheduler = LRScheduler(training.optimizer, schedule)
        attach(scheduler, training.trainer, metric="loss", evaluator=evaluator_of(training.trainer))
        return training, {
            "trainer": training.trainer,
            "optimizer": training.optimizer,
            "scheduler": scheduler,
        }

    whole = prepared()[0].run(len(LOSSES))
    begun, saved = prepared()
    keep = Checkpoint(saved, DiskSaver(tmp_path, create_dir=False))
    begun.trainer.add_event_handler(Events.EPOCH_COMPLETED(once=4), keep)
    begun.run(5)
    resumed, loaded = prepared()
    Checkpoint.load_objects(loaded, torch.load(tmp_path / keep.last_checkpoint, weights_only=True))
    assert resumed.run(len(LOSSES)) == whole[4 * BATCHES :]


def test_ignites_own_handler_gives_the_schedules_rates_and_saves_where_it_is() -> None:
    schedule = SCHEDULE.bind(total_steps=STEPS)

    def prepared() -> tuple[Training, IgnitesOwn]:
        training = Training()
        own = IgnitesOwn(LRScheduler(training.optimizer, schedule))
        training.trainer.add_event_handler(Events.ITERATION_STARTED, own)
        return training, own

    whole, _ = prepared()
    assert whole.run() == values(schedule, STEPS)
    begun, own = prepared()
    begun.run(2)
    resumed, other = prepared()
    other.load_state_dict(own.state_dict())
    assert resumed.run(1) == values(schedule, STEPS)[2 * BATCHES :]


def test_mistakes_are_told() -> None:
    training = Training()
    plain = LRScheduler(training.optimizer, SCHEDULE, total_steps=STEPS)
    reactive = LRScheduler(training.optimizer, Plateau())
    trainer, evaluator = training.trainer, Engine(lambda *_: None)
    for event in (
        Events.ITERATION_STARTED,
        Events.EPOCH_STARTED(every=2),
        Events.ITERATION_COMPLETED | Events.STARTED,
    ):
        with pytest.raises(SchedulerError, match="first rate would be skipped"):
            attach(plain, trainer, event)
    with pytest.raises(SchedulerError, match=r"say which with metric="):
        attach(reactive, trainer)
    with pytest.raises(SchedulerError, match="must read a metric, such as Plateau"):
        attach(plain, trainer, metric="loss")
    with pytest.raises(SchedulerError, match=r"without metric="):
        attach(plain, trainer, evaluator=evaluator)
    attach(reactive, trainer, metric="los", evaluator=evaluator)
    Average(output_transform=lambda _: 1.0).attach(evaluator, "loss")
    evaluator.logger.disabled = True  # Ignite logs the error too
    with pytest.raises(SchedulerError, match="has 'loss'; did you mean loss"):
        evaluator.run([0])
