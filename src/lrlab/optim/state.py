"""The state of a scheduler as numbers and texts, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrlab.errors import SchedulerError
from lrlab.optim.track import Row, Track
from lrlab.schedules.numbers import real, whole
from lrlab.schedules.reaction import State


@dataclass(frozen=True)
class Saved:
    """What a state says of one hyperparameter: the text of the schedule for all groups, and of
    each parameter group its schedule's text, its base value, the value used last, what the
    schedule keeps of the metrics seen, and, if something else had set it, the value held.
    """

    common: str
    schedules: Sequence[str]
    bases: Row
    used: Row
    metrics: Sequence[State]
    held: Row | None


def dumped(
    tracks: Sequence[Track],
    used: Sequence[Row],
    held: Sequence[Row] | None,
    step: int,
    count: int,
    total: float | None,
) -> dict[str, Any]:
    """The state, in primitives alone: safe for ``torch.load(weights_only=True)``.

    Args:
        tracks: what every group follows.
        used: of each track, the values used last.
        held: of each track, the values that the groups hold, if something else has set them.
        step, count: the step reached, and how many were made.
        total: steps of the training, if they are known.
    """
    held_if_any = [{}] * len(tracks) if held is None else [{"held": row} for row in held]
    return {
        "last_epoch": step,
        "_step_count": count,
        "total_steps": total,
        "hyperparameters": {
            str(track.what): {
                "common": repr(track.common),
                "schedules": [repr(schedule) for schedule in track.schedules],
                "bases": list(track.bases),
                # Of a group that is new, what it came with.
                "used": [*row, *track.bases[len(row) :]],
                "metrics": list(track.states),
                **own,
            }
            for track, row, own in zip(tracks, used, held_if_any, strict=True)
        },
    }


def read(state: Any, groups: int) -> tuple[int, int, dict[str, Saved]]:
    """Step, count of steps, and what is saved of each hyperparameter.

    Raises:
        SchedulerError: it is no such state, or one of another number of groups.
    """
    known = set(state) if isinstance(state, Mapping) else set()
    missing = {"last_epoch", "_step_count", "hyperparameters"} - known
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
    step, count = whole(state["last_epoch"]), whole(state["_step_count"])
    try:
        saved = {str(name): _saved(one) for name, one in state["hyperparameters"].items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        saved = {}
    # A child of torch's SequentialLR whose turn has not come is at -1.
    if step is None or step < -1 or count is None or "lr" not in saved:
        raise SchedulerError(f"the state is damaged, so take another: {dict(state)!r}.")
    of = len(saved["lr"].bases)
    if of != groups:
        raise SchedulerError(
            f"the state must fit the optimizer, which has {groups} parameter groups, but it is of "
            f"{of}; build the optimizer as it was when saved."
        )
    return step, count, saved


def _saved(one: Mapping[str, Any]) -> Saved:
    bases, used = ([_value(value) for value in one[key]] for key in ("bases", "used"))
    schedules, metrics = list(one["schedules"]), [_tuples(state) for state in one["metrics"]]
    if not len(schedules) == len(bases) == len(used) == len(metrics):
        raise ValueError
    if not all(isinstance(text, str) for text in (one["common"], *schedules)):
        raise ValueError
    held = [_value(value) for value in one["held"]] if "held" in one else None
    if held is not None and len(held) != len(bases):
        raise ValueError
    return Saved(one["common"], schedules, bases, used, metrics, held)


def _value(value: Any) -> float:
    number = real(value)
    if number is None or number < 0:
        raise ValueError
    return number


def _tuples(state: Any) -> Any:
    """A state of metrics as it was before JSON, say, made lists of its tuples."""
    return tuple(map(_tuples, state)) if isinstance(state, list | tuple) else state
