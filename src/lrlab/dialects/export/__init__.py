"""A schedule as the Python program that builds it in another library."""

from collections.abc import Callable, Mapping

from lrlab._checks import is_positive
from lrlab.dialects.export import keras, optax, torch, transformers
from lrlab.errors import ScheduleError, format_suggestion
from lrlab.schedules import Schedule

__all__ = ["to_code"]

_CODE_WRITERS: Mapping[str, Callable[[Schedule, float | None], str]] = {
    "torch": torch.to_code,
    "transformers": transformers.to_code,
    "optax": optax.to_code,
    "keras": keras.to_code,
}
"""By library, a function of a bound schedule and the base rate."""


def to_code(schedule: Schedule, library: str, base: float | None = None) -> str:
    """A Python program that builds the schedule in another library.

    Its rates are those of ``schedule`` over the schedule's length; where the library goes on
    differently after its end, a comment says so. For torch and transformers, which schedule an
    ``optimizer`` of that name, the program makes a ``scheduler``; for optax and keras, whose
    rates are absolute, a ``schedule``.

    Args:
        schedule: any schedule without durations that need ``bind``.
        library: ``"torch"``, ``"transformers"``, ``"optax"`` or ``"keras"``.
        base: the rate of the optimizer, above 0; needed where a factor must become an absolute
            rate, or the other way round.

    Raises:
        ScheduleError: an argument is none of these; ``base`` is missing; or the library cannot
            express a part of the schedule, which the message names together with what can.

    >>> from lrlab.schedules import Cosine, Warmup
    >>> print(to_code(Warmup(4) >> Cosine(45), "torch"))
    from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
    <BLANKLINE>
    # Past its end, torch's cosine climbs again.
    scheduler = SequentialLR(
        optimizer,
        [
            LinearLR(optimizer, start_factor=1 / 5, end_factor=1.0, total_iters=4),
            CosineAnnealingLR(optimizer, T_max=45),
        ],
        milestones=[4],
    )
    <BLANKLINE>
    """
    if not isinstance(schedule, Schedule):
        raise ScheduleError(f"write: schedule must be a schedule, got {schedule!r}.")
    if not isinstance(library, str) or library not in _CODE_WRITERS:
        hint = format_suggestion(str(library), _CODE_WRITERS) or "."
        raise ScheduleError(
            f"write: library must be one of {', '.join(_CODE_WRITERS)}, got {library!r}{hint}"
        )
    if base is not None and not is_positive(base):
        raise ScheduleError(f"write: base must be a rate above 0, got {base!r}.")
    return _CODE_WRITERS[library](schedule.bind(), None if base is None else float(base))
