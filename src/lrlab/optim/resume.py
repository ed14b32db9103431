"""What to do with a saved state: go on as before, or choose where the scheduler has changed."""

from collections.abc import Sequence
from math import isclose
from typing import Literal

from torch.optim import Optimizer

from lrlab.dialects import parse
from lrlab.dialects.arguments import shorten
from lrlab.errors import ScheduleError, SchedulerError
from lrlab.optim.hyperparameters import find_hyperparameter
from lrlab.optim.state import SavedHyperparameter
from lrlab.optim.track import ScheduledHyperparameter
from lrlab.schedules import Schedule

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
            return tuple(_keep_schedules(scheduled, saved.get(str(scheduled.hyperparameter))) for scheduled in hyperparameters)
        current = {str(scheduled.hyperparameter): scheduled for scheduled in hyperparameters}
        # The rate's is the first, whatever a file has made of the order.
        lr_first = sorted(saved.items(), key=lambda item: item[0] != "lr")
        return tuple(_restore_saved(name, entry, current.get(name), optimizer) for name, entry in lr_first)
    except ScheduleError as error:
        raise SchedulerError(f"the state cannot be loaded: {error}") from None


def _restore_saved(name: str, saved: SavedHyperparameter, current: ScheduledHyperparameter | None, optimizer: Optimizer) -> ScheduledHyperparameter:
    """The track that was saved."""
    try:
        hyperparameter = find_hyperparameter(optimizer, name) if current is None else current.hyperparameter
    except SchedulerError as error:
        raise SchedulerError(f"the state schedules {name}, but {error}") from None
    default_schedule, *schedules = _parse_schedules(
        [saved.default_schedule, *saved.schedules], [] if current is None else [current.default_schedule, *current.schedules]
    )
    return ScheduledHyperparameter(hyperparameter, default_schedule, schedules, saved.bases, saved.states)


def _keep_schedules(scheduled: ScheduledHyperparameter, saved: SavedHyperparameter | None) -> ScheduledHyperparameter:
    """The track as it was built; what its schedules have seen goes on where they are the same."""
    if saved is None:
        return scheduled
    triples = zip(scheduled.schedules, saved.schedules, saved.states, strict=True)
    states = [schedule.init_state() if _differs(schedule, text) else state for schedule, text, state in triples]
    return ScheduledHyperparameter(scheduled.hyperparameter, scheduled.default_schedule, scheduled.schedules, scheduled.bases, states)


def _describe_mismatch(
    saved: dict[str, SavedHyperparameter], hyperparameters: tuple[ScheduledHyperparameter, ...], t: int, accept_scheduled_base: bool
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
                return f"{label} followed {entry.schedules[i]} when saved and follows {schedule} now"
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
                    f"the schedule saved, {shorten(text)}, cannot be built from its text ({reason}): "
                    "build the scheduler with it."
                ) from None
    # Several functions may have one name, so that what is the group's own comes first.
    return [
        current_schedules[i] if i < len(current_schedules) and repr(current_schedules[i]) == text else parsed[text]
        for i, text in enumerate(texts)
    ]
