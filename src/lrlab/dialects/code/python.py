"""A formula as Python source: with the ``math`` module, or with a library of arrays."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce


@dataclass(frozen=True)
class Names:
    """What Python source calls the functions that a formula knows.

    Args:
        functions: by the formula's names, "pi" among them.
        true: the text of a comparison that is worth 1 where it holds.
        pairwise: whether ``min`` and ``max`` take two values only.
    """

    functions: Mapping[str, str]
    true: Callable[[str], str]
    pairwise: bool


def _of(module: str, **others: str) -> dict[str, str]:
    names = ("exp", "log", "sqrt", "sin", "cos", "floor", "pi")
    return {name: f"{module}.{name}" for name in names} | others


MATH = Names(_of("math", min="min", max="max"), lambda text: f"({text})", pairwise=False)
JNP = Names(
    _of("jnp", min="jnp.minimum", max="jnp.maximum"),
    # Booleans cannot be added up in NumPy, whose + is "or" between them.
    lambda text: f"jnp.where({text}, 1.0, 0.0)",
    pairwise=True,
)


def source(formula: str, names: Names) -> str:
    """The Python source of a formula.

    >>> source("(t < 5) * min(t, 3) + exp(-t)", MATH)
    '(t < 5) * min(t, 3) + math.exp(-t)'
    """
    tree = _Renamed(names).visit(ast.parse(formula, mode="eval").body)
    return ast.unparse(tree)


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: Names) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return _parsed(self.names.functions.get(node.id, node.id))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not self.names.pairwise or len(node.args) < 3:
            return node
        return reduce(lambda a, b: ast.Call(node.func, [a, b], []), node.args)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        pairs = [
            ast.unparse(ast.Compare(a, [op], [b]))
            for op, a, b in zip(node.ops, sides, sides[1:], strict=False)
        ]
        return _parsed(" * ".join(self.names.true(pair) for pair in pairs))


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body
