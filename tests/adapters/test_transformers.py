"""The scheduler in transformers' own Trainer: what its optimizer really used, step by step."""

import importlib
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from lrlab import Cosine, Linear, LRScheduler, Plateau, Schedule, Warmup
from lrlab.errors import MissingExtra, SchedulerError
from tests.adapters.recording import Used, recorded

transformers = importlib.import_module("transformers")
adapter = importlib.import_module("lrlab.adapters.transformers")

BATCHES = 5
DATA = [{"x": torch.ones(2), "labels": torch.ones(1)}] * (2 * BATCHES)


class Tiny(torch.nn.Module):
    """A small model, as the Trainer calls one."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        y = self.layer(x)
        return {"loss": (y - labels).square().mean(), "logits": y}


class TotalsKnown(transformers.Trainer):
    """The Trainer of the adapter's docstring."""

    schedule: Schedule

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        self.lr_scheduler = LRScheduler(
            optimizer or self.optimizer, self.schedule, total_steps=num_training_steps
        )
        return self.lr_scheduler


class Setting:
    """A Trainer of a small model in two named parameter groups, and all that they used."""

    def __init__(
        self,
        folder: Path,
        schedule: Schedule | None,
        momentum: Schedule | None = None,
        by: Any = None,
        **arguments: Any,
    ) -> None:
        model = Tiny()
        optimizer = torch.optim.SGD(
            [
                {"params": [model.layer.weight], "name": "weight"},
                {"params": [model.layer.bias], "name": "bias", "lr": 0.2},
            ],
            lr=0.1,
            momentum=0.9,
        )
        self.used, self.momenta = recorded(optimizer), recorded(optimizer, "momentum")
        scheduler = (
            None if schedule is None else LRScheduler(optimizer, schedule, momentum=momentum)
        )
        defaults = {"num_train_epochs": 4, "save_strategy": "no", "report_to": "none"}
        self.trainer = (by or transformers.Trainer)(
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
            compute_metrics=lambda _: {"worse": worse_and_worse(self.trainer.state.global_step)},
        )


def rates(schedule: Schedule, steps: int) -> Used:
    return [[schedule(t, base=0.1), schedule(t, base=0.2)] for t in range(steps)]


@pytest.mark.parametrize("accumulate", [1, 2, 7])
def test_every_step_of_the_optimizer_is_one_of_the_schedule(
    tmp_path: Path, accumulate: int
) -> None:
    schedule = Warmup(2) >> Cosine(9)
    setting = Setting(tmp_path, schedule, gradient_accumulation_steps=accumulate)
    setting.trainer.train()
    assert setting.used == rates(schedule, 4 * math.ceil(BATCHES / accumulate))


def test_the_trainer_knows_the_number_of_steps(tmp_path: Path) -> None:
    setting = Setting(tmp_path, None, by=TotalsKnown, gradient_accumulation_steps=2)
    setting.trainer.schedule = Warmup("25%") >> Cosine()
    setting.trainer.train()
    assert setting.used == rates(Warmup(3) >> Cosine(9), 12)


# Were an evaluation before training seen, nothing after it would be an improvement.
def worse_and_worse(step: int) -> float:
    return -1.0 if step == 0 else 1.0 + step / 100


REACTIVE = Warmup(3) >> Plateau(0.5, patience=1)


@pytest.mark.parametrize("schedule", [Warmup(3) >> Cosine(17), REACTIVE], ids=str)
def test_a_resumed_training_is_the_uninterrupted_one(tmp_path: Path, schedule: Schedule) -> None:
    def setting(**arguments: Any) -> Setting:
        setting = Setting(tmp_path, schedule, eval_strategy="steps", eval_steps=3, **arguments)
        setting.trainer.add_callback(adapter.ScheduleCallback("worse"))
        return setting

    whole = setting(save_strategy="steps", save_steps=3)
    whole.trainer.train()
    assert len(whole.used) == 4 * BATCHES
    assert len({rate for rate, _ in whole.used}) > 3
    for step in (3, 6, 9, 15):
        resumed = setting()
        resumed.trainer.train(resume_from_checkpoint=str(tmp_path / f"checkpoint-{step}"))
        assert resumed.used == whole.used[step:]


def reacting(schedule: Schedule, seen: Any, steps: int) -> Used:
    """The rates where a metric is seen before each of these steps."""
    state, found = schedule.init_state(), []
    for t in range(steps):
        if t in seen:
            state = schedule.update_state(state, t, worse_and_worse(t), base=0.1)
        found.append([schedule.with_state(state)(t, base=base) for base in (0.1, 0.2)])
    return found


@pytest.mark.parametrize(
    "monitor",
    [
        {"metric_for_best_model": "worse"},
        {"metric_for_best_model": "eval_worse", "eval_on_start": True},
    ],
)
def test_an_evaluation_is_seen_when_it_ends_and_once(
    tmp_path: Path, monitor: dict[str, Any]
) -> None:
    setting = Setting(tmp_path, REACTIVE, eval_strategy="epoch", **monitor)
    setting.trainer.add_callback(adapter.ScheduleCallback())
    setting.trainer.train()
    expected = reacting(REACTIVE, range(BATCHES, 4 * BATCHES, BATCHES), 4 * BATCHES)
    assert setting.used == expected
    assert expected[-1] < [0.1, 0.2]  # it really was reduced
    after = setting.trainer.lr_scheduler.state_dict()
    setting.trainer.evaluate()
    assert setting.trainer.lr_scheduler.state_dict() == after


def test_of_several_evaluations_one_has_the_metric(tmp_path: Path) -> None:
    setting = Setting(tmp_path, REACTIVE, eval_strategy="epoch")
    setting.trainer.eval_dataset = {"some": DATA, "other": DATA}
    setting.trainer.add_callback(adapter.ScheduleCallback("other_worse"))
    setting.trainer.train()
    assert setting.used == reacting(REACTIVE, range(BATCHES, 20, BATCHES), 20)

    setting.trainer.pop_callback(adapter.ScheduleCallback)
    setting.trainer.add_callback(adapter.ScheduleCallback("worst"))
    with pytest.raises(SchedulerError, match=r"'eval_worst', which no evaluation.*eval_other_loss"):
        setting.trainer.train()


def test_a_metric_that_no_longer_comes_is_missed(tmp_path: Path) -> None:
    setting = Setting(tmp_path, REACTIVE, eval_strategy="epoch")
    setting.trainer.compute_metrics = lambda _: {"once": 1.0} if len(setting.used) < 8 else {}
    setting.trainer.add_callback(adapter.ScheduleCallback("once"))
    with pytest.raises(SchedulerError, match="'eval_once', which no evaluation gives"):
        setting.trainer.train()
    assert len(setting.used) == 2 * BATCHES


def test_logs_say_what_the_optimizer_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accumulators = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "events"))
    setting = Setting(
        tmp_path,
        Warmup(2) >> Cosine(18),
        momentum=Linear(1.0, 0.5, over=20),
        report_to="tensorboard",
        logging_steps=3,
        eval_strategy="epoch",
    )
    adapter.ScheduleCallback().add_to(setting.trainer)
    setting.trainer.train()

    logged = [row for row in setting.trainer.state.log_history if "lr/weight" in row]
    assert [row["step"] for row in logged] == [3, 6, 9, 12, 15, 18]
    for row in logged:
        step = row["step"] - 1
        assert [row["lr/weight"], row["lr/bias"]] == setting.used[step]
        assert [row["momentum/weight"], row["momentum/bias"]] == setting.momenta[step]

    events = accumulators.EventAccumulator(str(tmp_path / "events")).Reload()
    for name in ("lr/weight", "lr/bias", "momentum/weight", "momentum/bias"):
        assert [(event.step, event.value) for event in events.Scalars(f"train/{name}")] == [
            (row["step"], pytest.approx(row[name], rel=1e-6)) for row in logged
        ]


def test_it_is_for_our_scheduler(tmp_path: Path) -> None:
    setting = Setting(tmp_path, None)
    setting.trainer.add_callback(adapter.ScheduleCallback())
    with pytest.raises(SchedulerError, match=r"LambdaLR: say Trainer\(optimizers="):
        setting.trainer.train()


def test_without_the_library_one_sentence_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"pip install 'transformers\[torch\]'$"):
        importlib.reload(adapter)


def test_a_metric_without_evaluations_is_warned_of(tmp_path: Path) -> None:
    model = Tiny()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trainer = transformers.Trainer(
        model,
        transformers.TrainingArguments(str(tmp_path), max_steps=1, report_to="none", use_cpu=True),
        train_dataset=DATA,
        optimizers=(optimizer, LRScheduler(optimizer, "Plateau()")),
        callbacks=[adapter.ScheduleCallback()],
    )
    with pytest.raises(UserWarning, match="needs evaluations, but the Trainer makes none"):
        trainer.train()


def test_a_language_model_is_resumed_at_its_rate(tmp_path: Path) -> None:
    """Transformers' own kind of model, with dropout and two groups of weight decay."""
    settings = {"vocab_size": 16, "n_positions": 8, "n_embd": 8, "n_layer": 1, "n_head": 2}
    words = torch.arange(8)
    rows = [{"input_ids": words, "labels": words}] * 12

    def train(resume: bool) -> tuple[Used, list[torch.Tensor]]:
        torch.manual_seed(0)
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**settings))
        decayed = [p for p in model.parameters() if p.ndim > 1]
        others = [p for p in model.parameters() if p.ndim < 2]
        groups = [{"params": decayed}, {"params": others, "lr": 0.01, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=0.1, weight_decay=0.1)
        used = recorded(optimizer)
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
