"""The scheduler in transformers' own Trainer. The values used, step by step."""

import importlib
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from lrlab import Cosine, Linear, LRScheduler, Plateau, Schedule, Warmup
from lrlab.errors import MissingExtra, SchedulerError
from tests.adapters.recording import UsedValues, record_values
from tests.raising import raises

transformers = importlib.import_module("transformers")
adapter = importlib.import_module("lrlab.adapters.transformers")

pytestmark = pytest.mark.integration

BATCHES = 5
DATA = [{"x": torch.ones(2), "labels": torch.ones(1)}] * (2 * BATCHES)


class SmallModel(torch.nn.Module):
    """A small model with the interface that the Trainer needs."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        y = self.layer(x)
        return {"loss": (y - labels).square().mean(), "logits": y}


class SchedulerBuildingTrainer(transformers.Trainer):
    """The Trainer of the adapter's docstring."""

    schedule: Schedule

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        self.lr_scheduler = LRScheduler(
            optimizer or self.optimizer, self.schedule, total_steps=num_training_steps
        )
        return self.lr_scheduler


class Training:
    """A Trainer of a small model in two named parameter groups, and what they used."""

    def __init__(
        self,
        folder: Path,
        schedule: Schedule | None,
        momentum: Schedule | None = None,
        trainer_class: Any = None,
        **arguments: Any,
    ) -> None:
        model = SmallModel()
        optimizer = torch.optim.SGD(
            [
                {"params": [model.layer.weight], "name": "weight"},
                {"params": [model.layer.bias], "name": "bias", "lr": 0.2},
            ],
            lr=0.1,
            momentum=0.9,
        )
        self.used, self.momenta = record_values(optimizer), record_values(optimizer, "momentum")
        scheduler = (
            None if schedule is None else LRScheduler(optimizer, schedule, momentum=momentum)
        )
        defaults = {"num_train_epochs": 4, "save_strategy": "no", "report_to": "none"}
        self.trainer = (trainer_class or transformers.Trainer)(
            model=model,
            args=transformers.TrainingArguments(
                str(folder),
                use_cpu=True,
                disable_tqdm=True,
                per_device_train_batch_size=2,
                **defaults | arguments,
            ),
            train_dataset=DATA,
            eval_dataset=DATA,
            optimizers=(optimizer, scheduler),
            compute_metrics=lambda _: {
                "worse": compute_worsening_metric(self.trainer.state.global_step)
            },
        )


def compute_lrs(schedule: Schedule, steps: int) -> UsedValues:
    return [[schedule(t, base=0.1), schedule(t, base=0.2)] for t in range(steps)]


@pytest.mark.parametrize("accumulate", [1, 2, 7])
def test_every_step_of_the_optimizer_is_one_of_the_schedule(
    tmp_path: Path, accumulate: int
) -> None:
    schedule = Warmup(2) >> Cosine(9)
    training = Training(tmp_path, schedule, gradient_accumulation_steps=accumulate)
    training.trainer.train()
    assert training.used == compute_lrs(schedule, 4 * math.ceil(BATCHES / accumulate))


def test_the_trainer_knows_the_number_of_steps(tmp_path: Path) -> None:
    training = Training(
        tmp_path, None, trainer_class=SchedulerBuildingTrainer, gradient_accumulation_steps=2
    )
    training.trainer.schedule = Warmup("25%") >> Cosine()
    training.trainer.train()
    assert training.used == compute_lrs(Warmup(3) >> Cosine(9), 12)


# If an evaluation before training counted, nothing after it would be an improvement.
def compute_worsening_metric(step: int) -> float:
    return -1.0 if step == 0 else 1.0 + step / 100


METRIC_DRIVEN = Warmup(3) >> Plateau(0.5, patience=1)


@pytest.mark.parametrize("schedule", [Warmup(3) >> Cosine(17), METRIC_DRIVEN], ids=str)
def test_a_resumed_training_equals_the_uninterrupted_one(
    tmp_path: Path, schedule: Schedule
) -> None:
    def prepare(**arguments: Any) -> Training:
        training = Training(tmp_path, schedule, eval_strategy="steps", eval_steps=3, **arguments)
        training.trainer.add_callback(adapter.ScheduleCallback("worse"))
        return training

    whole = prepare(save_strategy="steps", save_steps=3)
    whole.trainer.train()
    assert len(whole.used) == 4 * BATCHES
    assert len({lr for lr, _ in whole.used}) > 3
    for step in (3, 6, 9, 15):
        resumed = prepare()
        resumed.trainer.train(resume_from_checkpoint=str(tmp_path / f"checkpoint-{step}"))
        assert resumed.used == whole.used[step:]


def compute_metric_driven_lrs(schedule: Schedule, metric_steps: Any, steps: int) -> UsedValues:
    """Return the learning rates if a metric is observed before each of ``metric_steps``."""
    state, lrs = schedule.init_state(), []
    for t in range(steps):
        if t in metric_steps:
            state = schedule.update_state(state, t, compute_worsening_metric(t), base=0.1)
        lrs.append([schedule.with_state(state)(t, base=base) for base in (0.1, 0.2)])
    return lrs


@pytest.mark.parametrize(
    "monitor",
    [
        {"metric_for_best_model": "worse"},
        {"metric_for_best_model": "eval_worse", "eval_on_start": True},
    ],
)
def test_an_evaluation_metric_is_passed_once_when_evaluation_ends(
    tmp_path: Path, monitor: dict[str, Any]
) -> None:
    training = Training(tmp_path, METRIC_DRIVEN, eval_strategy="epoch", **monitor)
    training.trainer.add_callback(adapter.ScheduleCallback())
    training.trainer.train()
    expected = compute_metric_driven_lrs(
        METRIC_DRIVEN, range(BATCHES, 4 * BATCHES, BATCHES), 4 * BATCHES
    )
    assert training.used == expected
    assert expected[-1] < [0.1, 0.2]  # it was reduced
    after = training.trainer.lr_scheduler.state_dict()
    training.trainer.evaluate()
    assert training.trainer.lr_scheduler.state_dict() == after


def test_one_of_several_evaluations_has_the_metric(tmp_path: Path) -> None:
    training = Training(tmp_path, METRIC_DRIVEN, eval_strategy="epoch")
    training.trainer.eval_dataset = {"first": DATA, "other": DATA}
    training.trainer.add_callback(adapter.ScheduleCallback("other_worse"))
    training.trainer.train()
    assert training.used == compute_metric_driven_lrs(
        METRIC_DRIVEN, range(BATCHES, 20, BATCHES), 20
    )

    training.trainer.pop_callback(adapter.ScheduleCallback)
    training.trainer.add_callback(adapter.ScheduleCallback("worst"))
    with raises(SchedulerError, "'eval_worst'", "eval_other_loss", "monitor="):
        training.trainer.train()


def test_a_metric_that_stops_coming_is_an_error(tmp_path: Path) -> None:
    training = Training(tmp_path, METRIC_DRIVEN, eval_strategy="epoch")
    training.trainer.compute_metrics = lambda _: {"once": 1.0} if len(training.used) < 8 else {}
    training.trainer.add_callback(adapter.ScheduleCallback("once"))
    with raises(SchedulerError, "'eval_once'"):
        training.trainer.train()
    assert len(training.used) == 2 * BATCHES


def test_logs_show_what_the_optimizer_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accumulators = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "events"))
    training = Training(
        tmp_path,
        Warmup(2) >> Cosine(18),
        momentum=Linear(1.0, 0.5, over=20),
        report_to="tensorboard",
        logging_steps=3,
        eval_strategy="epoch",
    )
    adapter.ScheduleCallback().add_to(training.trainer)
    training.trainer.train()

    logged = [row for row in training.trainer.state.log_history if "lr/weight" in row]
    assert [row["step"] for row in logged] == [3, 6, 9, 12, 15, 18]
    for row in logged:
        step = row["step"] - 1
        assert [row["lr/weight"], row["lr/bias"]] == training.used[step]
        assert [row["momentum/weight"], row["momentum/bias"]] == training.momenta[step]

    events = accumulators.EventAccumulator(str(tmp_path / "events")).Reload()
    for name in ("lr/weight", "lr/bias", "momentum/weight", "momentum/bias"):
        assert [(event.step, event.value) for event in events.Scalars(f"train/{name}")] == [
            (row["step"], pytest.approx(row[name], rel=1e-6)) for row in logged
        ]


def test_other_schedulers_are_refused(tmp_path: Path) -> None:
    training = Training(tmp_path, None)
    training.trainer.add_callback(adapter.ScheduleCallback())
    with raises(SchedulerError, "LambdaLR", "Trainer(optimizers="):
        training.trainer.train()


def test_a_missing_library_gives_the_install_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with raises(MissingExtra, "pip install 'transformers[torch]'"):
        importlib.reload(adapter)


def test_a_metric_driven_schedule_without_evaluations_gives_a_warning(tmp_path: Path) -> None:
    model = SmallModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trainer = transformers.Trainer(
        model,
        transformers.TrainingArguments(str(tmp_path), max_steps=1, report_to="none", use_cpu=True),
        train_dataset=DATA,
        optimizers=(optimizer, LRScheduler(optimizer, "Plateau()")),
        callbacks=[adapter.ScheduleCallback()],
    )
    with raises(UserWarning, "needs evaluations", "eval_strategy"):
        trainer.train()


def test_a_language_model_resumes_with_its_lr(tmp_path: Path) -> None:
    """A model of transformers, with dropout and two groups of weight decay."""
    settings = {"vocab_size": 16, "n_positions": 8, "n_embd": 8, "n_layer": 1, "n_head": 2}
    tokens = torch.arange(8)
    rows = [{"input_ids": tokens, "labels": tokens}] * 12

    def train(resume: bool) -> tuple[UsedValues, list[torch.Tensor]]:
        torch.manual_seed(0)
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**settings))
        matrices = [p for p in model.parameters() if p.ndim > 1]
        biases = [p for p in model.parameters() if p.ndim < 2]
        groups = [{"params": matrices}, {"params": biases, "lr": 0.01, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=0.1, weight_decay=0.1)
        used = record_values(optimizer)
        trainer = transformers.Trainer(
            model,
            transformers.TrainingArguments(
                str(tmp_path),
                max_steps=9,
                save_steps=4,
                per_device_train_batch_size=2,
                gradient_accumulation_steps=2,
                report_to="none",
                use_cpu=True,
                disable_tqdm=True,
            ),
            train_dataset=rows,
            optimizers=(optimizer, LRScheduler(optimizer, Warmup(3) >> Cosine(6))),
        )
        trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4") if resume else None)
        return used, [weight.detach() for weight in model.parameters()]

    schedule = Warmup(3) >> Cosine(6)
    whole, weights = train(resume=False)
    assert whole == [[schedule(t, base=0.1), schedule(t, base=0.01)] for t in range(9)]
    resumed, again = train(resume=True)
    assert resumed == whole[4:]
    for weight, expected in zip(again, weights, strict=True):
        torch.testing.assert_close(weight, expected)
