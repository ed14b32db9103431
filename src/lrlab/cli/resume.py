"""``lrlab resume``: continue a stopped study with the options and runs in the database."""

from typing import Annotated

import typer

from lrlab.cli import db_options, study_options
from lrlab.cli.import_option import ImportOption
from lrlab.cli.run_study import check_plot_output, present_study, print_preflight, run_study


def resume(
    study: db_options.StudyArgument = None,
    db: db_options.DbOption = db_options.DEFAULT_DB,
    imports: ImportOption = None,
    target_score: study_options.TargetScoreOption = None,
    output: study_options.PlotOutputOption = None,
    force: study_options.ForceOption = False,
    engine: Annotated[
        str,
        typer.Option(
            metavar="auto|ray",
            help="auto trains on this machine, ray on a Ray cluster; the study keeps its loop or "
            "ensemble.",
        ),
    ] = "auto",
    workers: study_options.WorkersOption = None,
    address: study_options.AddressOption = None,
    gpus_per_run: study_options.GpusPerRunOption = 0.0,
) -> None:
    """Continue a stopped study, or show the results of a finished one."""
    if output is not None:
        check_plot_output(output, force)
    from lrlab.lab import Study, check_target_score, reopen_study

    opened = reopen_study(
        study, db, engine=engine, workers=workers, address=address, gpus_per_run=gpus_per_run
    )
    check_target_score(opened, target_score)
    if not isinstance(opened, Study):
        print_preflight(opened)
        opened = run_study(opened, output)
    present_study(opened, target_score, output, db)
