"""Helpers for code of every library: levels, numbers, calls, formulas as Python, errors."""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from textwrap import indent
from typing import Any

from lrlab.errors import ScheduleError
from lrlab.schedules import Absolute, Schedule


class MissingBaseError(ScheduleError):
    """Code that cannot be written without the base rate."""


def make_unsupported_error(schedule: Schedule, library: str, remedy: str) -> ScheduleError:
    """Make the error about a part that a library cannot express."""
    return ScheduleError(f"{library} cannot express {schedule}: {remedy}.")


def to_factor(level: float | Absolute, base: float | None) -> float:
    """Convert a level to a factor of the base rate."""
    if not isinstance(level, Absolute):
        return level
    return level.value and round_off(level.value / require_base(base, f"{level} as a factor"))


def to_lr(level: float | Absolute, base: float | None) -> float:
    """Convert a level to an absolute rate."""
    if isinstance(level, Absolute):
        return level.value
    return level and round_off(level * require_base(base, f"the factor {level:g} as a rate"))


def require_base(base: float | None, purpose: str) -> float:
    """Return the base rate.

    Raises:
        MissingBaseError: it is None.
    """
    if base is None:
        raise MissingBaseError(
            f"to_code: base must be given to write {purpose}: the learning rate of the optimizer, "
            "as in `base=0.1`."
        )
    return base


def to_whole_steps(steps: float | str | None) -> int | None:
    """Convert a duration to an int, or None if it is not a positive whole number of steps."""
    if steps is None or isinstance(steps, str) or steps < 1 or steps != int(steps):
        return None
    return int(steps)


def round_off(value: float) -> float:
    """Round a computed number to 15 digits, which makes its text shorter."""
    return float(f"{value:.15g}")


Call = tuple[str, dict[str, Any]]
"""The name of a function or class, and its keyword arguments."""


def format_call(name: str, *args: str, **kwargs: Any) -> str:
    """Format a call; keyword arguments that are None are left out."""
    named = [f"{key}={value}" for key, value in kwargs.items() if value is not None]
    return f"{name}({', '.join([*args, *named])})"


def format_multiline_call(
    name: str, args: Iterable[str], items: Sequence[str], last_arg: str
) -> str:
    """Format a call with a list as an argument, one item per line."""
    lines = [f"    {arg}," for arg in args]
    lines += [
        "    [",
        *(f"{indent(item, ' ' * 8)}," for item in items),
        "    ],",
        f"    {last_arg},",
    ]
    return "\n".join([f"{name}(", *lines, ")"])


@dataclass(frozen=True)
class FunctionNames:
    """The Python names of a formula's functions in some module.

    Args:
        functions: Python names by the names in the formula, "pi" included.
        bool_to_number: turns the text of a comparison into that of a number, 1 or 0.
        binary_min_max: whether ``min`` and ``max`` take only two arguments.
    """

    functions: Mapping[str, str]
    bool_to_number: Callable[[str], str]
    binary_min_max: bool


def _qualify_names(module: str, **overrides: str) -> dict[str, str]:
    names = ("exp", "log", "sqrt", "sin", "cos", "floor", "pi")
    return {name: f"{module}.{name}" for name in names} | overrides


MATH = FunctionNames(
    _qualify_names("math", min="min", max="max"), lambda text: f"({text})", binary_min_max=False
)
JNP = FunctionNames(
    _qualify_names("jnp", min="jnp.minimum", max="jnp.maximum"),
    # NumPy's + of booleans is "or".
    lambda text: f"jnp.where({text}, 1.0, 0.0)",
    binary_min_max=True,
)


def to_python(formula: str, names: FunctionNames) -> str:
    """Convert a formula to Python source.

    >>> to_python("(t < 5) * min(t, 3) + exp(-t)", MATH)
    '(t < 5) * min(t, 3) + math.exp(-t)'
    """
    tree = _FunctionRenamer(names).visit(ast.parse(formula, mode="eval").body)
    return ast.unparse(tree)


class _FunctionRenamer(ast.NodeTransformer):
    def __init__(self, names: FunctionNames) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return _parse_expression(self.names.functions.get(node.id, node.id))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not self.names.binary_min_max or len(node.args) < 3:
            return node
        return reduce(lambda a, b: ast.Call(node.func, [a, b], []), node.args)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        pairs = [
            ast.unparse(ast.Compare(a, [op], [b]))
            for op, a, b in zip(node.ops, sides, sides[1:], strict=False)
        ]
        return _parse_expression(" * ".join(self.names.bool_to_number(pair) for pair in pairs))


def _parse_expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body
