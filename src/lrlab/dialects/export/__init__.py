"""``to_code``: the Python code that builds a schedule in another library."""

from importlib import import_module

from lrlab._checks import is_positive
from lrlab.errors import ScheduleError, format_suggestion
from lrlab.lazy import list_modules
from lrlab.schedules import Schedule

__all__ = ["to_code"]

LIBRARIES = list_modules(__path__, excluded=("formulas", "python"))
"""The libraries that code can be written for: all modules of this package that are not excluded.

Each has a function ``to_code``, which takes a bound schedule and the base rate or None.
"""


def to_code(schedule: Schedule, library: str, base: float | None = None) -> str:
    """Write Python code that builds a schedule in another library.

    The code has the rates of ``schedule`` over its length; a comment says if the library differs
    past the end. For torch and transformers the code makes a ``scheduler`` of an ``optimizer``; for
    optax and keras it makes a ``schedule`` of absolute rates.

    Args:
        schedule: a schedule whose durations are in steps.
        library: one of ``LIBRARIES``, such as ``"torch"``.
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
    if not isinstance(library, str) or library not in LIBRARIES:
        hint = format_suggestion(str(library), LIBRARIES) or "."
        raise ScheduleError(
            f"to_code: library must be one of {', '.join(LIBRARIES)}, got {library!r}{hint}"
        )
    if base is not None and not is_positive(base):
        raise ScheduleError(f"to_code: base must be a positive rate, got {base!r}.")
    module = import_module(f"lrlab.dialects.export.{library}")
    code: str = module.to_code(schedule.bind(), None if base is None else float(base))
    return code
