"""``lrlab plan``: show what ``lrlab compare`` would do, without training."""

from lrlab.cli.console import echo
from lrlab.cli.run_study import print_preflight
from lrlab.cli.study_options import StudyOptions


def plan(options: StudyOptions) -> None:
    """Show the phases, runs, time and disk space of a study; `lrlab compare` runs it.

    Takes the options of `lrlab compare`, except --target-score, --output and --force.
    """
    planned = options.plan_study()
    from lrlab.views.plan_report import format_engine, format_plan

    print_preflight(planned)
    echo(format_engine(planned.engine_choice), err=True)
    echo(format_plan(planned.plan, planned.estimate_cost(), planned.count_stored_runs()))
