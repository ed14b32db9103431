"""What the parts have in common that a schedule is put together from."""

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lrlab.schedules.base import Schedule


class Mixin:
    """Some methods of every schedule, in a file of their own."""

    @property
    def _self(self) -> "Schedule":
        return cast("Schedule", self)
