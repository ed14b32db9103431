"""``lrlab train``: one run, printed epoch by epoch as the tutorial prints it."""

from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import options, reading
from lrlab.cli.introduction import introduce

if TYPE_CHECKING:
    from lrlab.training import Epoch


def train(
    data: options.Data,
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
    target: options.Target = None,
    task: options.Task = None,
    header: options.Header = None,
    file: options.File = None,
    test: options.Test = None,
    metric: options.Metric = None,
    less_is_better: options.LessIsBetter = False,
    percent: options.Percent = False,
    guess: options.Guess = None,
    lr: options.Rate = None,
    momentum: options.Momentum = 0.0,
    optimizer: options.Optimizer = "sgd",
    weight_decay: options.WeightDecay = None,
    clip: options.Clip = None,
    validation: options.Validation = None,
    epochs: options.Epochs = 50,
    batch_size: options.BatchSize = 24,
    per: options.Per = "epoch",
    shuffle: options.Shuffle = None,
) -> None:
    """Train once and print the rate of every epoch and the final score."""
    chosen = None if schedule is None else reading.schedule_of(schedule)
    problem = reading.problem_of(
        data, target, task, header, file, test, metric, less_is_better, percent, guess
    )
    settings = reading.settings_of(
        problem,
        optimizer,
        lr,
        shuffle,
        validation,
        momentum=momentum,
        weight_decay=weight_decay,
        clip=clip,
        epochs=epochs,
        batch_size=batch_size,
        per=per,
    )

    from lrlab.problems import TrainingFunction
    from lrlab.training import Run, functions
    from lrlab.training import train as train_run
    from lrlab.training.threads import one_thread
    from lrlab.views import lines

    run = Run(chosen, settings, seed)
    introduce(problem, (settings,), [] if chosen is None else [chosen])

    by = problem.metric
    of_function = isinstance(problem, TrainingFunction)

    def report(epoch: "Epoch") -> None:
        if of_function:
            typer.echo(lines.reported(epoch, by))
        else:
            typer.echo(lines.epoch(epoch, settings, scheduled=chosen is not None, metric=by))

    with one_thread():
        if isinstance(problem, TrainingFunction):
            result = functions.train(problem, run, report)
        else:
            result = train_run(problem, run, report)
    typer.echo(lines.result(result, by))
