"""What the parts have in common that a schedule is put together from."""

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lrlab.schedules.base import Schedule


class ScheduleMixin:
    """Some methods of every schedule, in a file of their own."""

    @property
    def _schedule(self) -> "Schedule":
        return cast("Schedule", self)
