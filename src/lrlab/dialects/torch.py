"""torch.optim.lr_scheduler's schedules by torch's names, and reading of live torch schedulers.

Each function takes the arguments of torch's class, without the optimizer and ``last_epoch``, and
returns a schedule with torch's learning rate after every number of calls of ``step()``: t = 0 is
the rate before the first call. Counts are in steps, and factors multiply the base rate; torch's
rates (``eta_min``, ``max_lr``, ``base_lr``, ``swa_lr``, ``min_lr``) are absolute rates here too.
``CyclicLR`` and ``OneCycleLR`` return ``LrAndMomentum`` if they cycle the momentum too, as they do
by default. ``SWALR`` is that of torch.optim.swa_utils. torch itself is not imported.

``from_scheduler`` reads the schedule of a live torch scheduler.

Intended differences:

- torch multiplies its rates up step by step, so its last bits differ from these closed forms.
- ``CosineAnnealingLR`` and ``OneCycleLR`` hold their last rate past their end; torch's cosine
  climbs back to the base rate, and its one-cycle raises.
- A factor may be any number of 0 or more; torch refuses a ``factor``, ``start_factor`` or
  ``end_factor`` above 1, and a ``start_factor`` of 0.
- A ``gamma`` or ``power`` must be above 0, and a rate 0 or more; torch takes any number, even
  those that give no usable rate.
- A schedule applies to all parameter groups, so lists of one value per group are refused.
- Steps may be fractions, or durations such as ``"5ep"``; torch compares them with whole steps, and
  most of its classes never reach a fraction.
- A ``ConstantLR`` of 0 iterations keeps its factor in every place; as a later part of a
  ``SequentialLR``, torch's ends at once, and torch's ``LinearLR`` and ``PolynomialLR`` raise.
- ``OneCycleLR`` does not change the base rate of other schedulers; torch's sets it to its own
  first rate.
- ``CosineAnnealingLR`` with a ``T_max`` of 0 is at its end; torch divides by 0.
- ``SequentialLR`` restarts a ``SequentialLR`` or ``ChainedScheduler`` within it like any other
  part; torch runs those one step ahead, and raises if they are not the first part. Both accept
  a ``ReduceLROnPlateau``, which torch refuses.
- Each ``SWALR`` has its own ``swa_lr``; in torch, the last one applies to all of an optimizer.
- ``ChainedScheduler`` is a product, and refuses schedulers whose chain is not a product in torch.

Every function raises ``ScheduleError`` if an argument breaks a rule of the schedule.
"""

from collections.abc import Callable, Iterable, Sequence
from math import inf, isclose, prod
from typing import Any, Literal

from lrlab.dialects.arguments import (
    Fraction,
    check_absolute,
    check_argument,
    check_choice,
    check_count,
    check_function,
)
from lrlab.dialects.building_blocks import (
    ANNEAL_RAMPS,
    TRIANGLES_BY_MODE,
    LrAndMomentum,
    build_function_scaled_triangles,
    truncate,
)
from lrlab.errors import ScheduleError, shorten_repr
from lrlab.schedules import (
    Absolute,
    Constant,
    Continued,
    Cooldown,
    Cosine,
    CosineWave,
    CumulativeProduct,
    Custom,
    Exponential,
    Formula,
    Linear,
    MultiStep,
    Plateau,
    Polynomial,
    Repeat,
    Schedule,
    Sequential,
    Step,
)
from lrlab.schedules.durations import Horizon
from lrlab.schedules.fields import Level, Number, Positive

__all__ = [
    "SWALR",
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


def LambdaLR(lr_lambda: Callable[[int], float]) -> Schedule:
    """Multiply the base rate by ``lr_lambda(t)``, where t is an int.

    A list of functions, one per parameter group, is refused.

    >>> LambdaLR(lambda epoch: 0.95**epoch)(2)
    0.9025
    """
    return check_function("LambdaLR", lr_lambda=lr_lambda)


def MultiplicativeLR(lr_lambda: Callable[[int], float]) -> Schedule:
    """Multiply the rate by ``lr_lambda(t)`` at every step t from 1 on.

    >>> MultiplicativeLR(lambda epoch: 0.5)([0, 1, 2])
    array([1.  , 0.5 , 0.25])
    """
    return check_function("MultiplicativeLR", lr_lambda=lr_lambda).cumprod()


def StepLR(step_size: int, gamma: float = 0.1) -> Schedule:
    """Multiply the rate by ``gamma`` (above 0) every ``step_size`` steps (above 0).

    >>> StepLR(step_size=30)
    Step(30)
    """
    return Step(step_size, gamma)


def MultiStepLR(milestones: Iterable[int], gamma: float = 0.1) -> Schedule:
    """Multiply the rate by ``gamma`` (above 0) at each milestone; their order does not matter.

    >>> MultiStepLR([80, 30])
    MultiStep([30, 80])
    """
    try:
        times = sorted(milestones)
    except TypeError:
        raise ScheduleError(
            f"MultiStepLR: milestones must be a list of steps, got {shorten_repr(milestones)}."
        ) from None
    return MultiStep(times, gamma) if times else Constant(1.0)


def ConstantLR(factor: float = 1 / 3, total_iters: int = 5) -> Schedule:
    """Multiply the base rate by ``factor`` (0 or more) for ``total_iters`` steps.

    With ``total_iters=0`` it never ends, as in torch.

    >>> ConstantLR(factor=0.5, total_iters=4)
    Constant(0.5, over=4) >> Constant(1.0)
    """
    if _is_zero(total_iters):
        return Constant(factor)
    return Constant(factor, over=total_iters) >> Constant(1.0)


def LinearLR(
    start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
) -> Schedule:
    """Change the factor linearly from ``start_factor`` to ``end_factor`` (both 0 or more).

    With ``total_iters=0`` it stays at ``start_factor``, as in torch.

    >>> LinearLR(start_factor=1.0, end_factor=0.5, total_iters=30)
    Linear(1.0, 0.5, over=30)
    """
    if _is_zero(total_iters):
        return Constant(start_factor)
    return Linear(start_factor, end_factor, over=total_iters)


def ExponentialLR(gamma: float) -> Schedule:
    """Multiply the rate by ``gamma`` (above 0) every step.

    >>> ExponentialLR(gamma=0.99)
    Exponential(0.99)
    """
    return Exponential(gamma)


def PolynomialLR(total_iters: int = 5, power: float = 1.0) -> Schedule:
    """Decay the base rate to 0 in ``total_iters`` steps by ``(1 - t / total_iters)**power``.

    The power must be above 0. With ``total_iters=0`` the base rate stays, as in torch.

    >>> PolynomialLR(total_iters=30, power=0.9)
    Polynomial(0.9, over=30)
    """
    return Constant(1.0) if _is_zero(total_iters) else Polynomial(power, over=total_iters)


def _is_zero(iterations: object) -> bool:
    return iterations == 0 and not isinstance(iterations, bool)


def CosineAnnealingLR(T_max: int, eta_min: float = 0.0) -> Schedule:
    """Follow half a cosine from the base rate to the rate ``eta_min`` in ``T_max`` steps.

    Past ``T_max`` it stays at ``eta_min``; torch climbs back to the base rate by ``2 * T_max``.

    >>> CosineAnnealingLR(T_max=45, eta_min=1e-5)
    Cosine(45, end=Absolute(1e-05))
    """
    return Cosine(T_max, end=_check_absolute_scalar("CosineAnnealingLR", eta_min=eta_min))


def ChainedScheduler(schedulers: Sequence[Schedule | LrAndMomentum]) -> Schedule:
    """Multiply the factors of several schedules.

    In torch, schedulers of factors multiply the current rate, except ``LambdaLR`` and warm
    restarts. Those two, and schedulers with an absolute rate, set the rate outright and discard
    what the others did; a chain with one of them is not a product in torch, and is refused here.

    Args:
        schedulers: schedules made by the functions of this module, one or more.

    Raises:
        ScheduleError: the list breaks these rules.

    >>> from lrlab.dialects.torch import *
    >>> ChainedScheduler([ConstantLR(0.1, 20), ExponentialLR(0.9)])
    (Constant(0.1, over=20) >> Constant(1.0)) * Exponential(0.9)
    """
    parts = _select_lr_schedules("ChainedScheduler", schedulers)
    if len(parts) == 1:
        return parts[0]
    for part in parts:
        if not _is_chainable(part):
            raise ScheduleError(
                "ChainedScheduler: schedulers must all multiply the rate, but "
                f"{shorten_repr(part)} sets it outright and discards what the others did in torch; "
                "leave it out, or write the product that you mean with *."
            )
    return prod(parts[1:], start=parts[0])


def _is_chainable(schedule: Schedule) -> bool:
    """Whether torch's scheduler multiplies the current rate."""
    if isinstance(schedule, Sequential):  # ConstantLR makes one, too
        first, *rest = schedule.schedules
        return isinstance(first, Constant) and rest == [Constant(1.0)]
    # torch does not chain a plateau, but it multiplies the rate.
    sets_lr_outright = isinstance(schedule, Custom | Formula | Repeat | Continued)
    return isinstance(schedule, Plateau) or (schedule.is_relative and not sets_lr_outright)


def SequentialLR(
    schedulers: Sequence[Schedule | LrAndMomentum], milestones: Sequence[int]
) -> Schedule:
    """Run schedules one after another, each on its own clock from its milestone on.

    As in torch, each starts from the base rate, except ``MultiplicativeLR`` and ``SWALR``, which
    continue from the last rate. A schedule with momentum contributes its learning rate alone.

    Args:
        schedulers: schedules made by the functions of this module, one or more.
        milestones: steps in ascending order, one fewer than schedulers.

    Raises:
        ScheduleError: the lists break these rules.

    >>> from lrlab.dialects.torch import *
    >>> SequentialLR([LinearLR(0.2, total_iters=5), CosineAnnealingLR(45)], milestones=[5])
    Linear(0.2, 1.0, over=5) >> Cosine(45)
    >>> SequentialLR([ConstantLR(0.5, 9), MultiplicativeLR(lambda t: 0.9)], [3])([2, 3, 4], 1.0)
    array([0.5  , 0.45 , 0.405])
    """
    parts = _select_lr_schedules("SequentialLR", schedulers)
    steps = [check_count("SequentialLR", milestones=step) for step in _to_list(milestones)]
    if len(steps) != len(parts) - 1 or steps != sorted(steps):
        raise ScheduleError(
            "SequentialLR: milestones must be steps in ascending order, one fewer than the "
            f"{len(parts)} schedulers, got {shorten_repr(milestones)}."
        )
    spans = zip(parts, [0, *steps], [*steps, inf], strict=True)
    # A part that ends where it begins never acts.
    (result, _), *later_parts = [(part, begin) for part, begin, end in spans if end > begin]
    for part, at in later_parts:
        result = _append(result, part, at)
    return result


def _append(first: Schedule, second: Schedule, milestone: int) -> Schedule:
    """Append ``second`` to ``first`` at step ``milestone``."""
    if isinstance(second, CumulativeProduct):
        # torch multiplies the last rate by the function's value at 0, too.
        continuation: Schedule = second.schedule.shift(1).cumprod()
    elif isinstance(second, Cooldown) and second.over:
        continuation = second.shift(1)
    else:
        return _truncate_parts(first, milestone) >> second
    return _truncate_parts(first, milestone - 1, includes_end=True).then(
        continuation, join="continue"
    )


def _truncate_parts(schedule: Schedule, at: float, includes_end: bool = False) -> Schedule:
    """End ``schedule`` at step ``at`` and drop the parts that begin later.

    With ``includes_end``, keep a part that begins at ``at``: its value there counts.
    """
    if isinstance(schedule, Constant):
        return Constant(schedule.level, over=at)
    if isinstance(schedule, Sequential):
        *before, last = schedule.schedules
        remaining = at - sum(part.compute_length(Horizon()) for part in before)
        if remaining > 0 or (includes_end and remaining == 0):
            return Sequential((*before, _truncate_parts(last, remaining, includes_end)))
        rest = before[0] if len(before) == 1 else Sequential(tuple(before))
        return _truncate_parts(rest, at, includes_end)
    return truncate(schedule, at)


def _select_lr_schedules(func_name: str, schedulers: Any) -> list[Schedule]:
    parts = [part.lr if isinstance(part, LrAndMomentum) else part for part in _to_list(schedulers)]
    if not parts or not all(isinstance(part, Schedule) for part in parts):
        raise ScheduleError(
            f"{func_name}: schedulers must be a list of one or more schedules, got "
            f"{shorten_repr(schedulers)}."
        )
    return parts


def _to_list(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else []


def ReduceLROnPlateau(
    mode: Literal["min", "max"] = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
    min_lr: float = 0,
    eps: float = 1e-8,
) -> Schedule:
    """Multiply the rate by ``factor`` whenever a metric has stopped improving.

    ``min_lr`` and ``eps`` are absolute rates.

    >>> ReduceLROnPlateau(factor=0.5, min_lr=1e-5)
    Plateau(0.5, low=Absolute(1e-05), eps=Absolute(1e-08))
    """
    return Plateau(
        factor,
        patience=patience,
        mode=mode,
        threshold=threshold,
        threshold_mode=threshold_mode,
        cooldown=cooldown,
        low=_check_absolute_scalar("ReduceLROnPlateau", min_lr=min_lr),
        eps=_check_absolute_scalar("ReduceLROnPlateau", eps=eps),
    )


def CyclicLR(
    base_lr: float,
    max_lr: float,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
    gamma: float = 1.0,
    scale_fn: Callable[[float], float] | None = None,
    scale_mode: Literal["cycle", "iterations"] = "cycle",
    cycle_momentum: bool = True,
    base_momentum: float = 0.8,
    max_momentum: float = 0.9,
) -> Schedule | LrAndMomentum:
    """Cycle between two absolute rates on straight lines.

    >>> CyclicLR(0.0, 0.1, step_size_up=4, cycle_momentum=False)
    (Linear(0.0, Absolute(0.1), over=4) >> Linear(Absolute(0.1), 0.0, over=4)).repeat()
    >>> CyclicLR(0.01, 0.1, step_size_up=4, mode="triangular2").lr([0, 4, 8, 12], base=1.0)
    array([0.01 , 0.1  , 0.01 , 0.055])
    """
    up = _check_positive_scalar("CyclicLR", step_size_up=step_size_up)
    down = (
        up if step_size_down is None else _check_scalar("CyclicLR", step_size_down=step_size_down)
    )
    if scale_fn is None:
        build_triangles = TRIANGLES_BY_MODE[
            check_choice("CyclicLR", *TRIANGLES_BY_MODE, mode=mode)
        ](up, down, gamma)
    else:
        build_triangles = build_function_scaled_triangles(
            "CyclicLR", up, down, scale_fn, scale_mode
        )
    rate = build_triangles(
        _check_scalar("CyclicLR", base_lr=base_lr), _check_scalar("CyclicLR", max_lr=max_lr)
    )
    if not cycle_momentum:
        return rate
    low = _check_scalar("CyclicLR", base_momentum=base_momentum)
    # The momentum is highest when the rate is lowest.
    return LrAndMomentum(
        rate, build_triangles(_check_scalar("CyclicLR", max_momentum=max_momentum), low)
    )


def OneCycleLR(
    max_lr: float,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: Literal["cos", "linear"] = "cos",
    cycle_momentum: bool = True,
    base_momentum: float = 0.85,
    max_momentum: float = 0.95,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule | LrAndMomentum:
    """Anneal from ``max_lr / div_factor`` to ``max_lr``, then far below the first rate.

    The last rate is the first over ``final_div_factor``; all rates are absolute. The first phase
    ends at step ``pct_start * total_steps - 1``, which may be a fraction, the last one at
    ``total_steps - 1``; the rate then stays.

    >>> OneCycleLR(0.5, total_steps=100).lr([0, 29, 99], base=1.0)
    array([2.e-02, 5.e-01, 2.e-06])
    """
    steps = _count_total_steps(total_steps, epochs, steps_per_epoch)
    fraction = check_argument("OneCycleLR", Fraction, pct_start=pct_start)
    ramp = ANNEAL_RAMPS[check_choice("OneCycleLR", *ANNEAL_RAMPS, anneal_strategy=anneal_strategy)]
    peak = _check_scalar("OneCycleLR", max_lr=max_lr)
    first = peak / _check_positive_scalar("OneCycleLR", div_factor=div_factor)
    last = first / _check_positive_scalar("OneCycleLR", final_div_factor=final_div_factor)
    low = _check_scalar("OneCycleLR", base_momentum=base_momentum)
    high = _check_scalar("OneCycleLR", max_momentum=max_momentum)
    if three_phase:
        ends = [fraction * steps - 1, 2 * fraction * steps - 2, steps - 1]
        rates, momenta = [first, peak, first, last], [high, low, high, high]
    else:
        ends = [fraction * steps - 1, steps - 1]
        rates, momenta = [first, peak, last], [high, low, high]
    lr = _build_phases(zip(ends, rates, rates[1:], strict=False), steps, ramp)
    if not cycle_momentum:
        return lr
    return LrAndMomentum(
        lr, _build_phases(zip(ends, momenta, momenta[1:], strict=False), steps, ramp)
    )


def _count_total_steps(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        return check_count("OneCycleLR", minimum=1, total_steps=total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ScheduleError(
            "OneCycleLR: total_steps must be given, or epochs and steps_per_epoch, got "
            f"epochs={epochs!r} and steps_per_epoch={steps_per_epoch!r}."
        )
    return check_count("OneCycleLR", minimum=1, epochs=epochs) * check_count(
        "OneCycleLR", minimum=1, steps_per_epoch=steps_per_epoch
    )


_OneCyclePhase = tuple[float, float, float]
"""The step at which a phase ends, and its first and last value."""


def _build_phases(
    phases: Iterable[_OneCyclePhase],
    total_steps: int,
    ramp: Callable[[Level, Level, float], Schedule],
) -> Schedule:
    """Build the ramps of the phases, as far as they lie in the first ``total_steps`` steps.

    If a phase would end before its start or before step 0, torch skips it and continues with the
    next from its end, so a phase may start in its middle.
    """
    parts: list[Schedule] = []
    begin, last = 0.0, total_steps - 1
    for end, first, final in phases:
        # In a training of one step, that step is the end of a phase.
        if end > max(begin, 0.0) or (end == last == 0 and begin < 0):
            over = end - begin
            part = ramp(Absolute(first), Absolute(final), over)
            if first == final:
                part = Constant(Absolute(first), over=over)
            if begin < 0:
                part = part.shift(begin)
            if begin < last or not parts:
                parts.append(part.until(last - begin) if end > last else part)
        begin = end
    if not parts:
        raise ScheduleError(
            f"OneCycleLR: total_steps={total_steps} leaves no step for any phase: give more steps."
        )
    return parts[0] if len(parts) == 1 else Sequential(tuple(parts))


def CosineAnnealingWarmRestarts(T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> Schedule:
    """Repeat half a cosine to the rate ``eta_min``, each ``T_mult`` times as long as the last.

    >>> CosineAnnealingWarmRestarts(T_0=10, T_mult=2)
    Cosine(10).repeat(growth=2.0)
    """
    func_name = "CosineAnnealingWarmRestarts"
    low = _check_absolute_scalar(func_name, eta_min=eta_min)
    period = check_count(func_name, minimum=1, T_0=T_0)
    growth = check_count(func_name, minimum=1, T_mult=T_mult)
    return Cosine(period, end=low).repeat(growth=growth)


def SWALR(
    swa_lr: float,
    anneal_epochs: int = 10,
    anneal_strategy: Literal["cos", "linear"] = "cos",
) -> Schedule:
    """Anneal from the base rate to the rate ``swa_lr`` in ``anneal_epochs`` steps.

    >>> SWALR(0.05)
    Cooldown(10, end=Absolute(0.05), curve="cosine")
    """
    # No other function here makes a Cooldown, so SequentialLR recognizes this one by it.
    return Cooldown(
        check_count("SWALR", anneal_epochs=anneal_epochs),
        end=_check_absolute_scalar("SWALR", swa_lr=swa_lr),
        curve=_ANNEAL_CURVES[
            check_choice("SWALR", *_ANNEAL_CURVES, anneal_strategy=anneal_strategy)
        ],
    )


_ANNEAL_CURVES = {"cos": "cosine", "linear": "linear"}
"""Curves of ``Cooldown`` by torch's ``anneal_strategy``."""


def _check_scalar(func_name: str, **argument: Any) -> float:
    """Return the value of an argument that must be one number for all groups."""
    value: float = check_argument(func_name, Number, **_reject_list(func_name, argument))
    return value


def _check_positive_scalar(func_name: str, **argument: Any) -> float:
    """Return the value of an argument that must be one number above 0 for all groups."""
    value: float = check_argument(func_name, Positive, **_reject_list(func_name, argument))
    return value


def _check_absolute_scalar(func_name: str, **argument: Any) -> float | Absolute:
    """Return the level of an argument that must be one absolute rate for all groups."""
    return check_absolute(func_name, **_reject_list(func_name, argument))


def _reject_list(func_name: str, argument: dict[str, Any]) -> dict[str, Any]:
    """Return the argument if it is not a list.

    Raises:
        ScheduleError: it is a list, of one value per parameter group.
    """
    ((name, value),) = argument.items()
    if isinstance(value, list | tuple):
        raise ScheduleError(
            f"{func_name}: {name} must be one number, got {shorten_repr(value)}: a schedule "
            "applies to all parameter groups. Give each group its own lr and write levels as "
            "factors of it, as in Cosine(45, end=0.01)."
        )
    return argument


def from_scheduler(scheduler: Any) -> Schedule:
    """Read the schedule of a live torch scheduler, before, during or after training.

    ``schedule(scheduler.last_epoch, base=group["initial_lr"])`` is the current rate. (A
    ``ChainedScheduler`` does not count steps, but its children do. A ``ReduceLROnPlateau`` does
    not store ``initial_lr``; without it, the current rate is the base rate.) Only the learning rate
    is read: for the momentum of ``CyclicLR`` and ``OneCycleLR``, call the functions here. The
    metrics that a ``ReduceLROnPlateau`` has seen are lost. A ``CosineAnnealingLR`` past its end
    climbs and falls as in torch; a ``OneCycleLR`` holds its last rate.

    Args:
        scheduler: an object of one of torch's own classes, nested or not.

    Raises:
        ScheduleError: it is not such an object, its parameter groups have different schedules, or
            something else has set the current rate.

    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> from_scheduler(torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9))
    Exponential(0.9)
    """
    schedule = _read_scheduler(scheduler)
    step = _get_step(scheduler)
    if step >= getattr(scheduler, "total_steps", inf):
        return schedule  # torch's one-cycle is over
    for group in scheduler.optimizer.param_groups:
        current_lr = float(group["lr"])
        base = float(group.get("initial_lr", current_lr))
        expected_lr = schedule(step, base=base)
        # torch's rates drift, and may be float32.
        if not isclose(expected_lr, current_lr, rel_tol=1e-4, abs_tol=1e-6 * base):
            raise ScheduleError(
                f"from_scheduler: the optimizer's lr must be the scheduler's, but it is "
                f"{current_lr:g}, and {schedule} gives {expected_lr:g} at step {step}: something "
                "else has set it, or the optimizer's state was not loaded. Build the schedule with "
                f"torch.{_get_class_name(scheduler)}(...)."
            )
    return schedule


def _get_step(scheduler: Any) -> int:
    if _get_class_name(scheduler) == "ChainedScheduler":
        return _get_step(scheduler._schedulers[0])
    return int(scheduler.last_epoch)


def _get_class_name(scheduler: Any) -> str:
    """Return the name of the scheduler's class; empty if it is not one of torch's."""
    scheduler_class = type(scheduler)
    modules = ("torch.optim.lr_scheduler", "torch.optim.swa_utils")
    return scheduler_class.__qualname__ if scheduler_class.__module__ in modules else ""


def _read_scheduler(scheduler: Any, nested: bool = False) -> Schedule:
    """Read the schedule of a scheduler, ``nested`` if it is part of another.

    Raises:
        ScheduleError: its class is not torch's, or its groups have different schedules.
    """
    class_name = _get_class_name(scheduler)
    if class_name not in _READERS:
        raise ScheduleError(
            "from_scheduler: scheduler must be of one of torch's own classes, got "
            f"{type(scheduler).__module__}.{type(scheduler).__qualname__}; write what it does as "
            "a schedule, or as Custom(function)."
        )
    if nested and hasattr(scheduler, "_schedulers"):
        raise ScheduleError(
            f"from_scheduler: a scheduler within a scheduler must not contain others, got a "
            f"{class_name}, which torch steps wrongly there; put its schedulers in its place."
        )
    if class_name not in _CLASSES_WITHOUT_BASE_LRS:
        _check_base_lrs(class_name, scheduler)
    if nested and class_name == "SWALR":  # it starts from the current rate
        return SWALR(_read_group_value(scheduler, "swa_lr"), *_get_anneal_arguments(scheduler))
    schedule: Schedule = _READERS[class_name](scheduler)
    return schedule


def _check_base_lrs(class_name: str, scheduler: Any) -> None:
    """Raise ScheduleError if the scheduler's base rates are not those of its groups."""
    bases, groups = scheduler.base_lrs, scheduler.optimizer.param_groups
    if len(bases) != len(groups):
        raise ScheduleError(
            f"from_scheduler: {class_name} must be built after all parameter groups, but it has "
            f"{len(bases)} of {len(groups)}; build it after add_param_group."
        )
    for base, group in zip(bases, groups, strict=True):
        initial = float(group["initial_lr"])
        if not isclose(float(base), initial, rel_tol=1e-6):
            raise ScheduleError(
                f"from_scheduler: {class_name} must start from its group's initial_lr, "
                f"{initial:g}, but its own base rate is {float(base):g}: another scheduler has set "
                f"one of them. Build the schedule with torch.{class_name}(...)."
            )


def _read_cosine(scheduler: Any) -> Schedule:
    if scheduler.last_epoch <= scheduler.T_max:
        return CosineAnnealingLR(scheduler.T_max, scheduler.eta_min)
    return CosineWave(
        2 * scheduler.T_max, low=check_absolute("from_scheduler", eta_min=scheduler.eta_min)
    )


def _read_cyclic(scheduler: Any) -> Schedule | LrAndMomentum:
    up = scheduler.step_ratio * scheduler.total_size
    up = round(up) if isclose(up, round(up), rel_tol=1e-9) else up
    return CyclicLR(
        _require_equal("base_lr", map(float, scheduler.base_lrs)),
        _require_equal("max_lr", map(float, scheduler.max_lrs)),
        up,
        scheduler.total_size - up,
        scheduler.mode,
        scheduler.gamma,
        scheduler._scale_fn_custom,
        scheduler.scale_mode,
        cycle_momentum=False,
    )


def _read_one_cycle(scheduler: Any) -> Schedule:
    phases = [
        (
            phase["end_step"],
            _read_group_value(scheduler, phase["start_lr"]),
            _read_group_value(scheduler, phase["end_lr"]),
        )
        for phase in scheduler._schedule_phases
    ]
    return _build_phases(phases, scheduler.total_steps, ANNEAL_RAMPS[scheduler._anneal_func_type])


def _read_swa(scheduler: Any) -> Schedule:
    """Read SWALR from the rate at which it began, the base rate if it was the first scheduler."""
    target = _read_group_value(scheduler, "swa_lr")
    schedule = SWALR(target, *_get_anneal_arguments(scheduler))
    # The fraction of the annealing that is done.
    fraction = 1 - SWALR(0.0, *_get_anneal_arguments(scheduler))(scheduler.last_epoch)
    if fraction > 1 - 1e-9:
        return schedule
    start = _divide_by_initial_lr(
        "the rate at which SWALR began",
        scheduler,
        lambda group: (float(group["lr"]) - fraction * target) / (1 - fraction),
    )
    assert isinstance(schedule, Cooldown)
    return schedule if _is_close(start, 1.0) else schedule.replace(start=start)


def _get_anneal_arguments(scheduler: Any) -> tuple[int, Any]:
    return scheduler.anneal_epochs, scheduler._anneal_strategy


def _read_plateau(scheduler: Any) -> Schedule:
    """Read a plateau; the reductions so far become a factor of it."""
    factor = _divide_by_initial_lr("the rate", scheduler, lambda group: float(group["lr"]))
    if not factor:  # already reduced to 0
        return Constant(0.0)
    low = _require_equal("min_lr", map(float, scheduler.min_lrs))
    plateau = ReduceLROnPlateau(
        scheduler.mode,
        scheduler.factor,
        scheduler.patience,
        scheduler.threshold,
        scheduler.threshold_mode,
        scheduler.cooldown,
        low / factor,
        scheduler.eps / factor,
    )
    return plateau if _is_close(factor, 1.0) else factor * plateau


def _read_children(scheduler: Any) -> list[Schedule]:
    return [_read_scheduler(child, nested=True) for child in scheduler._schedulers]


def _read_sequential_children(scheduler: Any) -> list[Schedule]:
    """Read the parts of a sequence; in torch, a later ConstantLR of 0 steps ends at once."""
    first, *later = scheduler._schedulers
    parts = [_read_scheduler(first, nested=True)]
    for child in later:
        is_over = _get_class_name(child) == "ConstantLR" and not child.total_iters
        parts.append(Constant(1.0) if is_over else _read_scheduler(child, nested=True))
    return parts


def _get_lr_lambda(scheduler: Any) -> Any:
    return _require_equal("lr_lambda", scheduler.lr_lambdas)


def _read_group_value(scheduler: Any, key: str) -> float:
    return float(_require_equal(key, (group[key] for group in scheduler.optimizer.param_groups)))


def _divide_by_initial_lr(
    description: str, scheduler: Any, get_lr: Callable[[Any], float]
) -> float:
    """Return the groups' rates as one factor of ``initial_lr``; groups with 0 do not count."""
    factors = [
        get_lr(group) / initial
        for group in scheduler.optimizer.param_groups
        if (initial := float(group.get("initial_lr", group["lr"])))
    ]
    return float(_require_equal(f"{description}, over initial_lr,", factors or [1.0]))


def _require_equal(description: str, values: Iterable[Any]) -> Any:
    """Return the value that all groups have.

    Raises:
        ScheduleError: they have different values.
    """
    first, *rest = values
    if not all(_is_close(value, first) for value in rest):
        raise ScheduleError(
            f"from_scheduler: {description} must be the same in all parameter groups, got "
            f"{shorten_repr([first, *rest])}; a schedule applies to all of them, so differences "
            "belong in each group's own lr."
        )
    return first


def _is_close(a: Any, b: Any) -> bool:
    """Whether two values are equal, floats up to the rounding of torch's steps."""
    return isclose(a, b, rel_tol=1e-6) if isinstance(a, float) else bool(a == b)


def _make_reader(function: Callable[..., Any], *attributes: str) -> Callable[[Any], Any]:
    """Make a reader for a scheduler whose attributes have the names of its arguments."""
    return lambda scheduler: function(**{name: getattr(scheduler, name) for name in attributes})


_READERS: dict[str, Callable[[Any], Any]] = {
    "LambdaLR": lambda scheduler: LambdaLR(_get_lr_lambda(scheduler)),
    "MultiplicativeLR": lambda scheduler: MultiplicativeLR(_get_lr_lambda(scheduler)),
    "ConstantLR": _make_reader(ConstantLR, "factor", "total_iters"),
    "LinearLR": _make_reader(LinearLR, "start_factor", "end_factor", "total_iters"),
    "PolynomialLR": _make_reader(PolynomialLR, "total_iters", "power"),
    "ExponentialLR": _make_reader(ExponentialLR, "gamma"),
    "StepLR": _make_reader(StepLR, "step_size", "gamma"),
    "MultiStepLR": lambda scheduler: MultiStepLR(
        list(scheduler.milestones.elements()), scheduler.gamma
    ),
    "CosineAnnealingLR": _read_cosine,
    "CosineAnnealingWarmRestarts": _make_reader(
        CosineAnnealingWarmRestarts, "T_0", "T_mult", "eta_min"
    ),
    "SWALR": _read_swa,
    "ReduceLROnPlateau": _read_plateau,
    "CyclicLR": _read_cyclic,
    "OneCycleLR": _read_one_cycle,
    "SequentialLR": lambda scheduler: SequentialLR(
        _read_sequential_children(scheduler), scheduler._milestones
    ),
    "ChainedScheduler": lambda scheduler: ChainedScheduler(_read_children(scheduler)),
}
"""Readers by the name of torch's class."""

_CLASSES_WITHOUT_BASE_LRS: Sequence[str] = (
    "SWALR",
    "ReduceLROnPlateau",
    "CyclicLR",
    "OneCycleLR",
    "MultiplicativeLR",
    "SequentialLR",
    "ChainedScheduler",
)
"""Classes whose rates do not depend on their own ``base_lrs``."""
