"""The options that commands share; what they become is in ``reading``."""

import inspect
import json
import os
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from lrlab.cli import db_options, parsing

if TYPE_CHECKING:
    from lrlab.problems import Trainable
    from lrlab.schedules import Schedule
    from lrlab.studies import Plan
    from lrlab.studies.execution.backends import Backend
    from lrlab.training.engines import Engine

_DATA_PANEL = "Data"
_TRAINING_PANEL = "Training"
_ENGINE_PANEL = "Engine"
PROTOCOL_PANEL = "Protocol"
_DEFAULT_LRS = "0.1 for sgd, 0.001 for the others"

DataArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A data set (breast-cancer, digits, wine, iris, diabetes, ionosphere), the path of a "
        "table of delimited text, or a problem or a training function of your own: "
        "my_problem.py:problem, my_training.py:train.",
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        help="The column to predict; the last when left out.", rich_help_panel=_DATA_PANEL
    ),
]
TaskOption = Annotated[
    str | None,
    typer.Option(
        help="classification or regression; told by the target when left out.",
        rich_help_panel=_DATA_PANEL,
    ),
]
HeaderOption = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first row names the columns; found out when left out.",
        rich_help_panel=_DATA_PANEL,
    ),
]
FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        help="Where the file of ionosphere lies; else in $LRLAB_DATA, else it is downloaded.",
        rich_help_panel=_DATA_PANEL,
    ),
]
TestOption = Annotated[
    Path | None,
    typer.Option(
        "--test",
        metavar="FILE",
        help="A table with the test rows; without it every seed draws its own.",
        rich_help_panel=_DATA_PANEL,
    ),
]
MetricOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="What my_training.py:train reports as its score.",
        show_default="score",
        rich_help_panel=_DATA_PANEL,
    ),
]
MetricDirectionOption = Annotated[
    bool | None,
    typer.Option(
        "--greater-is-better/--lower-is-better",
        help="Whether greater or lower values of --metric are better.",
        show_default="greater",
        rich_help_panel=_DATA_PANEL,
    ),
]
PercentOption = Annotated[
    bool,
    typer.Option(
        "--percent", help="Show that metric as a percentage.", rich_help_panel=_DATA_PANEL
    ),
]
DummyScoreOption = Annotated[
    float | None,
    typer.Option(
        help="What guessing scores by that metric, and a diverged run is scored as.",
        show_default="0; needed with --lower-is-better",
        rich_help_panel=_DATA_PANEL,
    ),
]
LrOption = Annotated[
    float | None,
    typer.Option(
        "--lr", help="The base rate.", show_default=_DEFAULT_LRS, rich_help_panel=_TRAINING_PANEL
    ),
]
LrGridOption = Annotated[
    str | None,
    typer.Option(
        "--lr",
        metavar="RATE,...",
        help="The peak rates that every schedule is tried with, such as 0.01,0.03,0.1.",
        show_default="0.01 to 1 for sgd, 0.0003 to 0.03 for the others; with --no-tune "
        + _DEFAULT_LRS,
        rich_help_panel=PROTOCOL_PANEL,
    ),
]
MomentumOption = Annotated[
    float, typer.Option(help="Of sgd and rmsprop.", rich_help_panel=_TRAINING_PANEL)
]
MomentumGridOption = Annotated[
    str | None,
    typer.Option(
        "--momentum",
        metavar="NUMBER,...",
        help="Of sgd and rmsprop; each is tried with every rate.",
        show_default="0,0.9; with --no-tune 0",
        rich_help_panel=PROTOCOL_PANEL,
    ),
]
OptimizerOption = Annotated[
    str, typer.Option(help="sgd, adam, adamw or rmsprop.", rich_help_panel=_TRAINING_PANEL)
]
WeightDecayOption = Annotated[
    float | None,
    typer.Option(show_default="torch's: 0.01 for adamw, else 0", rich_help_panel=_TRAINING_PANEL),
]
MaxGradNormOption = Annotated[
    float | None,
    typer.Option(
        help="The largest norm that the gradient of a step may have.",
        show_default="no limit",
        rich_help_panel=_TRAINING_PANEL,
    ),
]
ValidationSizeOption = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="The share of the training rows that is held out of training, for schedules such as "
        "Plateau() to watch.",
        show_default="0",
        rich_help_panel=_TRAINING_PANEL,
    ),
]
StudyValidationSizeOption = Annotated[
    float | None,
    typer.Option(
        "--validation",
        metavar="SHARE",
        help="The share of the training rows that is held out of training: what settings and best "
        "epochs are chosen by, and what schedules such as Plateau() watch.",
        show_default="0.2 where something is chosen, else 0",
        rich_help_panel=PROTOCOL_PANEL,
    ),
]
EpochsOption = Annotated[
    int, typer.Option(help="Passes over the data.", rich_help_panel=_TRAINING_PANEL)
]
BatchSizeOption = Annotated[
    int, typer.Option(help="Rows per step.", rich_help_panel=_TRAINING_PANEL)
]
StepEveryOption = Annotated[
    str,
    typer.Option(
        help="Step the schedule once per epoch or per step.", rich_help_panel=_TRAINING_PANEL
    ),
]
ShuffleOption = Annotated[
    bool | None,
    typer.Option(
        "--shuffle/--no-shuffle",
        help="Reshuffle the batches every epoch.",
        show_default="as the data set has it; tables are shuffled",
        rich_help_panel=_TRAINING_PANEL,
    ),
]
EngineOption = Annotated[
    str,
    typer.Option(
        help="loop (one run at a time), ensemble (many at once), auto (the faster one, but that of "
        "the runs that are stored already), or ray (as auto, on a Ray cluster).",
        rich_help_panel=_ENGINE_PANEL,
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Of the Ray cluster.",
        show_default="that of this machine; one of this machine alone where there is none",
        rich_help_panel=_ENGINE_PANEL,
    ),
]
GpusPerRunOption = Annotated[
    float,
    typer.Option(
        "--num-gpus", help="That a training function needs on Ray.", rich_help_panel=_ENGINE_PANEL
    ),
]
TargetScoreOption = Annotated[
    float | None,
    typer.Option(
        help="The score that schedules are ranked by their time to reach.",
        show_default="the constant rate's mean",
    ),
]
PlotOutputOption = Annotated[
    Path | None, typer.Option("--png", help="Where the picture goes.", show_default="DATA.png")
]
DeviceOption = Annotated[str, typer.Option(help="cpu or cuda.", rich_help_panel=_ENGINE_PANEL)]
MemoryOption = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="What the ensemble may fill, all processes together, such as 2GB.",
        show_default="half of this machine's",
        rich_help_panel=_ENGINE_PANEL,
    ),
]
TorchCompileOption = Annotated[
    bool,
    typer.Option(
        "--compile",
        help="Send the ensemble's steps through torch.compile: slow to start, then faster.",
        rich_help_panel=_ENGINE_PANEL,
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Processes.",
        show_default="one per core, but of the ensemble no more than --memory has GiB",
        rich_help_panel=_ENGINE_PANEL,
    ),
]

_PROBLEM_OPTIONS = (
    "data",
    "target",
    "task",
    "header",
    "file",
    "test",
    "metric",
    "greater_is_better",
    "percent",
    "dummy_score",
)
"""The options that name the problem."""


@dataclass(frozen=True)
class StudyOptions:
    """What a person asks to be compared, as typed."""

    data: DataArgument
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
    db: db_options.DbOption = db_options.DEFAULT_DB
    lr: LrGridOption = None
    momentum: MomentumGridOption = None
    tune: Annotated[
        bool,
        typer.Option(
            "--tune/--no-tune",
            help="Choose the best rate and momentum for each schedule; without, all have the same.",
            rich_help_panel=PROTOCOL_PANEL,
        ),
    ] = True
    tuning_seeds: Annotated[
        int, typer.Option(help="Seeds to choose with.", rich_help_panel=PROTOCOL_PANEL)
    ] = 20
    grid_extensions: Annotated[
        int,
        typer.Option(
            help="How many rates may be added for a schedule whose best rate is the last of the "
            "grid.",
            rich_help_panel=PROTOCOL_PANEL,
        ),
    ] = 3
    score: Annotated[
        str,
        typer.Option(
            help="final, after the last epoch, or best, after the epoch that was best on held-out "
            "rows.",
            rich_help_panel=PROTOCOL_PANEL,
        ),
    ] = "final"
    validation_size: StudyValidationSizeOption = None
    seed: Annotated[
        int,
        typer.Option(
            help="Of the study: all other seeds are drawn from it.",
            rich_help_panel=PROTOCOL_PANEL,
        ),
    ] = 0
    target_score: TargetScoreOption = None
    output: PlotOutputOption = None
    target: TargetOption = None
    task: TaskOption = None
    header: HeaderOption = None
    file: FileOption = None
    test: TestOption = None
    metric: MetricOption = None
    greater_is_better: MetricDirectionOption = None
    percent: PercentOption = False
    dummy_score: DummyScoreOption = None
    optimizer: OptimizerOption = "sgd"
    weight_decay: WeightDecayOption = None
    max_grad_norm: MaxGradNormOption = None
    epochs: EpochsOption = 50
    batch_size: BatchSizeOption = 24
    step_every: StepEveryOption = "epoch"
    shuffle: ShuffleOption = None
    engine: EngineOption = "auto"
    device: DeviceOption = "cpu"
    torch_compile: TorchCompileOption = False
    memory: MemoryOption = None
    workers: WorkersOption = None
    address: AddressOption = None
    gpus_per_run: GpusPerRunOption = 0.0

    def parse_schedules(self) -> "list[Schedule]":
        """Those that are named."""
        return [parsing.parse_schedule(text) for text in self.schedule or []]

    def load_problem(self) -> "Trainable":
        """What is trained."""
        return parsing.load_problem_from_options(
            **{name: getattr(self, name) for name in _PROBLEM_OPTIONS}
        )

    def serialize_problem_options(self) -> str:
        """What ``reading.load_problem_from_options`` takes to make ``problem`` again, and the folder, as JSON."""
        problem_options = {
            name: value for name, value in asdict(self).items() if name in _PROBLEM_OPTIONS
        }
        return json.dumps({"folder": os.getcwd()} | problem_options, default=str)

    def resolve_engines_and_backend(self) -> "tuple[tuple[Engine, ...], Backend]":
        """The engines to choose from, and where they train."""
        from lrlab.lab import resolve_backend
        from lrlab.studies import list_engines

        memory = parsing.parse_optional_size(self.memory)
        engine_choice, backend = resolve_backend(
            self.engine, self.workers, memory, self.address, self.gpus_per_run
        )
        return list_engines(engine_choice, self.device, self.torch_compile), backend

    def build_plan(self, problem: "Trainable", schedules: "list[Schedule]") -> "Plan":
        """The plan of the study, its engine not yet settled."""
        from lrlab.lab import plan_study
        from lrlab.studies import Protocol

        return plan_study(
            problem,
            schedules or None,
            lrs=None if self.lr is None else parsing.parse_numbers("--lr", self.lr),
            momenta=None
            if self.momentum is None
            else parsing.parse_numbers("--momentum", self.momentum),
            tune=self.tune,
            protocol=Protocol(
                self.seeds, self.tuning_seeds, self.grid_extensions, self.score, self.seed
            ),
            validation_size=self.validation_size,
            shuffle=self.shuffle,
            optimizer=self.optimizer.lower(),
            weight_decay=self.weight_decay,
            max_grad_norm=self.max_grad_norm,
            epochs=self.epochs,
            batch_size=self.batch_size,
            step_every=self.step_every,
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
