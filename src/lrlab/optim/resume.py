"""What to do with a saved state: go on as before, or choose where the scheduler has changed."""

from collections.abc import Sequence
from math import isclose
from typing import Literal

from torch.optim import Optimizer

from lrlab.dialects import parse
from lrlab.dialects.arguments import short
from lrlab.errors import ScheduleError, SchedulerError
from lrlab.optim.hyperparameters import named
from lrlab.optim.state import Saved
from lrlab.optim.track import Track
from lrlab.schedules import Schedule

OnChange = Literal["error", "keep_new", "keep_saved"]
"""What to do where a state is of other schedules or base values than the scheduler's."""

CHOICES = ("error", "keep_new", "keep_saved")


def resumed(
    saved: dict[str, Saved],
    tracks: tuple[Track, ...],
    t: int,
    on_change: OnChange,
    optimizer: Optimizer,
    lenient: bool,
) -> tuple[Track, ...]:
    """The tracks to go on with.

    Args:
        saved: what the state has of each hyperparameter.
        tracks: those of the scheduler that it is loaded into.
        t: the step reached.
        on_change: what to do where they differ.
        optimizer: whose hyperparameters they are.
        lenient: whether a base value of the scheduler may be one in use, as where the optimizer had
            loaded a state without base values before.

    Raises:
        SchedulerError: they differ and ``on_change`` is ``"error"``, or what is saved cannot be
            built again.
    """
    try:
        change = _change(saved, tracks, max(t, 0), lenient)
        if change and on_change == "error":
            raise SchedulerError(
                f"the state must be of this scheduler, but {change}: say which holds with "
                'LRScheduler(..., on_change="keep_new") or "keep_saved".'
            )
        if change and on_change == "keep_new":
            return tuple(_kept(track, saved.get(str(track.what))) for track in tracks)
        own = {str(track.what): track for track in tracks}
        # The rate's is the first, whatever a file has made of the order.
        in_order = sorted(saved.items(), key=lambda item: item[0] != "lr")
        return tuple(_again(name, one, own.get(name), optimizer) for name, one in in_order)
    except ScheduleError as error:
        raise SchedulerError(f"the state cannot be loaded: {error}") from None


def _again(name: str, saved: Saved, own: Track | None, optimizer: Optimizer) -> Track:
    """The track that was saved."""
    try:
        what = named(optimizer, name) if own is None else own.what
    except SchedulerError as error:
        raise SchedulerError(f"the state schedules {name}, but {error}") from None
    first, *others = _schedules(
        [saved.common, *saved.schedules], [] if own is None else [own.common, *own.schedules]
    )
    return Track(what, first, others, saved.bases, saved.metrics)


def _kept(track: Track, saved: Saved | None) -> Track:
    """The track as it was built; what its schedules have seen goes on where they are the same."""
    if saved is None:
        return track
    triples = zip(track.schedules, saved.schedules, saved.metrics, strict=True)
    states = [own.initial() if _differ(own, text) else seen for own, text, seen in triples]
    return Track(track.what, track.common, track.schedules, track.bases, states)


def _change(
    saved: dict[str, Saved], tracks: tuple[Track, ...], t: int, lenient: bool
) -> str | None:
    """What has changed since the state was saved, in words; None if nothing has."""
    own = {str(track.what): track for track in tracks}
    for name in [*saved, *own]:
        if name not in own or name not in saved:
            when = "has one" if name in own else "had one when saved"
            return f"only one of them schedules {name}: the scheduler {when}"
    for name, track in own.items():
        one = saved[name]
        for i, schedule in enumerate(track.schedules):
            of = f"{name} of parameter group {i}" if len(track.schedules) > 1 else name
            if _differ(schedule, one.schedules[i]):
                return f"{of} followed {one.schedules[i]} when saved and follows {schedule} now"
            allowed = [one.bases[i]]
            if lenient:
                allowed.append(schedule.given(one.metrics[i])(t, base=one.bases[i]))
            if not any(isclose(track.bases[i], base, rel_tol=1e-6) for base in allowed):
                return (
                    f"the base value of {of} was {one.bases[i]:g} when saved and is "
                    f"{track.bases[i]:g} now"
                )
    return None


def _differ(schedule: Schedule, text: str) -> bool:
    return repr(schedule) != text


def _schedules(texts: Sequence[str], own: Sequence[Schedule]) -> list[Schedule]:
    """The schedules of some texts; one's own where the text is the same, as a function has none."""
    known = {repr(schedule): schedule for schedule in own}
    for text in texts:
        if text not in known:
            try:
                known[text] = parse(text)
            except ScheduleError as error:
                reason = str(error).splitlines()[-1].strip(" ^")
                raise SchedulerError(
                    f"the schedule saved, {short(text)}, cannot be built from its text ({reason}): "
                    "build the scheduler with it."
                ) from None
    # Several functions may have one name, so that what is the group's own comes first.
    return [
        own[i] if i < len(own) and repr(own[i]) == text else known[text]
        for i, text in enumerate(texts)
    ]
