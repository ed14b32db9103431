"""The state of a scheduler as numbers and texts, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrlab.errors import SchedulerError
from lrlab.optim.track import GroupValues, ScheduledHyperparameter
from lrlab.schedules.numbers import to_finite_float, to_integer
from lrlab.schedules.reaction import MetricState


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
    extras = [{}] * len(hyperparameters) if current_values is None else [{"held": row} for row in current_values]
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


def parse_state_dict(state: Any, group_count: int) -> tuple[int, int, dict[str, SavedHyperparameter]]:
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
    bases, used_values = ([_parse_value(value) for value in entry[key]] for key in ("bases", "used"))
    schedules, states = list(entry["schedules"]), [_to_tuples(state) for state in entry["metrics"]]
    if not len(schedules) == len(bases) == len(used_values) == len(states):
        raise ValueError
    if not all(isinstance(text, str) for text in (entry["common"], *schedules)):
        raise ValueError
    current_values = [_parse_value(value) for value in entry["held"]] if "held" in entry else None
    if current_values is not None and len(current_values) != len(bases):
        raise ValueError
    return SavedHyperparameter(entry["common"], schedules, bases, used_values, states, current_values)


def _parse_value(value: Any) -> float:
    number = to_finite_float(value)
    if number is None or number < 0:
        raise ValueError
    return number


def _to_tuples(state: Any) -> Any:
    """A state of metrics as it was before JSON, say, made lists of its tuples."""
    return tuple(map(_to_tuples, state)) if isinstance(state, list | tuple) else state
