"""What `lrlab plan` prints: a study's phases, runs, time and disk space, and why its engine."""

from collections.abc import Iterator

from lrlab.errors import pluralize
from lrlab.studies import CostEstimate, Plan
from lrlab.training.probing import EngineChoice, EngineReason
from lrlab.views.settings_text import format_grid, format_validation_rows
from lrlab.views.text import Column, format_columns, format_duration


def format_plan(plan: Plan, estimate: CostEstimate, stored_run_count: int) -> str:
    """Return the phases of a study with their runs, its schedules, and what it costs.

    Args:
        plan: the study.
        estimate: of its cost.
        stored_run_count: how many runs of its first phase are stored already.
    """
    return "\n".join(
        (
            _format_phases(plan, estimate),
            "",
            "schedules",
            *(f"  {schedule}" for schedule in plan.schedules),
            "",
            *_describe_cost(plan, estimate, stored_run_count),
        )
    )


def format_engine(choice: EngineChoice) -> str:
    """Return ``engine: loop (as requested)``: the engine, and why it was selected.

    >>> from lrlab.training.engines import LoopEngine
    >>> format_engine(EngineChoice(LoopEngine(), EngineReason.RUNS_STORED, stored_count=4))
    'engine: loop (it trained 4 of these runs already)'
    """
    return f"engine: {choice.engine} ({explain_engine(choice)})"


def explain_engine(choice: EngineChoice) -> str:
    """Return why an engine was selected, as a clause."""
    match choice.reason:
        case EngineReason.REQUESTED:
            return "as requested"
        case EngineReason.STUDY_BEGAN:
            return "this study began with it"
        case EngineReason.RUNS_STORED:
            return f"it trained {choice.stored_count} of these runs already"
        case EngineReason.FASTER:
            times = choice.times
            assert times is not None
            return (
                f"time per run-step: loop {_format_step_time(times.loop_seconds)}, "
                f"{times.engine_kind} {_format_step_time(times.engine_seconds)} "
                f"({pluralize(times.run_count, 'run')})"
            )
        case EngineReason.LOOP_ONLY:
            assert choice.obstacle is not None
            return choice.obstacle
        case EngineReason.LOSS_DIFFERS:
            return (
                "the ensemble gives another loss, because the network keeps state outside its "
                "parameters and buffers"
            )


def _format_step_time(seconds: float) -> str:
    return f"{1e6 * seconds:.3g} µs" if seconds < 1e-3 else f"{1e3 * seconds:.3g} ms"


def _format_phases(plan: Plan, estimate: CostEstimate) -> str:
    names, run_counts, descriptions = zip(*_describe_phases(plan, estimate), strict=True)
    return format_columns(
        [
            Column("phase", names, "left"),
            Column("runs", run_counts),
            Column("", descriptions, "left"),
        ]
    )


def _describe_phases(plan: Plan, estimate: CostEstimate) -> Iterator[tuple[str, str, str]]:
    """Yield name, number of runs and description of each phase, in one row or several."""
    protocol = plan.protocol
    if plan.is_tuned:
        yield (
            "tuning",
            f"{estimate.tuning_runs}",
            f"{pluralize(len(plan.schedules), 'schedule')} x {format_grid(plan)} x "
            f"{pluralize(protocol.tuning_seeds, 'seed')};",
        )
        when = "after the last epoch" if protocol.score == "final" else "at its best epoch"
        yield (
            "",
            "",
            f"each schedule gets the settings with the best mean {plan.problem.metric.name} {when}",
        )
        yield "", "", f"on validation rows ({format_validation_rows(plan)})"
    if estimate.max_extension_runs:
        yield (
            "grid extension",
            f"<= {estimate.max_extension_runs}",
            f"up to {pluralize(protocol.grid_extensions, 'more learning rate')} for a schedule "
            "that is best at the edge of the grid",
        )
    settings = "at its best settings" if plan.is_tuned else "at the same settings"
    yield (
        "final",
        f"{estimate.final_runs}",
        f"each schedule {settings} x {pluralize(protocol.seeds, 'fresh seed')}, scored on "
        "test rows",
    )
    if plan.is_tuned:
        yield (
            "",
            "",
            "and the constant rate at all settings and halfway between the learning rates:",
        )
        yield "", "", "a winner must beat it at all of these"


def _describe_cost(plan: Plan, estimate: CostEstimate, stored_run_count: int) -> Iterator[str]:
    run_count = _format_range(*estimate.run_counts)
    stored = f", {stored_run_count} of them stored already" if stored_run_count else ""
    epochs = pluralize(plan.grid[0].epochs, "epoch")
    yield f"{run_count} runs of {epochs}{stored}; engine: {plan.engine}"
    if estimate.seconds is None:
        yield "time: unknown for a training function; try `seeds=1, tune=False` first"
    else:
        shortest, longest = (format_duration(seconds) for seconds in estimate.seconds)
        duration = shortest if shortest == longest else f"{shortest} to {longest}"
        yield f"time: about {duration} on this machine"
    sizes = (_to_megabytes(size) for size in estimate.database_bytes)
    yield f"database: about {_format_range(*sizes)} MB"


def _format_range(low: float, high: float) -> str:
    low_text, high_text = (
        f"{number:.0f}" if number >= 10 else f"{number:g}" for number in (low, high)
    )
    return low_text if low_text == high_text else f"{low_text} to {high_text}"


def _to_megabytes(size: float) -> float:
    return float(f"{size / 1e6:.2g}")
