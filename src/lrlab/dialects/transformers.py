"""transformers.optimization's schedules, by transformers' names, arguments and defaults.

Each function takes transformers' arguments without ``optimizer``, ``last_epoch`` and ``verbose``.
``t`` counts calls of ``scheduler.step()``: the rate at t = 0 is that of the first step, which is 0
in a warm-up. ``min_lr``, ``max_lr``, ``lr_end`` and ``eps`` are absolute rates; ``min_lr_rate``,
``min_lr_ratio`` and ``warmup_lr_rate`` are factors. ``get_adafactor_schedule`` is missing: it only
reports the rates that Adafactor computes.

Intended differences:

- Cosines hold their last rate past the end; transformers' climb again.
- ``num_cycles`` must be above 0, and whole for hard restarts; transformers takes any number, and
  with 0 stays at the peak.
- If a hard restart falls on a whole step, the rate there is the peak; transformers' may be 0 for
  that one step, by the rounding of a division.
- ``get_polynomial_decay_schedule_with_warmup`` does not know the base rate, so it climbs to an
  ``lr_end`` above it, which transformers refuses. Without steps after the warm-up it is at
  ``lr_end``; transformers divides by 0. ``power`` must be above 0.
- ``get_wsd_schedule`` refuses a warm-up and a decay that together are longer than the training;
  transformers begins the decay in its middle.
- A NaN leaves the average of a smoothed metric together with its window; transformers' average
  stays NaN.

Every function raises ``ScheduleError`` if an argument breaks a rule of the schedule; numbers of
steps must be 0 or more.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal

from lrlab.dialects.arguments import check_absolute, check_argument, check_choice, check_count
from lrlab.dialects.torch import ReduceLROnPlateau
from lrlab.errors import ScheduleError, format_suggestion
from lrlab.schedules import (
    Constant,
    Cooldown,
    Cosine,
    CosineWave,
    Greedy,
    InverseSqrt,
    Linear,
    Polynomial,
    Schedule,
    Warmup,
)
from lrlab.schedules.fields import Level, NonNegative, Positive

__all__ = [
    "get_constant_schedule",
    "get_constant_schedule_with_warmup",
    "get_cosine_schedule_with_warmup",
    "get_cosine_with_hard_restarts_schedule_with_warmup",
    "get_cosine_with_min_lr_schedule_with_warmup",
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
    "get_greedy_schedule",
    "get_inverse_sqrt_schedule",
    "get_linear_schedule_with_warmup",
    "get_polynomial_decay_schedule_with_warmup",
    "get_reduce_on_plateau_schedule",
    "get_scheduler",
    "get_wsd_schedule",
]


def get_constant_schedule() -> Schedule:
    """Keep the base rate throughout.

    >>> get_constant_schedule()
    Constant(1.0)
    """
    return Constant(1.0)


def get_constant_schedule_with_warmup(num_warmup_steps: int) -> Schedule:
    """Warm up from 0 to the base rate and stay there.

    >>> get_constant_schedule_with_warmup(10)
    Warmup(10, start=0.0) >> Constant(1.0)
    """
    func_name = "get_constant_schedule_with_warmup"
    return _add_warmup(func_name, num_warmup_steps, Constant(1.0))


def get_cosine_schedule_with_warmup(
    num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5
) -> Schedule:
    """Warm up from 0, then follow ``num_cycles`` waves (above 0) of a cosine; 0.5 ends at 0.

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
    """Warm up from 0, then repeat half a cosine to 0 ``num_cycles`` times (1 or more).

    >>> get_cosine_with_hard_restarts_schedule_with_warmup(10, 100, num_cycles=3)
    Warmup(10, start=0.0) >> Cosine(30).repeat(3)
    """
    func_name = "get_cosine_with_hard_restarts_schedule_with_warmup"
    cycles = check_count(func_name, minimum=1, num_cycles=num_cycles)
    cosine = Cosine(
        _count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps) / cycles
    )
    return _add_warmup(
        func_name, num_warmup_steps, cosine if cycles == 1 else cosine.repeat(cycles)
    )


def get_cosine_with_min_lr_schedule_with_warmup(
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> Schedule:
    """Warm up from 0, then follow a cosine to the rate ``min_lr`` or the factor ``min_lr_rate``.

    Exactly one of the two must be given.

    >>> get_cosine_with_min_lr_schedule_with_warmup(10, 100, min_lr_rate=0.1)
    Warmup(10, start=0.0) >> Cosine(90, end=0.1)
    """
    func_name = "get_cosine_with_min_lr_schedule_with_warmup"
    floor = _check_floor(func_name, min_lr, min_lr_rate)
    rest = _count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps)
    return _add_warmup(
        func_name, num_warmup_steps, _build_cosine(func_name, rest, num_cycles, floor)
    )


def get_cosine_with_min_lr_schedule_with_warmup_lr_rate(
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> Schedule:
    """Warm up in one step less, then follow a cosine that ends one step before the training.

    The warm-up begins at the factor ``warmup_lr_rate``, ``1 / num_warmup_steps`` if omitted.
    Exactly one of ``min_lr``, an absolute rate, and ``min_lr_rate``, a factor, must be given.

    >>> get_cosine_with_min_lr_schedule_with_warmup_lr_rate(10, 100, min_lr_rate=0.1)
    Warmup(9) >> Cosine(90, end=0.1)
    """
    func_name = "get_cosine_with_min_lr_schedule_with_warmup_lr_rate"
    floor = _check_floor(func_name, min_lr, min_lr_rate)
    cosine = _build_cosine(
        func_name,
        _count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps),
        num_cycles,
        floor,
    )
    warmup = check_argument(func_name, NonNegative, num_warmup_steps=num_warmup_steps)
    if not warmup:
        return cosine.shift(-1)
    if warmup > 1:
        return Warmup(warmup - 1, start=warmup_lr_rate) >> cosine
    if warmup_lr_rate is None:
        return cosine
    return Constant(warmup_lr_rate, over=1) >> cosine.shift(-1)


def get_linear_schedule_with_warmup(num_warmup_steps: int, num_training_steps: int) -> Schedule:
    """Warm up from 0, then go linearly to 0 at the end of the training.

    >>> get_linear_schedule_with_warmup(10, 100)
    Warmup(10, start=0.0) >> Linear(1.0, 0.0, over=90)
    """
    func_name = "get_linear_schedule_with_warmup"
    rest = _count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps, minimum=0)
    return _add_warmup(func_name, num_warmup_steps, Linear(1.0, 0.0, over=rest))


def get_polynomial_decay_schedule_with_warmup(
    num_warmup_steps: int, num_training_steps: int, lr_end: float = 1e-7, power: float = 1.0
) -> Schedule:
    """Warm up from 0, then decay polynomially to the absolute rate ``lr_end``.

    >>> get_polynomial_decay_schedule_with_warmup(10, 100, power=2.0)
    Warmup(10, start=0.0) >> Polynomial(2.0, over=90, end=Absolute(1e-07))
    """
    func_name = "get_polynomial_decay_schedule_with_warmup"
    rest = _count_steps_after_warmup(func_name, num_warmup_steps, num_training_steps, minimum=0)
    return _add_warmup(
        func_name,
        num_warmup_steps,
        Polynomial(power, over=rest, end=check_absolute(func_name, lr_end=lr_end)),
    )


def get_inverse_sqrt_schedule(num_warmup_steps: int, timescale: int | None = None) -> Schedule:
    """Warm up from 0, then compute ``sqrt(timescale / (t - num_warmup_steps + timescale))``.

    ``timescale`` is ``num_warmup_steps`` if omitted, or 10 000 without a warm-up.

    >>> get_inverse_sqrt_schedule(10)
    Warmup(10, start=0.0) >> InverseSqrt(10)
    """
    func_name = "get_inverse_sqrt_schedule"
    tau = (num_warmup_steps or 10_000) if timescale is None else timescale
    return _add_warmup(func_name, num_warmup_steps, InverseSqrt(tau))


def get_reduce_on_plateau_schedule(
    *,
    mode: Literal["min", "max"] = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
    min_lr: float = 0,
    eps: float = 1e-8,
) -> Schedule:
    """Reduce the rate as torch's ReduceLROnPlateau, with the same arguments.

    >>> get_reduce_on_plateau_schedule(factor=0.5, eps=0)
    Plateau(0.5)
    """
    return ReduceLROnPlateau(
        mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps
    )


def get_greedy_schedule(
    *,
    mode: str = "min",
    factor: float = 0.95,
    patience: int = 10,
    threshold: float = 1e-6,
    threshold_mode: str = "abs",
    cooldown: int = 0,
    warmup: int = 0,
    min_lr: float = 1e-3,
    max_lr: float = 1.0,
    eps: float = 1e-8,
    smooth: bool = False,
    window_size: int = 50,
    reset_start: int = 500,
) -> Schedule:
    """Raise the rate while a metric improves and lower it otherwise, as GreedyLR does.

    >>> get_greedy_schedule(eps=0)
    Greedy(low=Absolute(0.001), high=Absolute(1.0))
    """
    func_name = "get_greedy_schedule"
    return Greedy(
        factor,
        patience=patience,
        mode=mode,
        threshold=threshold,
        threshold_mode=threshold_mode,
        cooldown=cooldown,
        warmup=warmup,
        low=check_absolute(func_name, min_lr=min_lr),
        high=check_absolute(func_name, max_lr=max_lr),
        eps=check_absolute(func_name, eps=eps),
        window=window_size if smooth else 1,
        # transformers resets at the first reduction at min_lr for 0 as well as for 1.
        reset=max(1, check_count(func_name, reset_start=reset_start)),
    )


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
    """Warm up from the factor ``min_lr_ratio``, keep the base rate, and decay to ``min_lr_ratio``.

    The stable phase takes ``num_stable_steps``, or the rest of ``num_training_steps``. Types are
    ``"linear"``, ``"cosine"`` and ``"1-sqrt"``.

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
    schedule = Constant(1.0, over=stable) >> _build_decay(
        decay, decay_type, min_lr_ratio, num_cycles
    )
    if not warmup:
        return schedule
    if warmup_type == "1-sqrt":
        return Polynomial(0.5, over=warmup, start=min_lr_ratio, end=1.0) >> schedule
    return Warmup(warmup, start=min_lr_ratio, curve=warmup_type) >> schedule


def _build_decay(over: float, decay_type: str, end: Level, num_cycles: float) -> Schedule:
    if decay_type == "linear" or not over:  # with 0 steps, every ramp is at its end
        return Linear(1.0, end, over=over)
    if decay_type == "1-sqrt":
        return Cooldown(over, end=end)
    falling = _build_cosine("get_wsd_schedule", over, num_cycles, end)
    # Other waves may end above the floor; transformers then jumps to it.
    return falling if isinstance(falling, Cosine) else falling >> Constant(end)


def _build_cosine(func_name: str, over: float, num_cycles: float, end: Level) -> Schedule:
    """Build ``num_cycles`` waves of a cosine in ``over`` steps; half a wave is a ramp."""
    cycles = check_argument(func_name, Positive, num_cycles=num_cycles)
    if cycles == 0.5:
        return Cosine(over, end=end)
    return CosineWave(over / cycles, low=end).until(over)


def _add_warmup(func_name: str, over: float, schedule: Schedule) -> Schedule:
    """Put transformers' warm-up before ``schedule``; its factor at t is t / over."""
    over = check_argument(func_name, NonNegative, num_warmup_steps=over)
    return Warmup(over, start=0.0) >> schedule if over else schedule


def _count_steps_after_warmup(
    func_name: str, num_warmup_steps: object, num_training_steps: object, minimum: float = 1
) -> float:
    """Count the steps after the warm-up, at least ``minimum``, as transformers does."""
    over: float = check_argument(func_name, NonNegative, num_warmup_steps=num_warmup_steps)
    total: float = check_argument(func_name, NonNegative, num_training_steps=num_training_steps)
    return max(minimum, total - over)


def _check_floor(func_name: str, min_lr: float | None, min_lr_rate: float | None) -> Level:
    if min_lr is not None and min_lr_rate is None:
        return check_absolute(func_name, min_lr=min_lr)
    if min_lr_rate is not None and min_lr is None:
        return min_lr_rate
    raise ScheduleError(
        f"{func_name}: either min_lr or min_lr_rate must be given, got {min_lr!r} and "
        f"{min_lr_rate!r}."
    )


def get_scheduler(
    name: str,
    num_warmup_steps: int | None = None,
    num_training_steps: int | None = None,
    scheduler_specific_kwargs: Mapping[str, Any] | None = None,
) -> Schedule:
    """Build a schedule by transformers' name, such as ``"cosine_with_restarts"``.

    As in transformers, ``"constant"`` and ``"constant_with_warmup"`` ignore
    ``scheduler_specific_kwargs``.

    Raises:
        ScheduleError: the name is unknown, or an argument is missing or unknown.

    >>> get_scheduler("cosine_with_restarts", 10, 100, {"num_cycles": 3})
    Warmup(10, start=0.0) >> Cosine(30).repeat(3)
    """
    function = _FUNCTIONS_BY_NAME.get(name) if isinstance(name, str) else None
    if function is None:
        hint = format_suggestion(str(name), _FUNCTIONS_BY_NAME) or "."
        raise ScheduleError(
            f"get_scheduler: name must be one of {', '.join(_FUNCTIONS_BY_NAME)}, got "
            f"{name!r}{hint}"
        )
    parameters = inspect.signature(function).parameters
    step_counts = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    kwargs = {key: value for key, value in step_counts.items() if key in parameters}
    if function not in (get_constant_schedule, get_constant_schedule_with_warmup):
        for key, value in (scheduler_specific_kwargs or {}).items():
            if key not in parameters or key in kwargs:
                raise ScheduleError(
                    f"get_scheduler: scheduler_specific_kwargs of {str.__str__(name)} may be "
                    f"{', '.join(k for k in parameters if k not in kwargs) or 'none'}, got {key!r}."
                )
            kwargs[key] = value
    for key, parameter in parameters.items():
        if kwargs.get(key) is None and parameter.default is parameter.empty:
            raise ScheduleError(
                f"get_scheduler: {str.__str__(name)} needs {key}, got None: give a number of steps."
            )
    return function(**kwargs)


_FUNCTIONS_BY_NAME: Mapping[str, Callable[..., Schedule]] = {
    "linear": get_linear_schedule_with_warmup,
    "cosine": get_cosine_schedule_with_warmup,
    "cosine_with_restarts": get_cosine_with_hard_restarts_schedule_with_warmup,
    "polynomial": get_polynomial_decay_schedule_with_warmup,
    "constant": get_constant_schedule,
    "constant_with_warmup": get_constant_schedule_with_warmup,
    "inverse_sqrt": get_inverse_sqrt_schedule,
    "reduce_lr_on_plateau": get_reduce_on_plateau_schedule,
    "cosine_with_min_lr": get_cosine_with_min_lr_schedule_with_warmup,
    "cosine_warmup_with_min_lr": get_cosine_with_min_lr_schedule_with_warmup_lr_rate,
    "warmup_stable_decay": get_wsd_schedule,
    "greedy": get_greedy_schedule,
}
