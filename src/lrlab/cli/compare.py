"""``lrlab compare``: tune every schedule alike, score all on fresh seeds, say what to use."""

from dataclasses import replace

import typer

from lrlab.cli.preflight import print_preflight
from lrlab.cli.run_study import (
    check_plot_output,
    get_default_plot_output,
    present_study,
    run_study_with_progress,
)
from lrlab.cli.study_options import StudyOptions


def compare(options: StudyOptions) -> None:
    """Find out which schedule is best: tune all alike, then score them on the same fresh seeds.

    `lrlab plan` shows beforehand what will be done. Repeat a stopped command to continue it.
    """
    from lrlab.studies import Store, select_engine
    from lrlab.studies.statistics.time_to_target import check_target_score

    schedules = options.parse_schedules()
    engines, backend = options.resolve_engines_and_backend()
    problem = options.load_problem()
    check_target_score(options.target_score, problem.metric)
    plan = options.build_plan(problem, schedules)
    if options.output is not None:
        check_plot_output(options.output, options.force)
    print_preflight(problem, plan.grid, schedules, plan.schedules)
    with Store(options.db) as store:
        engine, reason = select_engine(plan, store, engines, backend)
        typer.echo(f"engine: {engine} ({reason})", err=True)
        plan = replace(plan, engine=engine)
        output = options.output or get_default_plot_output(plan)
        study = run_study_with_progress(plan, store, backend, options.serialize_problem_options())
    present_study(study, options.target_score, output, options.db)
