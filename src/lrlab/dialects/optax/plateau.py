"""optax's schedule that reads a metric."""

from lrlab.dialects.arguments import Fraction, check_argument
from lrlab.errors import ScheduleError
from lrlab.schedules import Plateau, Schedule
from lrlab.schedules.parameters import NonNegativeInteger, NonNegative, Positive


def reduce_on_plateau(
    factor: float = 0.1,
    patience: int = 10,
    rtol: float = 1e-4,
    atol: float = 0.0,
    cooldown: int = 0,
    accumulation_size: int = 1,
    min_scale: float = 0.0,
) -> Schedule:
    """Multiplied by ``factor`` at the ``patience``-th metric in a row that does not improve.

    optax scales the update of a step by what that step's metric made of the scale.

    >>> reduce_on_plateau(0.5, patience=3, rtol=0.0, atol=0.01)
    Plateau(0.5, patience=3, threshold=0.01, threshold_mode="abs", at_patience=True)
    """
    func_name = "reduce_on_plateau"
    relative = check_argument(func_name, Fraction, rtol=rtol)
    difference = check_argument(func_name, NonNegative, atol=atol)
    for is_broken, rule in (
        (not check_argument(func_name, Positive, factor=factor) < 1, f"factor must be below 1, got {factor!r}."),
        (not check_argument(func_name, NonNegativeInteger, patience=patience), f"patience must be 1 or more, got {patience}."),
        (
            (relative > 0) == (difference > 0),
            f"just one of rtol and atol must be above 0, got {rtol!r} and {atol!r}.",
        ),
        (
            accumulation_size != 1,
            f"accumulation_size must be 1, got {accumulation_size!r}: average the metrics "
            "before they are observed.",
        ),
    ):
        if is_broken:
            raise ScheduleError(f"{func_name}: {rule}")
    return Plateau(
        factor,
        patience=patience,
        threshold=relative or difference,
        threshold_mode="rel" if relative else "abs",
        cooldown=cooldown,
        low=check_argument(func_name, Fraction, min_scale=min_scale),
        at_patience=True,
    )
