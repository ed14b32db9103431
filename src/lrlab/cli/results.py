"""``lrlab results``: show the answer and the tables of a stored study again."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import db_options, study_options
from lrlab.cli.console import echo
from lrlab.cli.import_option import ImportOption
from lrlab.cli.run_study import check_plot_output


def results(
    study: db_options.StudyArgument = None,
    db: db_options.DbOption = db_options.DEFAULT_DB,
    imports: ImportOption = None,
    target_score: study_options.TargetScoreOption = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Also write the plot.", show_default=False),
    ] = None,
    force: study_options.ForceOption = False,
) -> None:
    """Show the answer and the tables of a stored study, from the database alone."""
    if output is not None:
        check_plot_output(output, force)
    from lrlab.lab import check_target_score, load_study
    from lrlab.views.study_table import format_report

    stored_study = load_study(study, db)
    check_target_score(stored_study, target_score)
    echo(format_report(stored_study, target_score))
    if output is not None:
        from lrlab.views.study_plots import save_study_plot

        save_study_plot(stored_study, output)
        echo(f"\nPlot: {output}")
