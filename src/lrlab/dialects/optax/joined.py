"""optax's schedules one after another."""

from collections.abc import Iterable, Sequence

from lrlab.dialects.arguments import read, schedule_of
from lrlab.dialects.parts import ended
from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule, joins
from lrlab.schedules.parameters import Milestones


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[float]) -> Schedule:
    """Each schedule from its boundary on, on its own clock.

    >>> from lrlab.schedules import Cosine, Exponential, Warmup
    >>> join_schedules([Warmup(5), Exponential(0.9), Cosine(30)], [5, 20])
    Warmup(5) >> Exponential(0.9).until(15) >> Cosine(30)
    """
    where = "join_schedules"
    if not isinstance(schedules, Iterable) or not (parts := list(schedules)):
        raise ScheduleError(f"{where}: schedules must be a list of schedules, got {schedules!r}.")
    parts = [schedule_of(where, schedules=part) for part in parts]
    if len(parts) == 1 and not boundaries:
        return parts[0]
    at = read(where, Milestones, boundaries=boundaries)
    if len(at) != len(parts) - 1 or any(isinstance(step, str) for step in at):
        raise ScheduleError(
            f"{where}: boundaries must be numbers of steps, one fewer than schedules, got "
            f"{boundaries!r} for {len(parts)}."
        )
    spans = [end - start for start, end in zip([0, *at], at, strict=False)]
    cut = [ended(part, span) for part, span in zip(parts, spans, strict=False)]
    return joins.Sequence((*cut, parts[-1]))
