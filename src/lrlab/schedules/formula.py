"""Schedules from your own formula: ``Formula`` (a text, safe) or ``Custom`` (a Python function)."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cached_property, reduce
from math import pi
from typing import Any

import numpy as np

from lrlab._checks import strip_memory_address, to_finite_float
from lrlab.errors import ScheduleError, format_suggestion
from lrlab.schedules import expressions
from lrlab.schedules.core import Array, Primitive, check_rates
from lrlab.schedules.durations import Horizon
from lrlab.schedules.fields import DurationOrInfinite

__all__ = ["Custom", "Formula"]

_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "floor": np.floor,
    "min": lambda *values: reduce(np.minimum, values),
    "max": lambda *values: reduce(np.maximum, values),
}
_VARIADIC_FUNCTIONS = ("min", "max")
_VARIABLES = ("t", "p", "T", "pi")


@dataclass(frozen=True, repr=False)
class Formula(Primitive):
    """A factor of the base rate written as a formula in t::

        rate(t) = expression

    It may use the step ``t``, the progress ``p = t / T`` and the duration ``T``; the operators
    ``+ - * / // % **``; comparisons, which are 1 where true and 0 elsewhere; ``pi``, ``min max exp
    log sqrt sin cos floor``. Nothing else is allowed, so no text can run code or take long.

    Args:
        expression: the formula, without the base rate: the scheduler multiplies by it.
        over: duration ``T``, after which the last value holds. If omitted, a formula in ``t`` alone
            never ends, and one with ``p`` or ``T`` fills the rest of the training.

    Raises:
        ScheduleError: the expression uses anything else; or, on evaluation, a value is negative
            or not finite.

    Source: none; for example, lr(t) = lr(0) / (1 + alpha * t).

    >>> Formula("1 / (1 + 0.5*t)")([0, 2, 6])
    array([1.  , 0.5 , 0.25])
    >>> Formula("(1 - p)**2", over=4)([0, 2, 4, 5])
    array([1.  , 0.25, 0.  , 0.  ])
    """

    gallery_example = 'Formula("(1 - p)**2 * (1 + 0.3*sin(t/3))", over=100)'
    expression: str
    _: KW_ONLY
    over: DurationOrInfinite = None

    def __post_init__(self) -> None:
        super().__post_init__()
        tree = self._tree
        object.__setattr__(self, "expression", expressions.to_one_line(self.expression))
        if forbidden := sorted(set(self.expression) & set("#\"'\\")):
            # They would be harmless here, but the text of the schedule could not be parsed again.
            raise ScheduleError(
                f"a formula cannot contain {' '.join(forbidden)}, got {self.expression}"
            )
        _check_node(tree, self.expression)

    @cached_property
    def _tree(self) -> ast.expr:
        return expressions.parse_expression(self.expression, "a formula")

    @cached_property
    def _uses_duration(self) -> bool:
        names = {node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}
        return bool(names & {"p", "T"})

    def evaluate(self, t: Array, base: float) -> Array:
        values: dict[str, Any] = {"t": t, "pi": np.float64(pi)}
        if self.over is not None:
            end = self.to_steps(self.over)
            progress = self.compute_progress(t)
            t = np.minimum(t, end)
            values |= {"t": t, "T": np.float64(end), "p": progress}
        with np.errstate(all="ignore"):  # check_rates names the step
            factor = np.broadcast_to(_evaluate_node(self._tree, values), t.shape).astype(np.float64)
        return base * check_rates(factor, t, self)

    @property
    def has_end(self) -> bool:
        return self.over is not None or self._uses_duration

    def bind_to_horizon(self, horizon: Horizon) -> "Formula":
        if self.over is None and self._uses_duration:
            return Formula(self.expression, over=horizon.count_remaining_steps(repr(self)))
        return super().bind_to_horizon(horizon)


@dataclass(frozen=True, repr=False)
class Custom(Primitive):
    """A factor of the base rate given by any Python function of the step::

        rate(t) = function(t)

    A function cannot be written as text, so such a schedule cannot be stored in a study or given
    on the command line; a ``Formula`` can.

    Args:
        function: called with t (an int if t is a whole number), one step at a time; it returns the
            factor, 0 or more. It must be pure, and must not multiply by the base rate.

    Raises:
        ScheduleError: ``function`` is not callable; or, on evaluation, it returns anything but a
            finite number of 0 or more.

    Source: torch.optim.lr_scheduler.LambdaLR.

    >>> Custom(lambda t: 1 / (1 + t))([0, 1, 3])
    array([1.  , 0.5 , 0.25])
    """

    gallery_example = "Custom(function)"
    function: Callable[[Any], float]

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ScheduleError(f"Custom: function must be callable, got {self.function!r}.")

    def evaluate(self, t: Array, base: float) -> Array:
        factors = np.array([self._compute_factor(step) for step in t.tolist()], dtype=np.float64)
        return base * check_rates(factors, t, self)

    def _compute_factor(self, step: float) -> float:
        value = self.function(int(step) if step.is_integer() else step)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise ScheduleError(f"{self} must return a number, got {value!r}.") from None

    def __repr__(self) -> str:
        name = getattr(self.function, "__qualname__", repr(self.function))
        return f"Custom({strip_memory_address(name)})"


def _check_node(node: ast.expr, text: str) -> None:
    """Raise an error that points at the first node that a formula cannot contain."""
    match node:
        case ast.Constant(value=value) if to_finite_float(value) is not None:
            return
        case ast.Name(id=name):
            if name not in _VARIABLES:
                known = (*_VARIABLES, *_FUNCTIONS)
                hint = format_suggestion(name, known)
                expressions.raise_at_node(
                    text, node, f"a formula has no variable {name}{hint or _describe_language()}"
                )
            return
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            parts = [operand]
        case ast.BinOp():
            first, operations = expressions.unroll_chain(node)
            for operation in operations:
                if type(operation.op) not in _OPERATORS:
                    expressions.raise_at_node(
                        text, operation, f"a formula cannot contain this{_describe_language()}"
                    )
            parts = [first, *(operation.right for operation in operations)]
        case ast.Compare(left=left, ops=ops, comparators=comparators) if all(
            type(op) in _OPERATORS for op in ops
        ):
            parts = [left, *comparators]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            if len(args) < 2 if name in _VARIADIC_FUNCTIONS else len(args) != 1:
                arity = "two or more values" if name in _VARIADIC_FUNCTIONS else "one value"
                expressions.raise_at_node(text, node, f"{name} takes {arity}, got {len(args)}.")
            parts = args
        case ast.Call(func=ast.Name(id=name)):
            hint = format_suggestion(name, _FUNCTIONS)
            expressions.raise_at_node(
                text, node, f"a formula cannot call {name}{hint or _describe_language()}"
            )
        case _:
            expressions.raise_at_node(
                text, node, f"a formula cannot contain this{_describe_language()}"
            )
    for part in parts:
        _check_node(part, text)


def _describe_language() -> str:
    return (
        f"; it may use {' '.join(_VARIABLES)}, arithmetic, comparisons and {' '.join(_FUNCTIONS)}."
    )


def _evaluate_node(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return np.float64(to_finite_float(value) or 0.0)
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATORS[type(op)](_evaluate_node(operand, values))
        case ast.BinOp():
            first, operations = expressions.unroll_chain(node)
            result = _evaluate_node(first, values)
            for operation in operations:
                result = _OPERATORS[type(operation.op)](
                    result, _evaluate_node(operation.right, values)
                )
            return result
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            sides = [_evaluate_node(side, values) for side in (left, *comparators)]
            pairs = zip(ops, sides, sides[1:], strict=False)
            results = [_OPERATORS[type(op)](a, b) for op, a, b in pairs]
            return np.float64(1.0) * reduce(np.logical_and, results)
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name](*(_evaluate_node(arg, values) for arg in args))
    raise AssertionError(f"unchecked node {node!r}")
