"""optax's schedules one after another."""

from collections.abc import Iterable, Sequence

from lrlab.dialects.arguments import check_argument, check_schedule
from lrlab.dialects.parts import truncate
from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule, joins
from lrlab.schedules.parameters import Milestones


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[float]) -> Schedule:
    """Each schedule from its boundary on, on its own clock.

    >>> from lrlab.schedules import Cosine, Exponential, Warmup
    >>> join_schedules([Warmup(5), Exponential(0.9), Cosine(30)], [5, 20])
    Warmup(5) >> Exponential(0.9).until(15) >> Cosine(30)
    """
    func_name = "join_schedules"
    if not isinstance(schedules, Iterable) or not (parts := list(schedules)):
        raise ScheduleError(f"{func_name}: schedules must be a list of schedules, got {schedules!r}.")
    parts = [check_schedule(func_name, schedules=part) for part in parts]
    if len(parts) == 1 and not boundaries:
        return parts[0]
    boundary_steps = check_argument(func_name, Milestones, boundaries=boundaries)
    if len(boundary_steps) != len(parts) - 1 or any(isinstance(step, str) for step in boundary_steps):
        raise ScheduleError(
            f"{func_name}: boundaries must be numbers of steps, one fewer than schedules, got "
            f"{boundaries!r} for {len(parts)}."
        )
    lengths = [end - start for start, end in zip([0, *boundary_steps], boundary_steps, strict=False)]
    truncated = [truncate(part, span) for part, span in zip(parts, lengths, strict=False)]
    return joins.Sequential((*truncated, parts[-1]))
