"""``parse`` for schedule texts with other libraries' names, such as ``torch.LinearLR(...)``."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, wraps
from importlib import import_module
from typing import Any

from lrlab.dialects import DIALECTS
from lrlab.dialects.building_blocks import LrAndMomentum
from lrlab.errors import ScheduleError, shorten_repr
from lrlab.schedules import Schedule, core
from lrlab.schedules.parser import Builders
from lrlab.schedules.parser import parse as parse_with

ScheduleInput = Iterable[Schedule | str] | Schedule | str
"""One schedule or several, each as a value or as its text."""


class _LazyBuilders(Mapping[str, Callable[..., Any]]):
    """Every function that a text may call, by name; imports a dialect when a text uses it.

    >>> _LazyBuilders()["torch.StepLR"](30)
    Step(30)
    """

    def __getitem__(self, name: str) -> Callable[..., Any]:
        dialect, _, function = name.partition(".")
        if dialect in DIALECTS and function in (module := _import_dialect(dialect)).__all__:
            return _select_lr_schedule(getattr(module, function))
        return core.BUILDERS[name]

    def __iter__(self) -> Iterator[str]:
        yield from core.BUILDERS
        for dialect in DIALECTS:
            yield from (f"{dialect}.{name}" for name in _import_dialect(dialect).__all__)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _import_dialect(dialect: str) -> Any:
    return import_module(f"lrlab.dialects.{dialect}")


BUILDERS: Builders = _LazyBuilders()


def parse(text: str) -> Schedule:
    """Build the schedule that a text describes, in lrlab's names or in another library's.

    Raises:
        ScheduleError: the text is not a schedule; the message shows the position.

    >>> parse("Warmup(5) >> torch.CosineAnnealingLR(T_max=45)")
    Warmup(5) >> Cosine(45)
    """
    return parse_with(text, BUILDERS)


def parse_schedules(schedules: ScheduleInput) -> list[Schedule]:
    """Return one schedule or several, each given as a value or as its text, as a list.

    Raises:
        ScheduleError: a text is not a schedule, or something is neither a schedule nor a text.

    >>> parse_schedules(["Cosine()", "torch.StepLR(30)"])
    [Cosine(), Step(30)]
    """
    items = [schedules] if isinstance(schedules, Schedule | str) else schedules
    if not isinstance(items, Iterable):
        raise _refuse_schedule(items)
    return [_parse_item(item) for item in items]


def _parse_item(item: Schedule | str) -> Schedule:
    if isinstance(item, str):
        return parse(item)
    if not isinstance(item, Schedule):
        raise _refuse_schedule(item)
    return item


def _refuse_schedule(value: object) -> ScheduleError:
    return ScheduleError(
        f"`schedules` must be schedules or their texts, got {shorten_repr(value)}; such as "
        '["Cosine()", "Linear(1, 0)"].'
    )


@cache
def _select_lr_schedule(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``function`` to return only the learning rate's schedule of an ``LrAndMomentum``."""

    @wraps(function)
    def build(*args: Any, **kwargs: Any) -> Any:
        value = function(*args, **kwargs)
        return value.lr if isinstance(value, LrAndMomentum) else value

    return build
