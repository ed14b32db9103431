"""``parse`` for schedule texts with other libraries' names, such as ``torch.LinearLR(...)``."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, wraps
from importlib import import_module
from typing import Any

from lrlab.dialects import DIALECTS
from lrlab.dialects.building_blocks import LrAndMomentum
from lrlab.schedules import Schedule, core
from lrlab.schedules.parser import Builders
from lrlab.schedules.parser import parse as parse_with


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


@cache
def _select_lr_schedule(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``function`` to return only the learning rate's schedule of an ``LrAndMomentum``."""

    @wraps(function)
    def build(*args: Any, **kwargs: Any) -> Any:
        value = function(*args, **kwargs)
        return value.lr if isinstance(value, LrAndMomentum) else value

    return build
