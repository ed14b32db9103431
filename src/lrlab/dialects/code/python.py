"""A formula as Python source: with the ``math`` module, or with a library of arrays."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce


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


MATH = FunctionNames(_qualify_names("math", min="min", max="max"), lambda text: f"({text})", binary_min_max=False)
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
