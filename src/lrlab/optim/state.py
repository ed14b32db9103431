"""A change of how long training is, for all that a scheduler schedules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isclose, isinf
from typing import Any, Literal

from torch.optim import Optimizer

from lrlab._checks import to_finite_float, to_integer
from lrlab.dialects import parse
from lrlab.errors import ScheduleError, SchedulerError, shorten_repr
from lrlab.optim.hyperparameters import GroupValues, ScheduledHyperparameter, find_hyperparameter
from lrlab.schedules import Constant, Schedule
from lrlab.schedules.core import MetricState
from lrlab.schedules.durations import Horizon


def replan_hyperparameters(
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    new_total_steps: float,
    at: int,
    total_steps: float | None,
) -> tuple[ScheduledHyperparameter, ...]:
    """The tracks from step ``at`` on, for a training of ``new_total_steps`` steps.

    Args:
        hyperparameters: what follows schedules.
        new_total_steps: how many steps there are now.
        at: the step reached.
        total_steps: how many steps were planned; None for those of the longest schedule that ends.

    Raises:
        SchedulerError: a schedule reads a metric, none has an end, or a number is too low.
    """
    if not (to_finite_float(new_total_steps) or 0) > at:
        raise SchedulerError(
            f"replan goes on to a number of steps above the one reached, {at}, got {new_total_steps!r}."
        )
    schedules = {
        id(schedule): schedule
        for scheduled in hyperparameters
        for schedule in (scheduled.default_schedule, *scheduled.schedules)
    }
    for schedule in schedules.values():
        if schedule.needs_metric:
            raise SchedulerError(
                f"replan is for schedules with an end, but {schedule} reads a metric; it goes on "
                "for as long as training does."
            )
    if total_steps is None:
        lengths = [schedule.compute_length(Horizon()) for schedule in schedules.values()]
        total_steps = max((length for length in lengths if not isinf(length)), default=inf)
    if isinf(total_steps):
        raise SchedulerError(
            "replan needs the number of steps planned, because no schedule here has an end of its "
            "own: pass LRScheduler total_steps=..."
        )
    if at >= total_steps:
        raise SchedulerError(
            f"replan must come before the planned end, which was step {total_steps:g}, and it is step "
            f"{at} by now: build a new scheduler."
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
        return schedule  # which any stretching would leave as it is
    return schedule.replan(new_total_steps, at=at, total_steps=total_steps)


@dataclass(frozen=True)
class SavedHyperparameter:
    """What a state says of one hyperparameter: the text of the schedule for all groups, and of
    each parameter group its schedule's text, its base value, the value used last, what the
    schedule keeps of the metrics seen, and, if something else had set it, the value held.
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
    """The state, in primitives alone: safe for ``torch.load(weights_only=True)``.

    Args:
        hyperparameters: what every group follows.
        used_values: of each track, the values used last.
        current_values: of each track, the values that the groups hold, if something else has set them.
        step, step_count: the step reached, and how many were made.
        total_steps: steps of the training, if they are known.
    """
    extras = (
        [{}] * len(hyperparameters)
        if current_values is None
        else [{"held": row} for row in current_values]
    )
    return {
        "last_epoch": step,
        "_step_count": step_count,
        "total_steps": total_steps,
        "hyperparameters": {
            str(scheduled.hyperparameter): {
                "common": repr(scheduled.default_schedule),
                "schedules": [repr(schedule) for schedule in scheduled.schedules],
                "bases": list(scheduled.bases),
                # Of a group that is new, what it came with.
                "used": [*row, *scheduled.bases[len(row) :]],
                "metrics": list(scheduled.states),
                **extra,
            }
            for scheduled, row, extra in zip(hyperparameters, used_values, extras, strict=True)
        },
    }


def parse_state_dict(
    state: Any, group_count: int
) -> tuple[int, int, dict[str, SavedHyperparameter]]:
    """Step, count of steps, and what is saved of each hyperparameter.

    Raises:
        SchedulerError: it is no such state, or one of another number of groups.
    """
    keys = set(state) if isinstance(state, Mapping) else set()
    missing = {"last_epoch", "_step_count", "hyperparameters"} - keys
    if missing == {"hyperparameters"}:
        raise SchedulerError(
            "the state must be one of lrlab's scheduler, but it is one of torch's: go on from it "
            'with scheduler.step(epoch=state["last_epoch"]).'
        )
    if missing:
        raise SchedulerError(
            "the state must be one that state_dict() of lrlab's scheduler returned, but it lacks "
            f"{', '.join(sorted(missing))}."
        )
    step, step_count = to_integer(state["last_epoch"]), to_integer(state["_step_count"])
    try:
        saved = {str(name): _parse_saved(entry) for name, entry in state["hyperparameters"].items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        saved = {}
    # A child of torch's SequentialLR whose turn has not come is at -1.
    if step is None or step < -1 or step_count is None or "lr" not in saved:
        raise SchedulerError(f"the state is damaged, so take another: {dict(state)!r}.")
    saved_group_count = len(saved["lr"].bases)
    if saved_group_count != group_count:
        raise SchedulerError(
            f"the state must fit the optimizer, which has {group_count} parameter groups, but it is of "
            f"{saved_group_count}; build the optimizer as it was when saved."
        )
    return step, step_count, saved


def _parse_saved(entry: Mapping[str, Any]) -> SavedHyperparameter:
    bases, used_values = (
        [_parse_value(value) for value in entry[key]] for key in ("bases", "used")
    )
    schedules, states = list(entry["schedules"]), [_to_tuples(state) for state in entry["metrics"]]
    if not len(schedules) == len(bases) == len(used_values) == len(states):
        raise ValueError
    if not all(isinstance(text, str) for text in (entry["common"], *schedules)):
        raise ValueError
    current_values = [_parse_value(value) for value in entry["held"]] if "held" in entry else None
    if current_values is not None and len(current_values) != len(bases):
        raise ValueError
    return SavedHyperparameter(
        entry["common"], schedules, bases, used_values, states, current_values
    )


def _parse_value(value: Any) -> float:
    number = to_finite_float(value)
    if number is None or number < 0:
        raise ValueError
    return number


def _to_tuples(state: Any) -> Any:
    """A state of metrics as it was before JSON, say, made lists of its tuples."""
    return tuple(map(_to_tuples, state)) if isinstance(state, list | tuple) else state


OnMismatch = Literal["error", "keep", "load"]
"""What to do where a state is of other schedules or base values than the scheduler's."""

ON_MISMATCH_CHOICES = ("error", "keep", "load")


def restore_hyperparameters(
    saved: dict[str, SavedHyperparameter],
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    t: int,
    on_mismatch: OnMismatch,
    optimizer: Optimizer,
    accept_scheduled_base: bool,
) -> tuple[ScheduledHyperparameter, ...]:
    """The tracks to go on with.

    Args:
        saved: what the state has of each hyperparameter.
        hyperparameters: those of the scheduler that it is loaded into.
        t: the step reached.
        on_mismatch: what to do where they differ.
        optimizer: whose hyperparameters they are.
        accept_scheduled_base: whether a base value of the scheduler may be one in use, as where the optimizer had
            loaded a state without base values before.

    Raises:
        SchedulerError: they differ and ``on_mismatch`` is ``"error"``, or what is saved cannot be
            built again.
    """
    try:
        mismatch = _describe_mismatch(saved, hyperparameters, max(t, 0), accept_scheduled_base)
        if mismatch and on_mismatch == "error":
            raise SchedulerError(
                f"the state must be of this scheduler, but {mismatch}: say which holds with "
                'LRScheduler(..., on_mismatch="keep") or "load".'
            )
        if mismatch and on_mismatch == "keep":
            return tuple(
                _keep_schedules(scheduled, saved.get(str(scheduled.hyperparameter)))
                for scheduled in hyperparameters
            )
        current = {str(scheduled.hyperparameter): scheduled for scheduled in hyperparameters}
        # The rate's is the first, whatever a file has made of the order.
        lr_first = sorted(saved.items(), key=lambda item: item[0] != "lr")
        return tuple(
            _restore_saved(name, entry, current.get(name), optimizer) for name, entry in lr_first
        )
    except ScheduleError as error:
        raise SchedulerError(f"the state cannot be loaded: {error}") from None


def _restore_saved(
    name: str,
    saved: SavedHyperparameter,
    current: ScheduledHyperparameter | None,
    optimizer: Optimizer,
) -> ScheduledHyperparameter:
    """The track that was saved."""
    try:
        hyperparameter = (
            find_hyperparameter(optimizer, name) if current is None else current.hyperparameter
        )
    except SchedulerError as error:
        raise SchedulerError(f"the state schedules {name}, but {error}") from None
    default_schedule, *schedules = _parse_schedules(
        [saved.default_schedule, *saved.schedules],
        [] if current is None else [current.default_schedule, *current.schedules],
    )
    return ScheduledHyperparameter(
        hyperparameter, default_schedule, schedules, saved.bases, saved.states
    )


def _keep_schedules(
    scheduled: ScheduledHyperparameter, saved: SavedHyperparameter | None
) -> ScheduledHyperparameter:
    """The track as it was built; what its schedules have seen goes on where they are the same."""
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


def _describe_mismatch(
    saved: dict[str, SavedHyperparameter],
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    t: int,
    accept_scheduled_base: bool,
) -> str | None:
    """What has changed since the state was saved, in words; None if nothing has."""
    current = {str(scheduled.hyperparameter): scheduled for scheduled in hyperparameters}
    for name in [*saved, *current]:
        if name not in current or name not in saved:
            when = "has one" if name in current else "had one when saved"
            return f"only one of them schedules {name}: the scheduler {when}"
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


def _parse_schedules(texts: Sequence[str], current_schedules: Sequence[Schedule]) -> list[Schedule]:
    """The schedules of some texts; one's own where the text is the same, as a function has none."""
    parsed = {repr(schedule): schedule for schedule in current_schedules}
    for text in texts:
        if text not in parsed:
            try:
                parsed[text] = parse(text)
            except ScheduleError as error:
                reason = str(error).splitlines()[-1].strip(" ^")
                raise SchedulerError(
                    f"the schedule saved, {shorten_repr(text)}, cannot be built from its text ({reason}): "
                    "build the scheduler with it."
                ) from None
    # Several functions may have one name, so that what is the group's own comes first.
    return [
        current_schedules[i]
        if i < len(current_schedules) and repr(current_schedules[i]) == text
        else parsed[text]
        for i, text in enumerate(texts)
    ]
