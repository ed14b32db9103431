"""What each of torch's schedulers keeps of its arguments, read as a schedule; without torch."""

from collections.abc import Callable, Iterable, Sequence
from math import isclose
from typing import Any

from lrlab.dialects.arguments import check_absolute, shorten
from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.dialects.parts import ANNEAL_RAMPS
from lrlab.dialects.torch.annealing import (
    SWALR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ReduceLROnPlateau,
)
from lrlab.dialects.torch.composed import ChainedScheduler, SequentialLR
from lrlab.dialects.torch.cycles import CyclicLR, _build_phases
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


def _read_scheduler(scheduler: Any, nested: bool = False) -> Schedule:
    """The schedule of a scheduler; ``nested`` where it is part of another.

    Raises:
        ScheduleError: it is none of torch's, or not one schedule for all groups.
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
            f"from_scheduler: schedulers in a scheduler must be plain ones, got a {class_name}, which "
            "torch steps wrongly there; put its own schedulers in its place."
        )
    if class_name not in _CLASSES_WITHOUT_BASE_LRS:
        _check_base_lrs(class_name, scheduler)
    if nested and class_name == "SWALR":  # it begins at whatever rate it finds
        return SWALR(_read_group_value(scheduler, "swa_lr"), *_get_anneal_arguments(scheduler))
    schedule: Schedule = _READERS[class_name](scheduler)
    return schedule


def _check_base_lrs(class_name: str, scheduler: Any) -> None:
    """Raises ScheduleError where a scheduler's own base rates are not those of its groups."""
    bases, groups = scheduler.base_lrs, scheduler.optimizer.param_groups
    if len(bases) != len(groups):
        raise ScheduleError(
            f"from_scheduler: {class_name} must be built after all parameter groups are there, but it "
            f"has {len(bases)} of {len(groups)}; build it after add_param_group."
        )
    for base, group in zip(bases, groups, strict=True):
        initial = float(group["initial_lr"])
        if not isclose(float(base), initial, rel_tol=1e-6):
            raise ScheduleError(
                f"from_scheduler: {class_name} must go from its group's initial_lr, but that is "
                f"{initial:g} and its own {float(base):g}: another scheduler has set one of them. "
                f"Build the schedule with torch.{class_name}(...)."
            )


def _get_class_name(scheduler: Any) -> str:
    """The name of a class of torch's; any other has none."""
    scheduler_class = type(scheduler)
    modules = ("torch.optim.lr_scheduler", "torch.optim.swa_utils")
    return scheduler_class.__qualname__ if scheduler_class.__module__ in modules else ""


def _require_equal(description: str, values: Iterable[Any]) -> Any:
    """The one value that all groups have."""
    first, *others = values
    if not all(_is_close(other, first) for other in others):
        raise ScheduleError(
            f"from_scheduler: {description} must be the same in all parameter groups, got "
            f"{shorten([first, *others])}; a schedule is for all of them, and what differs belongs "
            "in each group's own lr."
        )
    return first


def _is_close(a: Any, b: Any) -> bool:
    """Whether two values are the same, numbers up to what stepping does to their last bits."""
    return isclose(a, b, rel_tol=1e-6) if isinstance(a, float) else bool(a == b)


def _read_group_value(scheduler: Any, key: str) -> float:
    return float(_require_equal(key, (group[key] for group in scheduler.optimizer.param_groups)))


def _divide_by_initial_lr(description: str, scheduler: Any, get_lr: Callable[[Any], float]) -> float:
    """A rate of each group as the one factor of its ``initial_lr``; a group at 0 has any."""
    factors = [
        get_lr(group) / initial
        for group in scheduler.optimizer.param_groups
        if (initial := float(group.get("initial_lr", group["lr"])))
    ]
    return float(_require_equal(f"{description}, over initial_lr,", factors or [1.0]))


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


def _get_anneal_arguments(scheduler: Any) -> tuple[int, Any]:
    return scheduler.anneal_epochs, scheduler._anneal_strategy


def _read_swa(scheduler: Any) -> Schedule:
    """From where it began, which is the base rate only if nothing was scheduled before."""
    target = _read_group_value(scheduler, "swa_lr")
    schedule = SWALR(target, *_get_anneal_arguments(scheduler))
    # The share of the way behind it: 1 - share is what is left of the rate that it began at.
    fraction = 1 - SWALR(0.0, *_get_anneal_arguments(scheduler))(scheduler.last_epoch)
    if fraction > 1 - 1e-9:
        return schedule
    start = _divide_by_initial_lr(
        "the rate at which SWALR began",
        scheduler,
        lambda group: (float(group["lr"]) - fraction * target) / (1 - fraction),
    )
    assert hasattr(schedule, "changed")
    return schedule if _is_close(start, 1.0) else schedule.changed(start=start)


def _read_plateau(scheduler: Any) -> Schedule:
    """With the reductions so far as a factor in front."""
    factor = _divide_by_initial_lr("the rate", scheduler, lambda group: float(group["lr"]))
    if not factor:  # nothing is left to reduce
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
    """The children of a sequence; a later constant of no steps is over when torch begins it."""
    first, *later = scheduler._schedulers
    parts = [_read_scheduler(first, nested=True)]
    for child in later:
        is_over = _get_class_name(child) == "ConstantLR" and not child.total_iters
        parts.append(Constant(1.0) if is_over else _read_scheduler(child, nested=True))
    return parts


def _get_lr_lambda(scheduler: Any) -> Any:
    return _require_equal("lr_lambda", scheduler.lr_lambdas)


def _make_reader(function: Callable[..., Any], *attributes: str) -> Callable[[Any], Any]:
    """A reader of what a scheduler keeps under the names of its arguments."""
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
    "CosineAnnealingWarmRestarts": _make_reader(CosineAnnealingWarmRestarts, "T_0", "T_mult", "eta_min"),
    "SWALR": _read_swa,
    "ReduceLROnPlateau": _read_plateau,
    "CyclicLR": _read_cyclic,
    "OneCycleLR": _read_one_cycle,
    "SequentialLR": lambda scheduler: SequentialLR(_read_sequential_children(scheduler), scheduler._milestones),
    "ChainedScheduler": lambda scheduler: ChainedScheduler(_read_children(scheduler)),
}
"""How to read each of torch's classes, by its name."""

_CLASSES_WITHOUT_BASE_LRS: Sequence[str] = (
    "SWALR",
    "ReduceLROnPlateau",
    "CyclicLR",
    "OneCycleLR",
    "MultiplicativeLR",
    "SequentialLR",
    "ChainedScheduler",
)
"""Those whose rates do not come from a base rate of their own."""
