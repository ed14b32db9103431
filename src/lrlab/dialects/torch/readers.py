"""What each of torch's schedulers keeps of its arguments, read as a schedule; without torch."""

from collections.abc import Callable, Iterable, Sequence
from math import isclose
from typing import Any

from lrlab.dialects.arguments import absolute, short
from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.dialects.parts import RAMPS
from lrlab.dialects.torch.annealing import (
    SWALR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ReduceLROnPlateau,
)
from lrlab.dialects.torch.composed import ChainedScheduler, SequentialLR
from lrlab.dialects.torch.cycles import CyclicLR, phases
from lrlab.dialects.torch.factors import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, CosineWave, Schedule


def read(scheduler: Any, nested: bool = False) -> Schedule:
    """The schedule of a scheduler; ``nested`` where it is part of another.

    Raises:
        ScheduleError: it is none of torch's, or not one schedule for all groups.
    """
    name = name_of(scheduler)
    if name not in _READERS:
        raise ScheduleError(
            "from_scheduler: scheduler must be of one of torch's own classes, got "
            f"{type(scheduler).__module__}.{type(scheduler).__qualname__}; write what it does as "
            "a schedule, or as Custom(function)."
        )
    if nested and hasattr(scheduler, "_schedulers"):
        raise ScheduleError(
            f"from_scheduler: schedulers in a scheduler must be plain ones, got a {name}, which "
            "torch steps wrongly there; put its own schedulers in its place."
        )
    if name not in _WITHOUT_BASE:
        _check_bases(name, scheduler)
    if nested and name == "SWALR":  # it begins at whatever rate it finds
        return SWALR(_of_groups(scheduler, "swa_lr"), *_annealing(scheduler))
    schedule: Schedule = _READERS[name](scheduler)
    return schedule


def _check_bases(name: str, scheduler: Any) -> None:
    """Raises ScheduleError where a scheduler's own base rates are not those of its groups."""
    bases, groups = scheduler.base_lrs, scheduler.optimizer.param_groups
    if len(bases) != len(groups):
        raise ScheduleError(
            f"from_scheduler: {name} must be built after all parameter groups are there, but it "
            f"has {len(bases)} of {len(groups)}; build it after add_param_group."
        )
    for base, group in zip(bases, groups, strict=True):
        initial = float(group["initial_lr"])
        if not isclose(float(base), initial, rel_tol=1e-6):
            raise ScheduleError(
                f"from_scheduler: {name} must go from its group's initial_lr, but that is "
                f"{initial:g} and its own {float(base):g}: another scheduler has set one of them. "
                f"Build the schedule with torch.{name}(...)."
            )


def name_of(scheduler: Any) -> str:
    """The name of a class of torch's; any other has none."""
    kind = type(scheduler)
    homes = ("torch.optim.lr_scheduler", "torch.optim.swa_utils")
    return kind.__qualname__ if kind.__module__ in homes else ""


def _same(what: str, values: Iterable[Any]) -> Any:
    """The one value that all groups have."""
    first, *others = values
    if not all(_alike(other, first) for other in others):
        raise ScheduleError(
            f"from_scheduler: {what} must be the same in all parameter groups, got "
            f"{short([first, *others])}; a schedule is for all of them, and what differs belongs "
            "in each group's own lr."
        )
    return first


def _alike(a: Any, b: Any) -> bool:
    """Whether two values are the same, numbers up to what stepping does to their last bits."""
    return isclose(a, b, rel_tol=1e-6) if isinstance(a, float) else bool(a == b)


def _of_groups(scheduler: Any, key: str) -> float:
    return float(_same(key, (group[key] for group in scheduler.optimizer.param_groups)))


def _over_initial(what: str, scheduler: Any, rate: Callable[[Any], float]) -> float:
    """A rate of each group as the one factor of its ``initial_lr``; a group at 0 has any."""
    factors = [
        rate(group) / initial
        for group in scheduler.optimizer.param_groups
        if (initial := float(group.get("initial_lr", group["lr"])))
    ]
    return float(_same(f"{what}, over initial_lr,", factors or [1.0]))


def _cosine(scheduler: Any) -> Schedule:
    if scheduler.last_epoch <= scheduler.T_max:
        return CosineAnnealingLR(scheduler.T_max, scheduler.eta_min)
    return CosineWave(
        2 * scheduler.T_max, low=absolute("from_scheduler", eta_min=scheduler.eta_min)
    )


def _cyclic(scheduler: Any) -> Schedule | LrAndMomentum:
    up = scheduler.step_ratio * scheduler.total_size
    up = round(up) if isclose(up, round(up), rel_tol=1e-9) else up
    return CyclicLR(
        _same("base_lr", map(float, scheduler.base_lrs)),
        _same("max_lr", map(float, scheduler.max_lrs)),
        up,
        scheduler.total_size - up,
        scheduler.mode,
        scheduler.gamma,
        scheduler._scale_fn_custom,
        scheduler.scale_mode,
        cycle_momentum=False,
    )


def _one_cycle(scheduler: Any) -> Schedule:
    planned = [
        (
            phase["end_step"],
            _of_groups(scheduler, phase["start_lr"]),
            _of_groups(scheduler, phase["end_lr"]),
        )
        for phase in scheduler._schedule_phases
    ]
    return phases(planned, scheduler.total_steps, RAMPS[scheduler._anneal_func_type])


def _annealing(scheduler: Any) -> tuple[int, Any]:
    return scheduler.anneal_epochs, scheduler._anneal_strategy


def _swa(scheduler: Any) -> Schedule:
    """From where it began, which is the base rate only if nothing was scheduled before."""
    target = _of_groups(scheduler, "swa_lr")
    whole = SWALR(target, *_annealing(scheduler))
    # The share of the way behind it: 1 - share is what is left of the rate that it began at.
    share = 1 - SWALR(0.0, *_annealing(scheduler))(scheduler.last_epoch)
    if share > 1 - 1e-9:
        return whole
    start = _over_initial(
        "the rate at which SWALR began",
        scheduler,
        lambda group: (float(group["lr"]) - share * target) / (1 - share),
    )
    assert hasattr(whole, "changed")
    return whole if _alike(start, 1.0) else whole.changed(start=start)


def _plateau(scheduler: Any) -> Schedule:
    """With the reductions so far as a factor in front."""
    factor = _over_initial("the rate", scheduler, lambda group: float(group["lr"]))
    if not factor:  # nothing is left to reduce
        return Constant(0.0)
    low = _same("min_lr", map(float, scheduler.min_lrs))
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
    return plateau if _alike(factor, 1.0) else factor * plateau


def _children(scheduler: Any) -> list[Schedule]:
    return [read(child, nested=True) for child in scheduler._schedulers]


def _in_turn(scheduler: Any) -> list[Schedule]:
    """The children of a sequence; a later constant of no steps is over when torch begins it."""
    first, *later = scheduler._schedulers
    parts = [read(first, nested=True)]
    for child in later:
        over = name_of(child) == "ConstantLR" and not child.total_iters
        parts.append(Constant(1.0) if over else read(child, nested=True))
    return parts


def _function(scheduler: Any) -> Any:
    return _same("lr_lambda", scheduler.lr_lambdas)


def _told(function: Callable[..., Any], *names: str) -> Callable[[Any], Any]:
    """A reader of what a scheduler keeps under the names of its arguments."""
    return lambda scheduler: function(**{name: getattr(scheduler, name) for name in names})


_READERS: dict[str, Callable[[Any], Any]] = {
    "LambdaLR": lambda scheduler: LambdaLR(_function(scheduler)),
    "MultiplicativeLR": lambda scheduler: MultiplicativeLR(_function(scheduler)),
    "ConstantLR": _told(ConstantLR, "factor", "total_iters"),
    "LinearLR": _told(LinearLR, "start_factor", "end_factor", "total_iters"),
    "PolynomialLR": _told(PolynomialLR, "total_iters", "power"),
    "ExponentialLR": _told(ExponentialLR, "gamma"),
    "StepLR": _told(StepLR, "step_size", "gamma"),
    "MultiStepLR": lambda scheduler: MultiStepLR(
        list(scheduler.milestones.elements()), scheduler.gamma
    ),
    "CosineAnnealingLR": _cosine,
    "CosineAnnealingWarmRestarts": _told(CosineAnnealingWarmRestarts, "T_0", "T_mult", "eta_min"),
    "SWALR": _swa,
    "ReduceLROnPlateau": _plateau,
    "CyclicLR": _cyclic,
    "OneCycleLR": _one_cycle,
    "SequentialLR": lambda scheduler: SequentialLR(_in_turn(scheduler), scheduler._milestones),
    "ChainedScheduler": lambda scheduler: ChainedScheduler(_children(scheduler)),
}
"""How to read each of torch's classes, by its name."""

_WITHOUT_BASE: Sequence[str] = (
    "SWALR",
    "ReduceLROnPlateau",
    "CyclicLR",
    "OneCycleLR",
    "MultiplicativeLR",
    "SequentialLR",
    "ChainedScheduler",
)
"""Those whose rates do not come from a base rate of their own."""
