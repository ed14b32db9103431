"""transformers' schedules that begin with a warm-up from 0."""

from lrlab.dialects.arguments import check_absolute, check_count, check_argument
from lrlab.dialects.parts import Level
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    CosineWave,
    InverseSqrt,
    Linear,
    Polynomial,
    Schedule,
    Warmup,
)
from lrlab.schedules.parameters import NonNegative, Positive


def get_constant_schedule() -> Schedule:
    """The base rate throughout.

    >>> get_constant_schedule()
    Constant(1.0)
    """
    return Constant(1.0)


def get_constant_schedule_with_warmup(num_warmup_steps: int) -> Schedule:
    """A line from 0 to the base rate, and the base rate from then on.

    >>> get_constant_schedule_with_warmup(10)
    Warmup(10, start=0.0) >> Constant(1.0)
    """
    func_name = "get_constant_schedule_with_warmup"
    return _add_warmup(func_name, num_warmup_steps, Constant(1.0))


def get_linear_schedule_with_warmup(num_warmup_steps: int, num_training_steps: int) -> Schedule:
    """A line from 0 to the base rate and a line to 0 at the end of the training.

    >>> get_linear_schedule_with_warmup(10, 100)
    Warmup(10, start=0.0) >> Linear(1.0, 0.0, over=90)
    """
    func_name = "get_linear_schedule_with_warmup"
    rest = _count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps, minimum=0)
    return _add_warmup(func_name, num_warmup_steps, Linear(1.0, 0.0, over=rest))


def get_cosine_schedule_with_warmup(
    num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5
) -> Schedule:
    """A warm-up from 0, then ``num_cycles`` (above 0) waves of a cosine: half a one, to 0.

    >>> get_cosine_schedule_with_warmup(10, 100)
    Warmup(10, start=0.0) >> Cosine(90)
    >>> get_cosine_schedule_with_warmup(10, 100, num_cycles=1.5)
    Warmup(10, start=0.0) >> CosineWave(60).until(90)
    """
    func_name = "get_cosine_schedule_with_warmup"
    rest = _count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps)
    return _add_warmup(func_name, num_warmup_steps, _build_cosine(func_name, rest, num_cycles, 0.0))


def get_cosine_with_hard_restarts_schedule_with_warmup(
    num_warmup_steps: int, num_training_steps: int, num_cycles: int = 1
) -> Schedule:
    """A warm-up from 0, then ``num_cycles`` (1 or more) half-cosines to 0.

    >>> get_cosine_with_hard_restarts_schedule_with_warmup(10, 100, num_cycles=3)
    Warmup(10, start=0.0) >> Cosine(30).repeat(3)
    """
    func_name = "get_cosine_with_hard_restarts_schedule_with_warmup"
    cycles = check_count(func_name, minimum=1, num_cycles=num_cycles)
    cosine = Cosine(_count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps) / cycles)
    return _add_warmup(func_name, num_warmup_steps, cosine if cycles == 1 else cosine.repeat(cycles))


def get_polynomial_decay_schedule_with_warmup(
    num_warmup_steps: int, num_training_steps: int, lr_end: float = 1e-7, power: float = 1.0
) -> Schedule:
    """A warm-up from 0, then a polynomial decay to the absolute rate ``lr_end``.

    >>> get_polynomial_decay_schedule_with_warmup(10, 100, power=2.0)
    Warmup(10, start=0.0) >> Polynomial(2.0, over=90, end=Absolute(1e-07))
    """
    func_name = "get_polynomial_decay_schedule_with_warmup"
    rest = _count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps, minimum=0)
    return _add_warmup(
        func_name, num_warmup_steps, Polynomial(power, over=rest, end=check_absolute(func_name, lr_end=lr_end))
    )


def get_inverse_sqrt_schedule(num_warmup_steps: int, timescale: int | None = None) -> Schedule:
    """A warm-up from 0, then sqrt(timescale / (t - num_warmup_steps + timescale)).

    The time scale is that of the warm-up when it is left out, without one 10 000.

    >>> get_inverse_sqrt_schedule(10)
    Warmup(10, start=0.0) >> InverseSqrt(10)
    """
    func_name = "get_inverse_sqrt_schedule"
    tau = (num_warmup_steps or 10_000) if timescale is None else timescale
    return _add_warmup(func_name, num_warmup_steps, InverseSqrt(tau))


def get_cosine_with_min_lr_schedule_with_warmup(
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> Schedule:
    """A warm-up from 0, then a cosine to the rate ``min_lr`` or the factor ``min_lr_rate``.

    One of the two must be given, and not both.

    >>> get_cosine_with_min_lr_schedule_with_warmup(10, 100, min_lr_rate=0.1)
    Warmup(10, start=0.0) >> Cosine(90, end=0.1)
    """
    func_name = "get_cosine_with_min_lr_schedule_with_warmup"
    floor = _check_floor(func_name, min_lr, min_lr_rate)
    rest = _count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps)
    return _add_warmup(func_name, num_warmup_steps, _build_cosine(func_name, rest, num_cycles, floor))


def get_cosine_with_min_lr_schedule_with_warmup_lr_rate(
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> Schedule:
    """A warm-up that is over a step sooner, then a cosine that ends a step before the training.

    The warm-up begins at the factor ``warmup_lr_rate``, or at 1 / num_warmup_steps. Of ``min_lr``,
    an absolute rate, and ``min_lr_rate``, a factor, one must be given, and not both.

    >>> get_cosine_with_min_lr_schedule_with_warmup_lr_rate(10, 100, min_lr_rate=0.1)
    Warmup(9) >> Cosine(90, end=0.1)
    """
    func_name = "get_cosine_with_min_lr_schedule_with_warmup_lr_rate"
    floor = _check_floor(func_name, min_lr, min_lr_rate)
    cosine = _build_cosine(func_name, _count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps), num_cycles, floor)
    warmup = check_argument(func_name, NonNegative, num_warmup_steps=num_warmup_steps)
    if not warmup:
        return cosine.shift(-1)
    if warmup > 1:
        return Warmup(warmup - 1, start=warmup_lr_rate) >> cosine
    if warmup_lr_rate is None:
        return cosine
    return Constant(warmup_lr_rate, over=1) >> cosine.shift(-1)


def _build_cosine(func_name: str, over: float, num_cycles: float, end: Level) -> Schedule:
    """So many waves of a cosine within ``over``, of which half a one is a ramp."""
    cycles = check_argument(func_name, Positive, num_cycles=num_cycles)
    if cycles == 0.5:
        return Cosine(over, end=end)
    return CosineWave(over / cycles, low=end).until(over)


def _add_warmup(func_name: str, over: float, schedule: Schedule) -> Schedule:
    """``schedule`` after transformers' warm-up, whose rate at t is t / over."""
    over = check_argument(func_name, NonNegative, num_warmup_steps=over)
    return Warmup(over, start=0.0) >> schedule if over else schedule


def _count_steps_after_warmup(func_name: str, num_warmup_steps: object, num_training_steps: object, minimum: float = 1) -> float:
    """The steps of the training after the warm-up; ``minimum`` is what transformers divides by."""
    over: float = check_argument(func_name, NonNegative, num_warmup_steps=num_warmup_steps)
    total: float = check_argument(func_name, NonNegative, num_training_steps=num_training_steps)
    return max(minimum, total - over)


def _check_floor(func_name: str, min_lr: float | None, min_lr_rate: float | None) -> Level:
    if min_lr is not None and min_lr_rate is None:
        return check_absolute(func_name, min_lr=min_lr)
    if min_lr_rate is not None and min_lr is None:
        return min_lr_rate
    raise ScheduleError(
        f"{func_name}: either min_lr or min_lr_rate must be given, got {min_lr!r} and {min_lr_rate!r}."
    )
