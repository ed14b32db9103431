"""``lrlab compare``: tune all schedules alike, score them on fresh seeds, recommend one."""

from dataclasses import replace

from lrlab.cli.console import echo
from lrlab.cli.preflight import print_preflight
from lrlab.cli.run_study import (
    check_plot_output,
    get_default_plot_output,
    present_study,
    run_study_with_progress,
)
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
    from lrlab.studies import Store, select_engine
    from lrlab.studies.statistics.time_to_target import check_target_score

    schedules = options.parse_schedules()
    engines, backend = options.resolve_engines_and_backend()
    problem = options.load_problem()
    check_target_score(target_score, is_fraction=problem.metric.percent)
    plan = options.build_plan(problem, schedules)
    if output is not None:
        check_plot_output(output, force)
    print_preflight(problem, plan.grid, schedules, plan.schedules)
    with Store(options.db) as store:
        engine, reason = select_engine(plan, store, engines, backend)
        echo(f"engine: {engine} ({reason})", err=True)
        plan = replace(plan, engine=engine)
        output = output or get_default_plot_output(plan)
        study = run_study_with_progress(plan, store, backend, options.serialize_problem_options())
    present_study(study, target_score, output, options.db)
