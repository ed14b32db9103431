"""Turn a text safely into a syntax tree, with errors that point at positions.

Length and depth are limited, and nothing is evaluated. ``parser`` and ``formula`` give the tree its
meaning.
"""

import ast
import re
from typing import NoReturn

from lrlab.errors import ScheduleError

MAX_LENGTH = 5_000
MAX_DEPTH = 50
_OPENING, _CLOSING = "([{", ")]}"
_UNQUOTED_UNIT = re.compile(r"\d\s*(%|ep\b)")


class ParseError(ScheduleError):
    """An error at a position of a text; its message shows the position."""


def parse_expression(text: object, description: str) -> ast.expr:
    """Return the tree of one expression; ``description`` names it in errors.

    Raises:
        ScheduleError: it is not a string, too long, too deep, or not an expression.
    """
    if not isinstance(text, str):
        raise ScheduleError(f"{description} must be a str, got {type(text).__name__}.")
    if not text.strip():
        raise ScheduleError(f"{description} must not be empty.")
    if len(text) > MAX_LENGTH:
        raise ScheduleError(
            f"{description} must be at most {MAX_LENGTH} characters long, got {len(text)}."
        )
    line = to_one_line(text)
    _check_nesting(line, description)
    try:
        tree = ast.parse(line, mode="eval").body
    except SyntaxError as error:
        reason = (error.msg or "not an expression").removesuffix(". Perhaps you forgot a comma?")
        unit = (
            ' Epochs and percentages need quotes: "5ep", "10%".'
            if _UNQUOTED_UNIT.search(line)
            else ""
        )
        position = error.offset - 1 if error.offset else len(line)
        _raise_at_position(line, position, 1, f"syntax error: {reason}.{unit}")
    except (ValueError, RecursionError, MemoryError):
        raise ScheduleError(f"{description} must be one short expression.") from None
    _check_tree_depth(tree, description)
    return tree


def to_one_line(text: str) -> str:
    """Return the text on one line, as it is parsed and as errors show it."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def raise_at_node(text: str, node: ast.AST, message: str) -> NoReturn:
    """Raise an error that points at ``node`` of ``text``."""
    line = to_one_line(text)
    # ast counts bytes; an error points at characters.
    data = line.encode()
    start = len(data[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
    end = len(data[: getattr(node, "end_col_offset", 0) or 0].decode(errors="ignore"))
    _raise_at_position(line, start, max(1, end - start), message)


def _raise_at_position(line: str, start: int, width: int, message: str) -> NoReturn:
    # A long text is cut around the position, so that the message fits a screen.
    excerpt_start = max(0, start - 40)
    excerpt = line[excerpt_start : excerpt_start + 100]
    raise ParseError(f"{excerpt}\n{' ' * (start - excerpt_start)}{'^' * min(width, 60)} {message}")


def _check_nesting(text: str, description: str) -> None:
    # This comes before Python's own parser, whose recursion we cannot limit.
    depth = 0
    for c in text:
        depth += (c in _OPENING) - (c in _CLOSING)
        if depth > MAX_DEPTH:
            raise ScheduleError(f"{description} must be nested at most {MAX_DEPTH} deep.")


def _check_tree_depth(tree: ast.expr, description: str) -> None:
    layer: list[ast.AST] = [tree]
    for _ in range(4 * MAX_DEPTH):
        layer = [child for node in layer for child in _list_operands(node)]
        if not layer:
            return
    raise ScheduleError(
        f"{description} must be at most {4 * MAX_DEPTH} operators deep; use fewer parentheses."
    )


def unroll_chain(node: ast.BinOp) -> tuple[ast.expr, list[ast.BinOp]]:
    """Return the first operand of ``a + b - c`` and its operations, in order.

    Chains nest to the left; unrolled, a long one does not count as deep nesting.
    """
    operations = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp):
        operations.append(first)
        first = first.left
    return first, operations[::-1]


def _list_operands(node: ast.AST) -> list[ast.AST]:
    if not isinstance(node, ast.BinOp):
        return list(ast.iter_child_nodes(node))
    first, operations = unroll_chain(node)
    return [first, *(operation.right for operation in operations)]
