"""The options of `lrlab train`, `compare`, `plan` and `resume`, and the study they describe.

Modules that take long to import are imported in functions, so that help appears at once.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from lrlab.cli import db_options
from lrlab.cli.import_option import ImportOption
from lrlab.errors import TrainingError

if TYPE_CHECKING:
    from lrlab.lab import PlannedStudy, ProblemSource

_DATA_PANEL = "Data"
_TRAINING_PANEL = "Training"
_ENGINE_PANEL = "Engine"
_OPTIMIZER_PANEL = "Optimizer"
_PROTOCOL_PANEL = "Protocol"
_DEFAULT_LRS = "0.1 for sgd, 0.001 for other optimizers"

DataArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A built-in data set (breast-cancer, digits, wine, iris, diabetes, ionosphere), the "
        "path of a CSV or similar text file, or a problem or training function in a Python file: "
        "my_problem.py:problem, my_training.py:train.",
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column to predict.",
        show_default="the last column",
        rich_help_panel=_DATA_PANEL,
    ),
]
TaskOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="classification or regression.",
        show_default="detected from the target column",
        rich_help_panel=_DATA_PANEL,
    ),
]
HeaderOption = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first row has the column names.",
        show_default="detected automatically",
        rich_help_panel=_DATA_PANEL,
    ),
]
IonosphereFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Local copy of the ionosphere data.",
        show_default="the one in $LRLAB_DATA, else downloaded",
        rich_help_panel=_DATA_PANEL,
    ),
]
TestFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Table with the test rows.",
        show_default="each seed draws test rows from DATA",
        rich_help_panel=_DATA_PANEL,
    ),
]
MetricOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Metric of a data set or table, such as rmse, r2 or loss (an unknown name lists all); "
        "for a training function the name under which it reports its score.",
        show_default="accuracy for classes, rmse for a quantity; score for a training function",
        rich_help_panel=_DATA_PANEL,
    ),
]
MetricDirectionOption = Annotated[
    bool | None,
    typer.Option(
        "--greater-is-better/--lower-is-better",
        help="Whether greater or lower values of --metric are better.",
        show_default="as for lrlab's metric of that name, such as lower for rmse, else greater",
        rich_help_panel=_DATA_PANEL,
    ),
]
PercentOption = Annotated[
    bool,
    typer.Option("--percent", help="Show --metric as a percentage.", rich_help_panel=_DATA_PANEL),
]
DummyScoreOption = Annotated[
    float | None,
    typer.Option(
        help="Score given to diverged runs, such as that of a constant predictor.",
        show_default="0 if greater is better",
        rich_help_panel=_DATA_PANEL,
    ),
]
LrOption = Annotated[
    float | None,
    typer.Option(
        help="Base learning rate.", show_default=_DEFAULT_LRS, rich_help_panel=_TRAINING_PANEL
    ),
]
LrGridOption = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER,...",
        help="Peak learning rates to try with every schedule, such as 0.01,0.03,0.1.",
        show_default="0.01 to 1 for sgd, 0.0003 to 0.03 for other optimizers; with --no-tune "
        + _DEFAULT_LRS,
        rich_help_panel=_PROTOCOL_PANEL,
    ),
]
MomentumOption = Annotated[
    float, typer.Option(help="Momentum of sgd or rmsprop.", rich_help_panel=_TRAINING_PANEL)
]
MomentumGridOption = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER,...",
        help="Momentum values for sgd or rmsprop to try with every learning rate.",
        show_default="0,0.9; with --no-tune 0",
        rich_help_panel=_PROTOCOL_PANEL,
    ),
]
OptimizerOption = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="sgd, adam, adamw or rmsprop.", rich_help_panel=_OPTIMIZER_PANEL
    ),
]
WeightDecayOption = Annotated[
    float | None,
    typer.Option(
        help="Weight decay of the optimizer.",
        show_default="as in torch: 0.01 for adamw, else 0",
        rich_help_panel=_OPTIMIZER_PANEL,
    ),
]
DampeningOption = Annotated[
    float, typer.Option(help="Dampening of sgd's momentum.", rich_help_panel=_OPTIMIZER_PANEL)
]
NesterovOption = Annotated[
    bool,
    typer.Option(
        "--nesterov", help="Use Nesterov momentum with sgd.", rich_help_panel=_OPTIMIZER_PANEL
    ),
]
BetasOption = Annotated[
    str,
    typer.Option(
        metavar="NUMBER,NUMBER",
        help="Decay rates of the averages of adam and adamw.",
        rich_help_panel=_OPTIMIZER_PANEL,
    ),
]
EpsOption = Annotated[
    float,
    typer.Option(
        help="What adam, adamw and rmsprop add to the denominator.",
        rich_help_panel=_OPTIMIZER_PANEL,
    ),
]
AlphaOption = Annotated[
    float,
    typer.Option(help="Decay rate of the average of rmsprop.", rich_help_panel=_OPTIMIZER_PANEL),
]
CenteredOption = Annotated[
    bool,
    typer.Option(
        "--centered",
        help="Divide by the standard deviation of the gradient with rmsprop.",
        rich_help_panel=_OPTIMIZER_PANEL,
    ),
]
MaxGradNormOption = Annotated[
    float | None,
    typer.Option(
        help="Clip gradients to this norm.",
        show_default="no clipping",
        rich_help_panel=_OPTIMIZER_PANEL,
    ),
]
ValidationSizeOption = Annotated[
    float,
    typer.Option(
        metavar="FRACTION",
        help="Fraction of the training rows used for validation, which metric-driven schedules "
        "such as Plateau() need.",
        rich_help_panel=_TRAINING_PANEL,
    ),
]
StudyValidationSizeOption = Annotated[
    float | None,
    typer.Option(
        metavar="FRACTION",
        help="Fraction of the training rows used for validation: to select settings and best "
        "epochs, and for metric-driven schedules such as Plateau().",
        show_default="0.2 with tuning or --score best, else 0",
        rich_help_panel=_PROTOCOL_PANEL,
    ),
]
EpochsOption = Annotated[
    int, typer.Option(help="Number of epochs.", rich_help_panel=_TRAINING_PANEL)
]
BatchSizeOption = Annotated[
    int, typer.Option(help="Rows per batch.", rich_help_panel=_TRAINING_PANEL)
]
StepEveryOption = Annotated[
    str,
    typer.Option(
        metavar="epoch|step",
        help="Step the schedule once per epoch or once per optimizer step.",
        rich_help_panel=_TRAINING_PANEL,
    ),
]
ShuffleOption = Annotated[
    bool | None,
    typer.Option(
        "--shuffle/--no-shuffle",
        help="Shuffle the training rows every epoch.",
        show_default="DATA decides; tables: shuffled",
        rich_help_panel=_TRAINING_PANEL,
    ),
]
EngineOption = Annotated[
    str,
    typer.Option(
        metavar="auto|loop|ensemble|ray",
        help="loop trains one run at a time, ensemble many at once, auto selects the faster one "
        "unless runs are stored already, ray does so on a Ray cluster.",
        rich_help_panel=_ENGINE_PANEL,
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Address of the Ray cluster.",
        show_default="a cluster running on this machine, else a new one",
        rich_help_panel=_ENGINE_PANEL,
    ),
]
GpusPerRunOption = Annotated[
    float, typer.Option(help="GPUs per run on Ray.", rich_help_panel=_ENGINE_PANEL)
]
TargetScoreOption = Annotated[
    float | None,
    typer.Option(
        help="Score for the time to target: the number of epochs until a schedule reaches it.",
        show_default="mean score of the constant rate",
    ),
]
PlotOutputOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.png",
        help="Path of the plot.",
        show_default="<problem>-<study id>.png",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an existing --output file.")]
DeviceOption = Annotated[
    str,
    typer.Option(metavar="cpu|cuda", help="Device to train on.", rich_help_panel=_ENGINE_PANEL),
]
MemoryOption = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Memory limit of the ensemble, over all processes, such as 2GB. With less than the "
        "ensemble needs, the loop trains (with --engine auto).",
        show_default="half of this machine's memory",
        rich_help_panel=_ENGINE_PANEL,
    ),
]
TorchCompileOption = Annotated[
    bool,
    typer.Option(
        "--torch-compile",
        help="Compile the ensemble's steps with torch.compile: slower start, faster steps.",
        rich_help_panel=_ENGINE_PANEL,
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="<int>",
        help="Number of worker processes.",
        show_default="one per core; for the ensemble at most one per GiB of --memory",
        rich_help_panel=_ENGINE_PANEL,
    ),
]


PROBLEM_OPTIONS = (
    "target",
    "task",
    "header",
    "ionosphere_file",
    "test_file",
    "metric",
    "greater_is_better",
    "percent",
    "dummy_score",
)
"""The options that describe the problem beside DATA."""


def create_source(data: str, options: Mapping[str, Any]) -> "ProblemSource":
    """Create the source of the problem that DATA and the values of ``PROBLEM_OPTIONS`` describe."""
    from lrlab.lab import ProblemSource

    return ProblemSource(data, {**options, "percent": options["percent"] or None})


def parse_numbers(option: str, text: str) -> list[float]:
    """Parse the numbers of an option, separated by commas.

    >>> parse_numbers("--lr", "0.01, 0.1")
    [0.01, 0.1]
    """
    values = []
    for part in text.split(","):
        try:
            values.append(float(part))
        except ValueError:
            context = f" in {text}" if "," in text else ""
            raise TrainingError(
                f"{option} must be a number or several separated by commas, such as 0.01,0.1, got "
                f"{part.strip() or 'nothing'}{context}."
            ) from None
    return values


def parse_betas(text: str) -> tuple[float, float]:
    """Parse ``--betas``.

    >>> parse_betas("0.9,0.95")
    (0.9, 0.95)
    """
    betas = parse_numbers("--betas", text)
    if len(betas) != 2:
        raise TrainingError(
            f"--betas must be two numbers separated by a comma, got {text}; try 0.9,0.999."
        )
    return betas[0], betas[1]


@dataclass(frozen=True)
class StudyOptions:
    """The options of a study as typed on the command line."""

    data: DataArgument
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCHEDULE",
            help="Schedule to compare; repeat the option for several. The constant rate is always "
            "compared too.",
            show_default="about a dozen common schedules",
        ),
    ] = None
    imports: ImportOption = None
    seeds: Annotated[
        int, typer.Option(help="Number of seeds used for the final runs of each schedule.")
    ] = 30
    db: db_options.DbOption = db_options.DEFAULT_DB
    lr: LrGridOption = None
    momentum: MomentumGridOption = None
    tune: Annotated[
        bool,
        typer.Option(
            "--tune/--no-tune",
            help="Select the best learning rate and momentum of each schedule, or use one setting "
            "for all.",
            rich_help_panel=_PROTOCOL_PANEL,
        ),
    ] = True
    tuning_seeds: Annotated[
        int,
        typer.Option(help="Number of seeds used for tuning.", rich_help_panel=_PROTOCOL_PANEL),
    ] = 20
    grid_extensions: Annotated[
        int,
        typer.Option(
            help="Number of learning rates that may be added for a schedule whose best one is at "
            "the edge of the grid.",
            rich_help_panel=_PROTOCOL_PANEL,
        ),
    ] = 3
    score: Annotated[
        str,
        typer.Option(
            metavar="final|best",
            help="Score each run after its last epoch, or after the epoch with the best validation "
            "score.",
            rich_help_panel=_PROTOCOL_PANEL,
        ),
    ] = "final"
    validation_size: StudyValidationSizeOption = None
    seed: Annotated[
        int,
        typer.Option(
            help="Seed of the whole study; all other seeds derive from it.",
            rich_help_panel=_PROTOCOL_PANEL,
        ),
    ] = 0
    target: TargetOption = None
    task: TaskOption = None
    header: HeaderOption = None
    ionosphere_file: IonosphereFileOption = None
    test_file: TestFileOption = None
    metric: MetricOption = None
    greater_is_better: MetricDirectionOption = None
    percent: PercentOption = False
    dummy_score: DummyScoreOption = None
    optimizer: OptimizerOption = "sgd"
    weight_decay: WeightDecayOption = None
    dampening: DampeningOption = 0.0
    nesterov: NesterovOption = False
    betas: BetasOption = "0.9,0.999"
    eps: EpsOption = 1e-8
    alpha: AlphaOption = 0.99
    centered: CenteredOption = False
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

    def plan_study(self) -> "PlannedStudy":
        """Plan the study: each option is the argument of that name."""
        from lrlab.lab import plan_study

        values = {field.name: getattr(self, field.name) for field in fields(self)}
        source = create_source(
            values.pop("data"), {name: values.pop(name) for name in PROBLEM_OPTIONS}
        )
        del values["imports"]  # its callback has imported them
        for name in ("lr", "momentum"):
            if values[name] is not None:
                values[name] = parse_numbers(f"--{name}", values[name])
        values["betas"] = parse_betas(self.betas)
        return plan_study(source, values.pop("schedule") or None, **values)


def add_study_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a Typer command whose options are the fields of ``StudyOptions`` and its own.

    Args:
        command: a function of ``StudyOptions`` and of further options.
    """
    hints = get_type_hints(StudyOptions, include_extras=True)
    study_parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(StudyOptions)
    ]
    _, *command_parameters = inspect.signature(command).parameters.values()
    parameters = [
        *study_parameters,
        *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in command_parameters),
    ]

    @wraps(command)
    def run_command(**values: Any) -> None:
        options = {field.name: values.pop(field.name) for field in fields(StudyOptions)}
        command(StudyOptions(**options), **values)

    vars(run_command)["__signature__"] = inspect.Signature(parameters)
    return run_command
