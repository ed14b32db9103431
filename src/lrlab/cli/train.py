"""``lrlab train``: train once and print every epoch."""

from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import study_options
from lrlab.cli.console import echo
from lrlab.cli.import_option import ImportOption
from lrlab.cli.run_study import print_preflight

if TYPE_CHECKING:
    from lrlab.lab import Epoch


def train(
    data: study_options.DataArgument,
    schedule: Annotated[
        str | None,
        typer.Option(
            metavar="SCHEDULE",
            help="Schedule, such as 'Warmup(5) >> Cosine(45)' or 'torch.StepLR(30)'.",
            show_default="a constant rate",
        ),
    ] = None,
    imports: ImportOption = None,
    seed: Annotated[
        int, typer.Option(help="Seed of the split, the initial weights and the batch order.")
    ] = 0,
    target: study_options.TargetOption = None,
    task: study_options.TaskOption = None,
    header: study_options.HeaderOption = None,
    ionosphere_file: study_options.IonosphereFileOption = None,
    test_file: study_options.TestFileOption = None,
    metric: study_options.MetricOption = None,
    greater_is_better: study_options.MetricDirectionOption = None,
    percent: study_options.PercentOption = False,
    dummy_score: study_options.DummyScoreOption = None,
    lr: study_options.LrOption = None,
    momentum: study_options.MomentumOption = 0.0,
    optimizer: study_options.OptimizerOption = "sgd",
    weight_decay: study_options.WeightDecayOption = None,
    dampening: study_options.DampeningOption = 0.0,
    nesterov: study_options.NesterovOption = False,
    betas: study_options.BetasOption = "0.9,0.999",
    eps: study_options.EpsOption = 1e-8,
    alpha: study_options.AlphaOption = 0.99,
    centered: study_options.CenteredOption = False,
    max_grad_norm: study_options.MaxGradNormOption = None,
    validation_size: study_options.ValidationSizeOption = 0.0,
    epochs: study_options.EpochsOption = 50,
    batch_size: study_options.BatchSizeOption = 24,
    step_every: study_options.StepEveryOption = "epoch",
    shuffle: study_options.ShuffleOption = None,
) -> None:
    """Train once; print the learning rate of every epoch and the final score."""
    from lrlab.lab import plan_training
    from lrlab.views import run_log

    source = study_options.create_source(
        data,
        {
            "target": target,
            "task": task,
            "header": header,
            "ionosphere_file": ionosphere_file,
            "test_file": test_file,
            "metric": metric,
            "greater_is_better": greater_is_better,
            "percent": percent,
            "dummy_score": dummy_score,
        },
    )
    planned = plan_training(
        source,
        schedule,
        seed=seed,
        lr=lr,
        momentum=momentum,
        optimizer=optimizer,
        weight_decay=weight_decay,
        dampening=dampening,
        nesterov=nesterov,
        betas=study_options.parse_betas(betas),
        eps=eps,
        alpha=alpha,
        centered=centered,
        max_grad_norm=max_grad_norm,
        validation_size=validation_size,
        epochs=epochs,
        batch_size=batch_size,
        step_every=step_every,
        shuffle=shuffle,
    )
    print_preflight(planned)
    problem, run = planned.problem, planned.run

    def print_epoch(epoch: "Epoch") -> None:
        if problem.has_rows:
            line = run_log.format_epoch(
                epoch, run.settings, has_schedule=run.schedule is not None, metric=problem.metric
            )
        else:
            line = run_log.format_reported_epoch(epoch, problem.metric)
        echo(line)

    result = planned.train(print_epoch)
    echo(run_log.format_result(result, problem.metric))
