"""``lrlab train``: one run, printed epoch by epoch as the tutorial prints it."""

from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import parsing, study_options
from lrlab.cli.preflight import print_preflight

if TYPE_CHECKING:
    from lrlab.training import Epoch


def train(
    data: study_options.DataArgument,
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
    target: study_options.TargetOption = None,
    task: study_options.TaskOption = None,
    header: study_options.HeaderOption = None,
    file: study_options.FileOption = None,
    test: study_options.TestOption = None,
    metric: study_options.MetricOption = None,
    greater_is_better: study_options.MetricDirectionOption = None,
    percent: study_options.PercentOption = False,
    dummy_score: study_options.DummyScoreOption = None,
    lr: study_options.LrOption = None,
    momentum: study_options.MomentumOption = 0.0,
    optimizer: study_options.OptimizerOption = "sgd",
    weight_decay: study_options.WeightDecayOption = None,
    max_grad_norm: study_options.MaxGradNormOption = None,
    validation_size: study_options.ValidationSizeOption = None,
    epochs: study_options.EpochsOption = 50,
    batch_size: study_options.BatchSizeOption = 24,
    step_every: study_options.StepEveryOption = "epoch",
    shuffle: study_options.ShuffleOption = None,
) -> None:
    """Train once and print the rate of every epoch and the final score."""
    parsed_schedule = None if schedule is None else parsing.parse_schedule(schedule)
    problem = parsing.load_problem_from_options(
        data, target, task, header, file, test, metric, greater_is_better, percent, dummy_score
    )
    settings = parsing.make_settings(
        problem,
        optimizer,
        lr,
        shuffle,
        validation_size,
        momentum=momentum,
        weight_decay=weight_decay,
        max_grad_norm=max_grad_norm,
        epochs=epochs,
        batch_size=batch_size,
        step_every=step_every,
    )

    from lrlab.problems import TrainingFunction
    from lrlab.training import Run, context
    from lrlab.training import train as train_run
    from lrlab.training.engines import use_one_thread
    from lrlab.views import run_log

    run = Run(parsed_schedule, settings, seed)
    print_preflight(problem, (settings,), [] if parsed_schedule is None else [parsed_schedule])

    problem_metric = problem.metric
    is_function = isinstance(problem, TrainingFunction)

    def print_epoch(epoch: "Epoch") -> None:
        if is_function:
            typer.echo(run_log.format_reported_epoch(epoch, problem_metric))
        else:
            typer.echo(
                run_log.format_epoch(
                    epoch, settings, has_schedule=parsed_schedule is not None, metric=problem_metric
                )
            )

    with use_one_thread():
        if isinstance(problem, TrainingFunction):
            result = context.run_training_function(problem, run, print_epoch)
        else:
            result = train_run(problem, run, print_epoch)
    typer.echo(run_log.format_result(result, problem_metric))
