"""What a study will do, as text, before it is begun."""

from collections.abc import Iterator

from lrlab.problems.tables import counted
from lrlab.studies import Estimate, Plan
from lrlab.views.times import duration
from lrlab.views.wording import grid_named, held_out


def forecast(plan: Plan, taken: Estimate, known: int) -> str:
    """The phases of a study with their runs, and what they take.

    Args:
        plan: the study.
        taken: see ``estimate``.
        known: how many runs of its first phase are stored already.
    """
    lines = [*_phases(plan, taken), "", *_schedules(plan), "", *_taken(plan, taken, known)]
    return "\n".join(lines)


def _phases(plan: Plan, taken: Estimate) -> Iterator[str]:
    protocol, schedules = plan.protocol, counted(len(plan.schedules), "schedule")
    if plan.tuned:
        yield (
            f"tuning    {taken.tuning:>6} runs   {schedules} x {grid_named(plan)} x "
            f"{counted(protocol.tuning_seeds, 'seed')};"
        )
        yield f"{'':24}chosen by mean {_score(plan)} on {held_out(plan)}, held out"
    if taken.widening:
        yield (
            f"widening <={taken.widening:>5} runs   a schedule whose best rate is the last of the "
            f"grid gets up to {protocol.widenings} more"
        )
    at = "at its best" if plan.tuned else "as it is"
    yield (
        f"final     {taken.final:>6} runs   each schedule {at} x "
        f"{counted(protocol.seeds, 'fresh seed')}, scored on test rows"
    )
    if plan.tuned:
        yield f"{'':24}and the constant rate at all settings and halfway between the rates: a"
        yield f"{'':24}winner has to beat them all"


def _score(plan: Plan) -> str:
    when = "after the last epoch" if plan.protocol.score == "final" else "at its best epoch"
    return f"{plan.problem.metric.name} {when}"


def _schedules(plan: Plan) -> Iterator[str]:
    yield "schedules"
    for schedule in plan.schedules:
        yield f"  {schedule}"


def _taken(plan: Plan, taken: Estimate, known: int) -> Iterator[str]:
    least = taken.tuning + taken.final
    runs = _range(least, least + taken.widening)
    stored = f", {known} of them stored already" if known else ""
    yield f"{runs} runs of {counted(plan.grid[0].epochs, 'epoch')}, {plan.engine}{stored}"
    if taken.seconds is None:
        yield "time: as long as the function takes, which only it knows; try --seeds 1 --no-tune"
    else:
        shortest, longest = (duration(seconds) for seconds in taken.seconds)
        time = shortest if shortest == longest else f"{shortest} to {longest}"
        yield f"about {time} on this machine"
    yield f"about {_range(*(_megabytes(size) for size in taken.bytes))} MB in the database"


def _range(least: float, most: float) -> str:
    few, many = (f"{number:.0f}" if number >= 10 else f"{number:g}" for number in (least, most))
    return few if few == many else f"{few} to {many}"


def _megabytes(size: float) -> float:
    return float(f"{size / 1e6:.2g}")
