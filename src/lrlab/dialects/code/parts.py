"""What the programs of all libraries are made of: numbers, levels, calls, refusals."""

from collections.abc import Iterable, Sequence
from typing import Any

from lrlab.errors import ScheduleError
from lrlab.schedules import Absolute, Schedule


def make_unsupported_error(schedule: Schedule, library: str, remedy: str) -> ScheduleError:
    """An error about a part that a library cannot express."""
    return ScheduleError(f"{library} cannot express {schedule}: {remedy}.")


def to_factor(level: float | Absolute, base: float | None) -> float:
    """A level as a factor of the base rate."""
    if not isinstance(level, Absolute):
        return level
    return level.value and round_off(level.value / require_base(base, f"{level} as a factor"))


def to_lr(level: float | Absolute, base: float | None) -> float:
    """A level as an absolute rate."""
    if isinstance(level, Absolute):
        return level.value
    return level and round_off(level * require_base(base, f"the factor {level:g} as a rate"))


def require_base(base: float | None, purpose: str) -> float:
    """The base rate, where nothing can be written without it."""
    if base is None:
        raise ScheduleError(
            f"write: base must be given to write {purpose}: the rate of the optimizer, as in base=0.1 "
            "(--lr 0.1 on the command line)."
        )
    return base


def to_whole_steps(steps: float | str | None) -> int | None:
    """A duration as an int, if it is a whole number of steps, 1 or more."""
    if steps is None or isinstance(steps, str) or steps < 1 or steps != int(steps):
        return None
    return int(steps)


def round_off(value: float) -> float:
    """A computed number without the last bit, which only makes it longer to read."""
    return float(f"{value:.15g}")


def format_call(name: str, *args: str, **kwargs: Any) -> str:
    """The text of a call; None stands for an argument left out."""
    named = [f"{key}={value}" for key, value in kwargs.items() if value is not None]
    return f"{name}({', '.join([*args, *named])})"


def format_multiline_call(name: str, args: Iterable[str], items: Sequence[str], last_arg: str) -> str:
    """The text of a call with a list, one item per line."""
    lines = [f"    {arg}," for arg in args]
    lines += ["    [", *(f"{indent(item, 8)}," for item in items), "    ],", f"    {last_arg},"]
    return "\n".join([f"{name}(", *lines, ")"])


def indent(text: str, width: int) -> str:
    """``text`` further to the right."""
    return "\n".join(" " * width + line for line in text.splitlines())
