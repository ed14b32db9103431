"""``to_code``: the Python code that builds a schedule in another library."""

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
"""Functions that write the code of a bound schedule, given the base rate, by library."""


def to_code(schedule: Schedule, library: str, base: float | None = None) -> str:
    """Write Python code that builds a schedule in another library.

    The code has the rates of ``schedule`` over its length; a comment says if the library differs
    past the end. For torch and transformers the code makes a ``scheduler`` of an ``optimizer``; for
    optax and keras it makes a ``schedule`` of absolute rates.

    Args:
        schedule: a schedule whose durations are in steps.
        library: ``"torch"``, ``"transformers"``, ``"optax"`` or ``"keras"``.
        base: learning rate of the optimizer, above 0; needed to convert factors to absolute rates,
            or back.

    Raises:
        ScheduleError: an argument breaks these rules, ``base`` is missing, or the library cannot
            express the schedule; the message says what to use instead.

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
        raise ScheduleError(f"to_code: schedule must be a schedule, got {schedule!r}.")
    if not isinstance(library, str) or library not in _CODE_WRITERS:
        hint = format_suggestion(str(library), _CODE_WRITERS) or "."
        raise ScheduleError(
            f"to_code: library must be one of {', '.join(_CODE_WRITERS)}, got {library!r}{hint}"
        )
    if base is not None and not is_positive(base):
        raise ScheduleError(f"to_code: base must be a positive rate, got {base!r}.")
    return _CODE_WRITERS[library](schedule.bind(), None if base is None else float(base))
