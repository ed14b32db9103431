"""What a study will do, as text, before it is begun."""

from collections.abc import Iterator

from lrlab._checks import pluralize
from lrlab.studies import CostEstimate, Plan
from lrlab.views.text import describe_grid, describe_validation_rows, format_duration


def format_plan(plan: Plan, estimate: CostEstimate, stored_run_count: int) -> str:
    """The phases of a study with their runs, and what they take.

    Args:
        plan: the study.
        estimate: see ``estimate``.
        stored_run_count: how many runs of its first phase are stored already.
    """
    lines = [
        *_describe_phases(plan, estimate),
        "",
        *_list_schedules(plan),
        "",
        *_describe_cost(plan, estimate, stored_run_count),
    ]
    return "\n".join(lines)


def _describe_phases(plan: Plan, estimate: CostEstimate) -> Iterator[str]:
    protocol, schedules = plan.protocol, pluralize(len(plan.schedules), "schedule")
    if plan.is_tuned:
        yield (
            f"tuning    {estimate.tuning_runs:>6} runs   {schedules} x {describe_grid(plan)} x "
            f"{pluralize(protocol.tuning_seeds, 'seed')};"
        )
        yield f"{'':24}chosen by mean {_describe_score(plan)} on {describe_validation_rows(plan)}, held out"
    if estimate.max_extension_runs:
        yield (
            f"widening <={estimate.max_extension_runs:>5} runs   a schedule whose best rate is the last of the "
            f"grid gets up to {protocol.grid_extensions} more"
        )
    settings_text = "at its best" if plan.is_tuned else "as it is"
    yield (
        f"final     {estimate.final_runs:>6} runs   each schedule {settings_text} x "
        f"{pluralize(protocol.seeds, 'fresh seed')}, scored on test rows"
    )
    if plan.is_tuned:
        yield f"{'':24}and the constant rate at all settings and halfway between the rates: a"
        yield f"{'':24}winner has to beat them all"


def _describe_score(plan: Plan) -> str:
    when = "after the last epoch" if plan.protocol.score == "final" else "at its best epoch"
    return f"{plan.problem.metric.name} {when}"


def _list_schedules(plan: Plan) -> Iterator[str]:
    yield "schedules"
    for schedule in plan.schedules:
        yield f"  {schedule}"


def _describe_cost(plan: Plan, estimate: CostEstimate, stored_run_count: int) -> Iterator[str]:
    min_run_count = estimate.tuning_runs + estimate.final_runs
    run_count = _format_range(min_run_count, min_run_count + estimate.max_extension_runs)
    stored = f", {stored_run_count} of them stored already" if stored_run_count else ""
    yield f"{run_count} runs of {pluralize(plan.grid[0].epochs, 'epoch')}, {plan.engine}{stored}"
    if estimate.seconds is None:
        yield "time: as long as the function takes, which only it knows; try --seeds 1 --no-tune"
    else:
        shortest, longest = (format_duration(seconds) for seconds in estimate.seconds)
        duration_text = shortest if shortest == longest else f"{shortest} to {longest}"
        yield f"about {duration_text} on this machine"
    yield f"about {_format_range(*(_to_megabytes(size) for size in estimate.database_bytes))} MB in the database"


def _format_range(low: float, high: float) -> str:
    low_text, high_text = (
        f"{number:.0f}" if number >= 10 else f"{number:g}" for number in (low, high)
    )
    return low_text if low_text == high_text else f"{low_text} to {high_text}"


def _to_megabytes(size: float) -> float:
    return float(f"{size / 1e6:.2g}")
