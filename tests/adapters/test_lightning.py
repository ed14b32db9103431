"""The scheduler in Lightning's own trainer. The values used, step by step."""

import csv
import importlib
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from lrlab import Constant, Cosine, Linear, Plateau, Schedule, ScheduleError, Warmup
from lrlab.errors import MissingExtra, SchedulerError
from tests.adapters.recording import UsedValues, record_values
from tests.raising import raises

pl = importlib.import_module("lightning.pytorch")
adapter = importlib.import_module("lrlab.adapters.lightning")

# The warnings are of Lightning itself, and of data as small as ours.
pytestmark = [
    pytest.mark.integration,
    *(
        pytest.mark.filterwarnings(f"ignore:{message}")
        for message in (
            "`isinstance.treespec, LeafSpec.` is deprecated",
            "The '.*_dataloader' does not have many workers",
            "The number of training batches",
            "You're resuming from a checkpoint that ended before the epoch ended",
            "Be aware that when using `ckpt_path`, callbacks used to create the checkpoint",
        )
    ),
]

BATCHES = 5


def make_loader() -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.ones(2 * BATCHES, 2)), batch_size=2)


def make_module(
    configure: Callable[[Any], Any], metric: Callable[[int], float], library: Any = pl
) -> Any:
    """Build a small module whose ``val_loss`` is ``metric(number of optimizer steps)``.

    Without accumulation, its ``train_loss`` of an epoch is that of the epoch's end.
    """

    class SmallModule(library.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
            epochs = self.trainer.current_epoch + 1
            self.log("train_loss", metric(BATCHES * epochs), on_step=False, on_epoch=True)
            return self.layer(batch[0]).square().mean()

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            self.log("val_loss", metric(self.trainer.global_step))

        def configure_optimizers(self) -> Any:
            return configure(self)

    return SmallModule()


class Fit:
    """One training of a small module, and what its optimizer used."""

    def __init__(
        self,
        folder: Path,
        schedule: Any,
        metric: Callable[[int], float] = lambda step: 1.0,
        checkpoint: Path | None = None,
        library: Any = pl,
        adapter: Any = adapter,
        loader: Callable[[], Any] = make_loader,
        options: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.used: UsedValues = []
        self.momenta: UsedValues = []
        self.scheduler: Any = None

        def configure(module: Any) -> Any:
            optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
            self.used, self.momenta = record_values(optimizer), record_values(optimizer, "momentum")
            config = adapter.configure_scheduler(
                optimizer, schedule, trainer=module.trainer, **(options or {})
            )
            self.scheduler = config["lr_scheduler"]["scheduler"]
            return config

        settings = {"logger": False, "enable_checkpointing": False, "max_epochs": 4} | settings
        settings["callbacks"] = [adapter.ScheduleCallback(), *settings.get("callbacks", [])]
        trainer = library.Trainer(
            default_root_dir=folder,
            accelerator="cpu",
            enable_progress_bar=False,
            enable_model_summary=False,
            **settings,
        )
        trainer.fit(
            make_module(configure, metric, library), loader(), loader(), ckpt_path=checkpoint
        )


def compute_lrs(schedule: Schedule, steps: int) -> UsedValues:
    return [[schedule(t, base=0.1)] for t in range(steps)]


@pytest.mark.parametrize("accumulate", [1, 2, 7])
def test_every_step_of_the_optimizer_is_one_of_the_schedule(
    tmp_path: Path, accumulate: int
) -> None:
    fit = Fit(tmp_path, Warmup("1ep") >> Cosine(), accumulate_grad_batches=accumulate)
    steps_per_epoch = math.ceil(BATCHES / accumulate)
    schedule = Warmup(steps_per_epoch) >> Cosine(3 * steps_per_epoch)
    assert fit.used == compute_lrs(schedule, 4 * steps_per_epoch)


def test_an_epoch_of_the_trainer_is_one_step_of_the_schedule(tmp_path: Path) -> None:
    fit = Fit(tmp_path, Warmup("25%") >> Linear(1.0, 0.0), options={"interval": "epoch"})
    assert fit.used == [
        lr for lr in compute_lrs(Warmup(1) >> Linear(1.0, 0.0, over=3), 4) for _ in range(BATCHES)
    ]
    assert fit.scheduler.last_epoch == 4


@pytest.mark.parametrize(
    ("interval", "total_steps", "steps_per_epoch"),
    [("step", 12, BATCHES), ("epoch", math.ceil(12 / BATCHES), 1)],
)
@pytest.mark.parametrize("max_epochs", [-1, 7])
def test_a_training_may_be_counted_in_steps(
    tmp_path: Path, interval: str, total_steps: int, steps_per_epoch: int, max_epochs: int
) -> None:
    options = {"interval": interval}
    schedule = Warmup("1ep") >> Linear(1.0, 0.0)
    fit = Fit(tmp_path, schedule, options=options, max_steps=12, max_epochs=max_epochs)
    assert len(fit.used) == 12
    assert fit.scheduler.schedule == Warmup(steps_per_epoch) >> Linear(
        1.0, 0.0, over=total_steps - steps_per_epoch
    )


class Endless(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(torch.ones(10, 2))


def test_step_counts_are_needed_only_by_some_schedules(tmp_path: Path) -> None:
    def make_endless_loader() -> Any:
        return DataLoader(Endless(), batch_size=2, collate_fn=lambda rows: [torch.stack(rows)])

    fit = Fit(tmp_path, Linear(1.0, 0.5, over=8), loader=make_endless_loader, max_epochs=2)
    assert fit.used == compute_lrs(Linear(1.0, 0.5, over=8), 10)
    with raises(ScheduleError, "total_steps"):
        Fit(tmp_path, Warmup("10%") >> Constant(1.0), loader=make_endless_loader, max_epochs=2)
    fit = Fit(
        tmp_path, Cosine(), loader=make_endless_loader, max_epochs=2, options={"total_steps": 10}
    )
    assert fit.used == compute_lrs(Cosine(10), 10)
    fit = Fit(
        tmp_path, Cosine(), loader=make_endless_loader, max_epochs=2, options={"interval": "epoch"}
    )
    assert fit.used == [lr for lr in compute_lrs(Cosine(2), 2) for _ in range(BATCHES)]


# If the sanity check before training counted, nothing after it would be an improvement.
def compute_worsening_metric(step: int) -> float:
    return -1.0 if step == 0 else 1.0 + step / 100


METRIC_DRIVEN = Warmup(3) >> Plateau(0.5, patience=1)


def compute_metric_driven_lrs(
    schedule: Schedule, metrics: dict[int, float], steps: int
) -> UsedValues:
    """Return the learning rates if each metric is observed before its step."""
    state, lrs = schedule.init_state(), []
    for t in range(steps):
        if t in metrics:
            state = schedule.update_state(state, t, metrics[t], base=0.1)
        lrs.append([schedule.with_state(state)(t, base=0.1)])
    return lrs


@pytest.mark.parametrize(
    ("settings", "metric_steps"),
    [
        ({}, range(5, 20, 5)),
        ({"check_val_every_n_epoch": 2, "max_epochs": 8}, range(10, 40, 10)),
        ({"val_check_interval": 2}, sorted({2, 4, 7, 9, 12, 14, 17, 19})),
    ],
)
def test_a_validation_metric_is_passed_once_when_validation_ends(
    tmp_path: Path, settings: dict[str, Any], metric_steps: Any
) -> None:
    fit = Fit(
        tmp_path,
        METRIC_DRIVEN,
        compute_worsening_metric,
        options={"monitor": "val_loss"},
        **settings,
    )
    expected = compute_metric_driven_lrs(
        METRIC_DRIVEN, {t: compute_worsening_metric(t) for t in metric_steps}, len(fit.used)
    )
    assert fit.used == expected
    assert min(expected) < [0.1] < max(*expected, [0.11])  # it was reduced


@pytest.mark.parametrize(
    ("schedule", "options"),
    [
        (Warmup("20%") >> Cosine(), {}),
        (Warmup(1) >> Cosine(), {"interval": "epoch"}),
        (METRIC_DRIVEN, {"monitor": "val_loss"}),
        (Warmup(1) >> Plateau(0.5, patience=0), {"monitor": "val_loss", "interval": "epoch"}),
    ],
    ids=str,
)
# In steps so that none is written between the last batch of an epoch and its validation: Lightning
# does not validate again when it resumes from there, and the metric is lost.
@pytest.mark.parametrize("every", [{"every_n_epochs": 1}, {"every_n_train_steps": 4}], ids=str)
def test_a_resumed_training_equals_the_uninterrupted_one(
    tmp_path: Path, schedule: Schedule, options: dict[str, Any], every: dict[str, int]
) -> None:
    def fit(checkpoint: Path | None, **settings: Any) -> UsedValues:
        return Fit(
            tmp_path, schedule, compute_worsening_metric, checkpoint, options=options, **settings
        ).used

    saver = pl.callbacks.ModelCheckpoint(
        dirpath=tmp_path, filename="{step}", save_top_k=-1, **every
    )
    whole = fit(None, callbacks=[saver], enable_checkpointing=True)
    assert len(whole) == 4 * BATCHES
    assert len({lr for (lr,) in whole}) > 2
    for checkpoint in sorted(tmp_path.glob("*.ckpt")):
        done = int(checkpoint.stem.removeprefix("step="))
        assert fit(checkpoint) == whole[done:], done


def read_logs(folder: Path) -> dict[int, dict[str, float]]:
    """Read what Lightning's CSV logger has written, by step."""
    logs: dict[int, dict[str, float]] = {}
    for file in folder.rglob("metrics.csv"):
        for row in csv.DictReader(file.read_text().splitlines()):
            values = {key: float(value) for key, value in row.items() if value}
            logs.setdefault(int(values.pop("step")), {}).update(values)
    return logs


@pytest.mark.parametrize("interval", ["step", "epoch"])
def test_logs_show_what_the_optimizer_used(tmp_path: Path, interval: str) -> None:
    fit = Fit(
        tmp_path,
        Warmup(2) >> Cosine(),
        options={"interval": interval, "momentum": Linear(1.0, 0.5, over=8), "name": "net"},
        logger=pl.loggers.CSVLogger(tmp_path),
        log_every_n_steps=2,
        accumulate_grad_batches=2,
    )
    lrs = {step: row["net/lr"] for step, row in read_logs(tmp_path).items() if "net/lr" in row}
    assert lrs == {step: fit.used[step][0] for step in range(1, 12, 2)}
    momenta = {
        step: row["net/momentum"] for step, row in read_logs(tmp_path).items() if step in lrs
    }
    assert momenta == {step: fit.momenta[step][0] for step in lrs}
    assert len(set(momenta.values())) > 1


def test_several_schedulers_log_by_name_and_others_are_ignored(tmp_path: Path) -> None:
    used: dict[str, UsedValues] = {}

    def configure(module: Any) -> Any:
        module.automatic_optimization = False
        first, second, third = [
            torch.optim.SGD(module.parameters(), lr=lr) for lr in (0.1, 0.2, 0.3)
        ]
        used.update(net=record_values(first), second=record_values(second))
        return [
            adapter.configure_scheduler(first, Linear(1.0, 0.0, over=20), name="net"),
            adapter.configure_scheduler(second, Linear(0.0, 1.0, over=20)),
            {"optimizer": third, "lr_scheduler": torch.optim.lr_scheduler.StepLR(third, 2)},
        ]

    def training_step(batch: Any, batch_idx: int) -> None:
        loss = module.layer(batch[0]).square().mean()
        module.manual_backward(loss)
        for optimizer, scheduler in zip(module.optimizers(), module.lr_schedulers(), strict=True):
            optimizer.step()
            scheduler.step()

    module = make_module(configure, lambda step: 1.0)
    module.training_step = training_step
    trainer = pl.Trainer(
        max_epochs=2,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        log_every_n_steps=1,
        logger=pl.loggers.CSVLogger(tmp_path),
        callbacks=[adapter.ScheduleCallback()],
    )
    trainer.fit(module, make_loader(), make_loader())
    rows = read_logs(tmp_path)
    assert len(rows) == 2 * BATCHES
    for step, row in rows.items():
        lrs = {name: value for name, value in row.items() if "lr" in name}
        assert lrs == {"net/lr": used["net"][step][0], "1/lr": used["second"][step][0]}


def test_the_older_package_behaves_the_same(tmp_path: Path) -> None:
    older = importlib.import_module("pytorch_lightning")
    older_adapter = importlib.import_module("lrlab.adapters.pytorch_lightning")
    fit = Fit(
        tmp_path,
        METRIC_DRIVEN,
        compute_worsening_metric,
        library=older,
        adapter=older_adapter,
        options={"monitor": "val_loss"},
        logger=older.loggers.CSVLogger(tmp_path),
        log_every_n_steps=1,
    )
    metrics = {t: compute_worsening_metric(t) for t in range(5, 20, 5)}
    assert fit.used == compute_metric_driven_lrs(METRIC_DRIVEN, metrics, len(fit.used))
    lrs = {step: row["lr"] for step, row in read_logs(tmp_path).items()}
    assert lrs == {step: lr for step, (lr,) in enumerate(fit.used)}


def test_without_validation_a_metric_is_passed_when_an_epoch_ends(tmp_path: Path) -> None:
    metrics = {t: compute_worsening_metric(t) for t in range(5, 20, 5)}
    fit = Fit(
        tmp_path,
        METRIC_DRIVEN,
        compute_worsening_metric,
        options={"monitor": "train_loss"},
        limit_val_batches=0,
    )
    assert fit.used == compute_metric_driven_lrs(METRIC_DRIVEN, metrics, len(fit.used))


def test_errors_name_the_remedy(tmp_path: Path) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    with raises(SchedulerError, "interval", "'batch'"):
        adapter.configure_scheduler(optimizer, Cosine(10), interval="batch")
    with raises(SchedulerError, "monitor="):
        adapter.configure_scheduler(optimizer, METRIC_DRIVEN)
    with raises(SchedulerError, "callbacks=[ScheduleCallback()]", "trainer=self.trainer"):
        adapter.configure_scheduler(optimizer, METRIC_DRIVEN, monitor="val_loss")
    with raises(SchedulerError, "'loss'", "val_loss"):
        Fit(tmp_path, METRIC_DRIVEN, options={"monitor": "loss"})


@pytest.mark.parametrize(
    ("name", "library", "package"),
    [
        ("lightning", "lightning.pytorch", "lightning"),
        ("pytorch_lightning", "pytorch_lightning", "pytorch-lightning"),
    ],
)
def test_a_missing_library_gives_the_install_command(
    monkeypatch: pytest.MonkeyPatch, name: str, library: str, package: str
) -> None:
    module = importlib.import_module(f"lrlab.adapters.{name}")
    monkeypatch.setitem(sys.modules, library, None)
    with raises(MissingExtra, f"pip install {package}"):
        importlib.reload(module)
