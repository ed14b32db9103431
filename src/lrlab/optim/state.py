"""A scheduler's state dict: saving, resuming, ``on_mismatch``; and ``replan`` to a new length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isclose, isinf
from typing import Any, Literal, get_args

from torch.optim import Optimizer

from lrlab._checks import to_finite_float, to_integer
from lrlab.dialects import parse
from lrlab.errors import ScheduleError, SchedulerError, shorten_repr
from lrlab.optim.hyperparameters import GroupValues, ScheduledHyperparameter, find_hyperparameter
from lrlab.schedules import Constant, Schedule
from lrlab.schedules.core import MetricState
from lrlab.schedules.durations import Horizon

OnMismatch = Literal["error", "keep", "load"]
"""What to do if a state has other schedules or base values than the scheduler."""

ON_MISMATCH_CHOICES: tuple[str, ...] = get_args(OnMismatch)


@dataclass(frozen=True)
class SavedHyperparameter:
    """What a state contains for one hyperparameter, its schedules as texts.

    Args:
        default_schedule: the schedule of groups that are added later.
        schedules, bases, used_values, states: for every parameter group, its schedule, its base
            value, the value used last, and the state of a metric-driven schedule.
        current_values: the value that every group had, if something other than the scheduler set
            it.
    """

    default_schedule: str
    schedules: Sequence[str]
    bases: GroupValues
    used_values: GroupValues
    states: Sequence[MetricState]
    current_values: GroupValues | None


def build_state_dict(
    hyperparameters: Sequence[ScheduledHyperparameter],
    used_values: Sequence[GroupValues],
    current_values: Sequence[GroupValues] | None,
    step: int,
    step_count: int,
    total_steps: float | None,
) -> dict[str, Any]:
    """Return the state as Python primitives, safe for ``torch.load(weights_only=True)``.

    Args:
        hyperparameters: the scheduled hyperparameters.
        used_values: for each hyperparameter, the values used last.
        current_values: for each hyperparameter, the values of the groups, if something else has
            set them.
        step, step_count: the current step, and the number of steps made.
        total_steps: steps of the training, if known.
    """
    extras = (
        [{}] * len(hyperparameters)
        if current_values is None
        else [{"current_values": row} for row in current_values]
    )
    return {
        "last_epoch": step,
        "_step_count": step_count,
        "total_steps": total_steps,
        "hyperparameters": {
            str(scheduled.hyperparameter): {
                "default_schedule": repr(scheduled.default_schedule),
                "schedules": [repr(schedule) for schedule in scheduled.schedules],
                "bases": list(scheduled.bases),
                # A new group has used no value yet, so its base value stands in.
                "used_values": [*row, *scheduled.bases[len(row) :]],
                "states": list(scheduled.states),
                **extra,
            }
            for scheduled, row, extra in zip(hyperparameters, used_values, extras, strict=True)
        },
    }


def parse_state_dict(
    state: Any, group_count: int
) -> tuple[int, int, dict[str, SavedHyperparameter]]:
    """Return the step, the number of steps made, and the saved hyperparameters by name.

    Raises:
        SchedulerError: it is not a state of a scheduler with ``group_count`` parameter groups.
    """
    keys = set(state) if isinstance(state, Mapping) else set()
    missing = {"last_epoch", "_step_count", "hyperparameters"} - keys
    if missing == {"hyperparameters"}:
        raise SchedulerError(
            "the state dict must come from lrlab's scheduler, but comes from one of torch's: "
            'continue from it with scheduler.step(epoch=state["last_epoch"]).'
        )
    if missing:
        raise SchedulerError(
            "the state dict must be one that state_dict() of lrlab's scheduler returned, but it "
            f"lacks {', '.join(sorted(missing))}."
        )
    step, step_count = to_integer(state["last_epoch"]), to_integer(state["_step_count"])
    try:
        saved = {
            str(name): _parse_hyperparameter(entry)
            for name, entry in state["hyperparameters"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        saved = {}
    # A child of torch's SequentialLR that has not begun is at -1.
    if step is None or step < -1 or step_count is None or "lr" not in saved:
        raise SchedulerError(f"the state dict is corrupted: {dict(state)!r}.")
    saved_group_count = len(saved["lr"].bases)
    if saved_group_count != group_count:
        raise SchedulerError(
            f"the state dict has {saved_group_count} parameter groups, but the optimizer has "
            f"{group_count}: build the optimizer as it was when the state was saved."
        )
    return step, step_count, saved


def _parse_hyperparameter(entry: Mapping[str, Any]) -> SavedHyperparameter:
    default_schedule, schedules = entry["default_schedule"], list(entry["schedules"])
    bases, used_values = (
        [_parse_value(value) for value in entry[key]] for key in ("bases", "used_values")
    )
    states = [_to_tuples(state) for state in entry["states"]]
    if not len(schedules) == len(bases) == len(used_values) == len(states):
        raise ValueError
    if not all(isinstance(text, str) for text in (default_schedule, *schedules)):
        raise ValueError
    current_values = None
    if "current_values" in entry:
        current_values = [_parse_value(value) for value in entry["current_values"]]
        if len(current_values) != len(bases):
            raise ValueError
    return SavedHyperparameter(
        default_schedule, schedules, bases, used_values, states, current_values
    )


def _parse_value(value: Any) -> float:
    number = to_finite_float(value)
    if number is None or number < 0:
        raise ValueError
    return number


def _to_tuples(state: Any) -> Any:
    """Turn lists back into tuples, for instance after JSON."""
    return tuple(map(_to_tuples, state)) if isinstance(state, list | tuple) else state


def restore_hyperparameters(
    saved: dict[str, SavedHyperparameter],
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    t: int,
    on_mismatch: OnMismatch,
    optimizer: Optimizer,
    accept_scheduled_base: bool,
) -> tuple[ScheduledHyperparameter, ...]:
    """Return the scheduled hyperparameters after a state is loaded.

    Args:
        saved: the saved hyperparameters by name.
        hyperparameters: those of the scheduler that the state is loaded into.
        t: the saved step.
        on_mismatch: what to do if the two differ.
        optimizer: the optimizer whose hyperparameters they are.
        accept_scheduled_base: whether a base value of the scheduler may be the saved value of step
            ``t``, as it is if the optimizer has loaded a state without base values.

    Raises:
        SchedulerError: they differ and ``on_mismatch`` is ``"error"``, or a saved schedule cannot
            be built again.
    """
    try:
        mismatch = _describe_mismatch(saved, hyperparameters, max(t, 0), accept_scheduled_base)
        if mismatch and on_mismatch == "error":
            raise SchedulerError(
                f"the state dict does not match this scheduler: {mismatch}; choose with "
                'LRScheduler(..., on_mismatch="keep") for what the scheduler has now, or "load" '
                "for what was saved."
            )
        if mismatch and on_mismatch == "keep":
            return tuple(
                _keep_schedules(scheduled, saved.get(str(scheduled.hyperparameter)))
                for scheduled in hyperparameters
            )
        current = {str(scheduled.hyperparameter): scheduled for scheduled in hyperparameters}
        # The learning rate comes first, whatever the order in the state.
        lr_first = sorted(saved.items(), key=lambda item: item[0] != "lr")
        return tuple(
            _load_schedules(name, entry, current.get(name), optimizer) for name, entry in lr_first
        )
    except ScheduleError as error:
        raise SchedulerError(f"the state dict cannot be loaded: {error}") from None


def _describe_mismatch(
    saved: dict[str, SavedHyperparameter],
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    t: int,
    accept_scheduled_base: bool,
) -> str | None:
    """Describe what has changed since the state was saved; None if nothing has."""
    current = {str(scheduled.hyperparameter): scheduled for scheduled in hyperparameters}
    for name in [*saved, *current]:
        if name not in saved:
            return f"{name} had no schedule when saved and has one now"
        if name not in current:
            return f"{name} had a schedule when saved and has none now"
    for name, scheduled in current.items():
        entry = saved[name]
        for i, schedule in enumerate(scheduled.schedules):
            label = f"{name} of parameter group {i}" if len(scheduled.schedules) > 1 else name
            if _differs(schedule, entry.schedules[i]):
                return (
                    f"{label} followed {entry.schedules[i]} when saved and follows {schedule} now"
                )
            allowed = [entry.bases[i]]
            if accept_scheduled_base:
                allowed.append(schedule.with_state(entry.states[i])(t, base=entry.bases[i]))
            if not any(isclose(scheduled.bases[i], base, rel_tol=1e-6) for base in allowed):
                return (
                    f"the base value of {label} was {entry.bases[i]:g} when saved and is "
                    f"{scheduled.bases[i]:g} now"
                )
    return None


def _differs(schedule: Schedule, text: str) -> bool:
    return repr(schedule) != text


def _keep_schedules(
    scheduled: ScheduledHyperparameter, saved: SavedHyperparameter | None
) -> ScheduledHyperparameter:
    """Keep the scheduler's schedules, with the saved states of those that are unchanged."""
    if saved is None:
        return scheduled
    triples = zip(scheduled.schedules, saved.schedules, saved.states, strict=True)
    states = [
        schedule.init_state() if _differs(schedule, text) else state
        for schedule, text, state in triples
    ]
    return ScheduledHyperparameter(
        scheduled.hyperparameter,
        scheduled.default_schedule,
        scheduled.schedules,
        scheduled.bases,
        states,
    )


def _load_schedules(
    name: str,
    saved: SavedHyperparameter,
    current: ScheduledHyperparameter | None,
    optimizer: Optimizer,
) -> ScheduledHyperparameter:
    """Build the hyperparameter as it was saved."""
    try:
        hyperparameter = (
            find_hyperparameter(optimizer, name) if current is None else current.hyperparameter
        )
    except SchedulerError as error:
        raise SchedulerError(f"the state dict schedules {name}, but {error}") from None
    default_schedule, *schedules = _parse_schedules(
        [saved.default_schedule, *saved.schedules],
        [] if current is None else [current.default_schedule, *current.schedules],
    )
    return ScheduledHyperparameter(
        hyperparameter, default_schedule, schedules, saved.bases, saved.states
    )


def _parse_schedules(texts: Sequence[str], current_schedules: Sequence[Schedule]) -> list[Schedule]:
    """Parse schedules; reuse current ones with the same text, since functions cannot be parsed."""
    parsed = {repr(schedule): schedule for schedule in current_schedules}
    for text in texts:
        if text not in parsed:
            try:
                parsed[text] = parse(text)
            except ScheduleError as error:
                reason = str(error).splitlines()[-1].strip(" ^.")
                raise SchedulerError(
                    f"the saved schedule {shorten_repr(text)} cannot be built from its text "
                    f"({reason}): build the scheduler with that schedule."
                ) from None
    # Several functions may have the same name, so a group's own schedule comes first.
    return [
        current_schedules[i]
        if i < len(current_schedules) and repr(current_schedules[i]) == text
        else parsed[text]
        for i, text in enumerate(texts)
    ]


def replan_hyperparameters(
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    new_total_steps: float,
    at: int,
    total_steps: float | None,
) -> tuple[ScheduledHyperparameter, ...]:
    """Return copies whose schedules change at step ``at`` to end at ``new_total_steps``.

    Args:
        hyperparameters: the scheduled hyperparameters.
        new_total_steps: steps of the whole training from now on.
        at: the current step.
        total_steps: steps planned before; None for the length of the longest schedule with an end.

    Raises:
        SchedulerError: a schedule is metric-driven, none has an end, or a number is too low.
    """
    if not (to_finite_float(new_total_steps) or 0) > at:
        raise SchedulerError(
            f"replan needs a number of steps above the current one, {at}, got {new_total_steps!r}."
        )
    schedules = {
        id(schedule): schedule
        for scheduled in hyperparameters
        for schedule in (scheduled.default_schedule, *scheduled.schedules)
    }
    for schedule in schedules.values():
        if schedule.needs_metric:
            raise SchedulerError(
                f"replan needs schedules with an end, but {schedule} reads a metric and never ends."
            )
    if total_steps is None:
        lengths = [schedule.compute_length(Horizon()) for schedule in schedules.values()]
        total_steps = max((length for length in lengths if not isinf(length)), default=inf)
    if isinf(total_steps):
        raise SchedulerError(
            "replan needs the planned number of steps, because no schedule here has an end: pass "
            "LRScheduler(..., total_steps=...)."
        )
    if at >= total_steps:
        raise SchedulerError(
            f"replan must be called before the planned end, step {total_steps:g}, but this is step "
            f"{at}: build a new scheduler."
        )
    replanned_schedules = {
        key: _replan_schedule(schedule, new_total_steps, at, total_steps)
        for key, schedule in schedules.items()
    }
    return tuple(
        ScheduledHyperparameter(
            scheduled.hyperparameter,
            replanned_schedules[id(scheduled.default_schedule)],
            [replanned_schedules[id(schedule)] for schedule in scheduled.schedules],
            scheduled.bases,
        )
        for scheduled in hyperparameters
    )


def _replan_schedule(
    schedule: Schedule, new_total_steps: float, at: int, total_steps: float
) -> Schedule:
    if isinstance(schedule, Constant):
        return schedule  # stretching leaves it unchanged
    return schedule.replan(new_total_steps, at=at, total_steps=total_steps)
