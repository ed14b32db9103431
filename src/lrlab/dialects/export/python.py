"""What the programs of all libraries are made of: numbers, levels, calls, refusals."""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
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


def format_multiline_call(
    name: str, args: Iterable[str], items: Sequence[str], last_arg: str
) -> str:
    """The text of a call with a list, one item per line."""
    lines = [f"    {arg}," for arg in args]
    lines += ["    [", *(f"{indent(item, 8)}," for item in items), "    ],", f"    {last_arg},"]
    return "\n".join([f"{name}(", *lines, ")"])


def indent(text: str, width: int) -> str:
    """``text`` further to the right."""
    return "\n".join(" " * width + line for line in text.splitlines())


@dataclass(frozen=True)
class FunctionNames:
    """What Python source calls the functions that a formula knows.

    Args:
        functions: by the formula's names, "pi" among them.
        bool_to_number: the text of a comparison that is worth 1 where it holds.
        binary_min_max: whether ``min`` and ``max`` take two values only.
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
    # Booleans cannot be added up in NumPy, whose + is "or" between them.
    lambda text: f"jnp.where({text}, 1.0, 0.0)",
    binary_min_max=True,
)


def to_python(formula: str, names: FunctionNames) -> str:
    """The Python source of a formula.

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
