"""``lrlab train``: one run, printed epoch by epoch as the tutorial prints it."""

from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import options, reading
from lrlab.cli.introduction import print_preflight

if TYPE_CHECKING:
    from lrlab.training import Epoch


def train(
    data: options.DataArgument,
    schedule: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="The schedule, such as 'Warmup(5) >> Cosine(45)' or 'torch.StepLR(30)'; "
            "a constant rate when left out.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Fixes split, initial weights and order of batches.")
    ] = 0,
    target: options.TargetOption = None,
    task: options.TaskOption = None,
    header: options.HeaderOption = None,
    file: options.FileOption = None,
    test: options.TestOption = None,
    metric: options.MetricOption = None,
    less_is_better: options.MetricDirectionOption = False,
    percent: options.PercentOption = False,
    dummy_score: options.DummyScoreOption = None,
    lr: options.LrOption = None,
    momentum: options.MomentumOption = 0.0,
    optimizer: options.OptimizerOption = "sgd",
    weight_decay: options.WeightDecayOption = None,
    max_grad_norm: options.MaxGradNormOption = None,
    validation_size: options.ValidationSizeOption = None,
    epochs: options.EpochsOption = 50,
    batch_size: options.BatchSizeOption = 24,
    step_every: options.StepEveryOption = "epoch",
    shuffle: options.ShuffleOption = None,
) -> None:
    """Train once and print the rate of every epoch and the final score."""
    parsed_schedule = None if schedule is None else reading.parse_schedule(schedule)
    problem = reading.load_problem_from_options(
        data, target, task, header, file, test, metric, less_is_better, percent, dummy_score
    )
    settings = reading.make_settings(
        problem,
        optimizer,
        lr,
        shuffle,
        validation_size,
        momentum=momentum,
        weight_decay=weight_decay,
        clip=max_grad_norm,
        epochs=epochs,
        batch_size=batch_size,
        per=step_every,
    )

    from lrlab.problems import TrainingFunction
    from lrlab.training import Run, functions
    from lrlab.training import train as train_run
    from lrlab.training.threads import use_one_thread
    from lrlab.views import lines

    run = Run(parsed_schedule, settings, seed)
    print_preflight(problem, (settings,), [] if parsed_schedule is None else [parsed_schedule])

    problem_metric = problem.metric
    is_function = isinstance(problem, TrainingFunction)

    def print_epoch(epoch: "Epoch") -> None:
        if is_function:
            typer.echo(lines.format_reported_epoch(epoch, problem_metric))
        else:
            typer.echo(lines.format_epoch(epoch, settings, has_schedule=parsed_schedule is not None, metric=problem_metric))

    with use_one_thread():
        if isinstance(problem, TrainingFunction):
            result = functions.run_training_function(problem, run, print_epoch)
        else:
            result = train_run(problem, run, print_epoch)
    typer.echo(lines.format_result(result, problem_metric))
