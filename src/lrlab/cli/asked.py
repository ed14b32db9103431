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
    from lrlab.problems import AnyProblem
    from lrlab.schedules import Schedule
    from lrlab.studies import Plan
    from lrlab.studies.places import Place
    from lrlab.training.engines import Engine

_SOURCE = (
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
class Asked:
    """What a person asks to be compared, as typed."""

    data: options.Data
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
    db: stored.Database = stored.DEFAULT
    lr: options.Rates = None
    momentum: options.Momenta = None
    tune: Annotated[
        bool,
        typer.Option(
            "--tune/--no-tune",
            help="Choose the best rate and momentum for each schedule; without, all have the same.",
            rich_help_panel=options.PROTOCOL,
        ),
    ] = True
    tuning_seeds: Annotated[
        int, typer.Option(help="Seeds to choose with.", rich_help_panel=options.PROTOCOL)
    ] = 20
    widen: Annotated[
        int,
        typer.Option(
            help="How many rates may be added for a schedule whose best rate is the last of the "
            "grid.",
            rich_help_panel=options.PROTOCOL,
        ),
    ] = 3
    score: Annotated[
        str,
        typer.Option(
            help="final, after the last epoch, or best, after the epoch that was best on held-out "
            "rows.",
            rich_help_panel=options.PROTOCOL,
        ),
    ] = "final"
    validation: options.ValidationOfGrid = None
    seed: Annotated[
        int,
        typer.Option(
            help="Of the study: all other seeds are drawn from it.",
            rich_help_panel=options.PROTOCOL,
        ),
    ] = 0
    goal: options.Goal = None
    png: options.Picture = None
    target: options.Target = None
    task: options.Task = None
    header: options.Header = None
    file: options.File = None
    test: options.Test = None
    metric: options.Metric = None
    less_is_better: options.LessIsBetter = False
    percent: options.Percent = False
    guess: options.Guess = None
    optimizer: options.Optimizer = "sgd"
    weight_decay: options.WeightDecay = None
    clip: options.Clip = None
    epochs: options.Epochs = 50
    batch_size: options.BatchSize = 24
    per: options.Per = "epoch"
    shuffle: options.Shuffle = None
    engine: options.Engine = "auto"
    device: options.Device = "cpu"
    compile: options.Compile = False
    memory: options.Memory = None
    workers: options.Workers = None
    address: options.Address = None
    gpus: options.Gpus = 0.0

    def schedules(self) -> "list[Schedule]":
        """Those that are named."""
        return [reading.schedule_of(text) for text in self.schedule or []]

    def problem(self) -> "AnyProblem":
        """What is trained."""
        return reading.problem_of(**{name: getattr(self, name) for name in _SOURCE})

    def source(self) -> str:
        """What ``reading.problem_of`` takes to make ``problem`` again, and the folder, as JSON."""
        named = {name: value for name, value in asdict(self).items() if name in _SOURCE}
        return json.dumps({"folder": os.getcwd()} | named, default=str)

    def engines(self) -> "tuple[tuple[Engine, ...], Place]":
        """The engines to choose from, and where they train."""
        from lrlab.studies import candidates, place_of

        memory = reading.bytes_of(self.memory)
        kind, place = place_of(self.engine, self.workers, memory, self.address, self.gpus)
        return candidates(kind, self.device, self.compile), place

    def plan(self, problem: "AnyProblem", schedules: "list[Schedule]") -> "Plan":
        """The plan of the study, its engine not yet settled."""
        from lrlab.studies import Protocol, planned

        return planned(
            problem,
            schedules or None,
            rates=None if self.lr is None else reading.numbers("--lr", self.lr),
            momenta=None if self.momentum is None else reading.numbers("--momentum", self.momentum),
            tune=self.tune,
            protocol=Protocol(self.seeds, self.tuning_seeds, self.widen, self.score, self.seed),
            validation=self.validation,
            shuffle=self.shuffle,
            optimizer=self.optimizer.lower(),
            weight_decay=self.weight_decay,
            clip=self.clip,
            epochs=self.epochs,
            batch_size=self.batch_size,
            per=self.per,
        )


def asking(does: Callable[[Asked], None]) -> Callable[..., None]:
    """A command whose options are the fields of ``Asked``."""
    hints = get_type_hints(Asked, include_extras=True)
    parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(Asked)
    ]

    @wraps(does)
    def typed(**values: Any) -> None:
        does(Asked(**values))

    vars(typed)["__signature__"] = inspect.Signature(parameters)
    return typed
