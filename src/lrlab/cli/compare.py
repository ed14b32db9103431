"""``lrlab compare``: tune all schedules alike, score them on fresh seeds, recommend one."""

from lrlab.cli.console import echo
from lrlab.cli.run_study import check_plot_output, present_study, print_preflight, run_study
from lrlab.cli.study_options import (
    ForceOption,
    PlotOutputOption,
    StudyOptions,
    TargetScoreOption,
)


def compare(
    options: StudyOptions,
    target_score: TargetScoreOption = None,
    output: PlotOutputOption = None,
    force: ForceOption = False,
) -> None:
    """Find the best schedule: tune all schedules alike, then score them on the same fresh seeds.

    `lrlab plan` shows the runs beforehand. Repeat a stopped command to continue it.
    """
    if output is not None:
        check_plot_output(output, force)
    planned = options.plan_study()
    from lrlab.lab import check_target_score
    from lrlab.views.plan_report import format_engine

    check_target_score(planned, target_score)
    print_preflight(planned)
    echo(format_engine(planned.engine_choice), err=True)
    present_study(run_study(planned, output), target_score, output, options.db)
