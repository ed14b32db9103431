"""The options of a study, which several commands take: spelled once, and what they become."""

import inspect
import json
import os
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from lrlab.cli import options, reading, stored

if TYPE_CHECKING:
    from lrlab.problems import Trainable
    from lrlab.schedules import Schedule
    from lrlab.studies import Plan
    from lrlab.studies.places import Backend
    from lrlab.training.engines import Engine

_PROBLEM_OPTIONS = (
    "data",
    "target",
    "task",
    "header",
    "file",
    "test",
    "metric",
    "less_is_better",
    "percent",
    "guess",
)
"""The options that name the problem."""


@dataclass(frozen=True)
class StudyOptions:
    """What a person asks to be compared, as typed."""

    data: options.DataArgument
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="A schedule to compare, as often as you like; a constant rate is always among "
            "them. A dozen when left out.",
        ),
    ] = None
    seeds: Annotated[
        int, typer.Option(help="Fresh seeds that each schedule is scored with, in pairs.")
    ] = 30
    db: stored.DbOption = stored.DEFAULT_DB
    lr: options.LrGridOption = None
    momentum: options.MomentumGridOption = None
    tune: Annotated[
        bool,
        typer.Option(
            "--tune/--no-tune",
            help="Choose the best rate and momentum for each schedule; without, all have the same.",
            rich_help_panel=options.PROTOCOL_PANEL,
        ),
    ] = True
    tuning_seeds: Annotated[
        int, typer.Option(help="Seeds to choose with.", rich_help_panel=options.PROTOCOL_PANEL)
    ] = 20
    grid_extensions: Annotated[
        int,
        typer.Option(
            help="How many rates may be added for a schedule whose best rate is the last of the "
            "grid.",
            rich_help_panel=options.PROTOCOL_PANEL,
        ),
    ] = 3
    score: Annotated[
        str,
        typer.Option(
            help="final, after the last epoch, or best, after the epoch that was best on held-out "
            "rows.",
            rich_help_panel=options.PROTOCOL_PANEL,
        ),
    ] = "final"
    validation_size: options.StudyValidationSizeOption = None
    seed: Annotated[
        int,
        typer.Option(
            help="Of the study: all other seeds are drawn from it.",
            rich_help_panel=options.PROTOCOL_PANEL,
        ),
    ] = 0
    target_score: options.TargetScoreOption = None
    output: options.PlotOutputOption = None
    target: options.TargetOption = None
    task: options.TaskOption = None
    header: options.HeaderOption = None
    file: options.FileOption = None
    test: options.TestOption = None
    metric: options.MetricOption = None
    less_is_better: options.MetricDirectionOption = False
    percent: options.PercentOption = False
    dummy_score: options.DummyScoreOption = None
    optimizer: options.OptimizerOption = "sgd"
    weight_decay: options.WeightDecayOption = None
    max_grad_norm: options.MaxGradNormOption = None
    epochs: options.EpochsOption = 50
    batch_size: options.BatchSizeOption = 24
    step_every: options.StepEveryOption = "epoch"
    shuffle: options.ShuffleOption = None
    engine: options.EngineOption = "auto"
    device: options.DeviceOption = "cpu"
    torch_compile: options.TorchCompileOption = False
    memory: options.MemoryOption = None
    workers: options.WorkersOption = None
    address: options.AddressOption = None
    gpus_per_run: options.GpusPerRunOption = 0.0

    def parse_schedules(self) -> "list[Schedule]":
        """Those that are named."""
        return [reading.parse_schedule(text) for text in self.schedule or []]

    def load_problem(self) -> "Trainable":
        """What is trained."""
        return reading.load_problem_from_options(**{name: getattr(self, name) for name in _PROBLEM_OPTIONS})

    def serialize_problem_options(self) -> str:
        """What ``reading.load_problem_from_options`` takes to make ``problem`` again, and the folder, as JSON."""
        problem_options = {name: value for name, value in asdict(self).items() if name in _PROBLEM_OPTIONS}
        return json.dumps({"folder": os.getcwd()} | problem_options, default=str)

    def resolve_engines_and_backend(self) -> "tuple[tuple[Engine, ...], Backend]":
        """The engines to choose from, and where they train."""
        from lrlab.studies import list_engines, resolve_backend

        memory = reading.parse_optional_size(self.memory)
        engine_choice, backend = resolve_backend(self.engine, self.workers, memory, self.address, self.gpus_per_run)
        return list_engines(engine_choice, self.device, self.torch_compile), backend

    def build_plan(self, problem: "Trainable", schedules: "list[Schedule]") -> "Plan":
        """The plan of the study, its engine not yet settled."""
        from lrlab.studies import Protocol, plan_study

        return plan_study(
            problem,
            schedules or None,
            lrs=None if self.lr is None else reading.parse_numbers("--lr", self.lr),
            momenta=None if self.momentum is None else reading.parse_numbers("--momentum", self.momentum),
            tune=self.tune,
            protocol=Protocol(self.seeds, self.tuning_seeds, self.grid_extensions, self.score, self.seed),
            validation_size=self.validation_size,
            shuffle=self.shuffle,
            optimizer=self.optimizer.lower(),
            weight_decay=self.weight_decay,
            clip=self.max_grad_norm,
            epochs=self.epochs,
            batch_size=self.batch_size,
            per=self.step_every,
        )


def add_study_options(command: Callable[[StudyOptions], None]) -> Callable[..., None]:
    """A command whose options are the fields of ``StudyOptions``."""
    hints = get_type_hints(StudyOptions, include_extras=True)
    parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(StudyOptions)
    ]

    @wraps(command)
    def run_command(**values: Any) -> None:
        command(StudyOptions(**values))

    vars(run_command)["__signature__"] = inspect.Signature(parameters)
    return run_command
