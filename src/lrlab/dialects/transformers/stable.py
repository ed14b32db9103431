"""transformers' warm-up, stable phase and decay."""

from lrlab.dialects.arguments import check_choice, check_argument
from lrlab.dialects.parts import Level
from lrlab.dialects.transformers.warmed import _build_cosine
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Cooldown, Cosine, Linear, Polynomial, Schedule, Warmup
from lrlab.schedules.parameters import NonNegative


def get_wsd_schedule(
    num_warmup_steps: int,
    num_decay_steps: int,
    num_training_steps: int | None = None,
    num_stable_steps: int | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0,
    num_cycles: float = 0.5,
) -> Schedule:
    """A warm-up from the factor ``min_lr_ratio``, the base rate, and a decay to ``min_lr_ratio``.

    The stable phase lasts ``num_stable_steps``; left out, what the other two leave of
    ``num_training_steps``. The types are ``"linear"``, ``"cosine"`` and ``"1-sqrt"``.

    >>> get_wsd_schedule(10, 20, num_training_steps=100, decay_type="1-sqrt")
    Warmup(10, start=0.0) >> Constant(1.0, over=70) >> Cooldown(20)
    """
    func_name = "get_wsd_schedule"
    warmup = check_argument(func_name, NonNegative, num_warmup_steps=num_warmup_steps)
    decay = check_argument(func_name, NonNegative, num_decay_steps=num_decay_steps)
    curve_types = ("linear", "cosine", "1-sqrt")
    check_choice(func_name, *curve_types, warmup_type=warmup_type)
    check_choice(func_name, *curve_types, decay_type=decay_type)
    if num_stable_steps is not None:
        stable = check_argument(func_name, NonNegative, num_stable_steps=num_stable_steps)
    elif num_training_steps is None:
        raise ScheduleError(
            f"{func_name}: num_training_steps or num_stable_steps must be a number of steps, "
            "got None for both."
        )
    else:
        stable = check_argument(func_name, NonNegative, num_training_steps=num_training_steps)
        stable -= warmup + decay
        if stable < 0:
            raise ScheduleError(
                f"{func_name}: num_training_steps must be at least {warmup + decay:g}, the "
                f"steps of warm-up and decay, got {num_training_steps!r}."
            )
    schedule = Constant(1.0, over=stable) >> _build_decay(decay, decay_type, min_lr_ratio, num_cycles)
    if not warmup:
        return schedule
    if warmup_type == "1-sqrt":
        return Polynomial(0.5, over=warmup, start=min_lr_ratio, end=1.0) >> schedule
    return Warmup(warmup, start=min_lr_ratio, curve=warmup_type) >> schedule


def _build_decay(over: float, decay_type: str, end: Level, num_cycles: float) -> Schedule:
    if decay_type == "linear" or not over:  # of no duration, every ramp is at its end at once
        return Linear(1.0, end, over=over)
    if decay_type == "1-sqrt":
        return Cooldown(over, end=end)
    falling = _build_cosine("get_wsd_schedule", over, num_cycles, end)
    # Other waves may end above the floor, to which transformers then jumps.
    return falling if isinstance(falling, Cosine) else falling >> Constant(end)
