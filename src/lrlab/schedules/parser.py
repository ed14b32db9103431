"""The text of a schedule and back: ``parse(repr(schedule)) == schedule``.

Nothing is evaluated: the parser walks a syntax tree and looks up by name what it may call.
"""

import ast
import inspect
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Any, NoReturn

from lrlab._checks import to_finite_float, to_int_if_whole
from lrlab.errors import ScheduleError, find_nearest_name, format_suggestion
from lrlab.schedules import expressions
from lrlab.schedules.combinators import Product, Sequential, Sum, to_operands
from lrlab.schedules.core import BUILDERS, Schedule, is_operand
from lrlab.schedules.formula import Custom

__all__ = ["parse", "to_text"]

Builders = Mapping[str, Callable[..., Any]]
"""What a text may call, by (dotted) name."""

_TEXT_DESCRIPTION = "the text of a schedule"
_SYNTAX_RULE = "the text of a schedule has only calls, >>, *, + and numbers"
_OPERANDS_RULE = ">> takes only schedules, * and + take schedules and numbers."

_NUMBER_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

_Composition = Callable[[tuple[Schedule, ...]], Schedule]

_COMPOSITIONS: Mapping[type[ast.operator], _Composition] = {
    ast.RShift: Sequential,
    ast.Mult: Product,
    ast.Add: Sum,
}


def parse(text: str, builders: Builders = BUILDERS) -> Schedule:
    """Return the schedule that a text describes; ``parse(repr(s)) == s``.

    Args:
        text: an expression such as ``Warmup(5) >> Cosine(45, end=0.01)``, at most 5 000
            characters long and nested at most 50 deep.
        builders: what the text may call, by (dotted) name.

    Raises:
        ScheduleError: the text is not such an expression, or a schedule in it refuses its
            arguments; the message shows the position.

    >>> parse("Warmup(5) >> Cosine(45, end=0.01)")
    Warmup(5) >> Cosine(45, end=0.01)
    """
    value = Parser(text, builders).parse()
    if not isinstance(value, Schedule):
        is_list = isinstance(value, tuple) and any(isinstance(v, Schedule) for v in value)
        remedy = "join them with >>" if is_list else "try Constant(1.0)"
        raise ScheduleError(f"the text must be one schedule, got {text.strip()[:100]}; {remedy}.")
    return value


def to_text(schedule: Schedule) -> str:
    """Return the text of a schedule, as ``repr`` does, but only if ``parse`` can read it.

    Raises:
        ScheduleError: it contains a Python function, or its text is too long or too deep.
    """
    if not isinstance(schedule, Schedule):
        raise ScheduleError(f"only a schedule can be written as text, got {schedule!r}.")
    for part in schedule.walk():
        if isinstance(part, Custom):
            raise ScheduleError(
                f"{part} is a Python function and cannot be written as text; use a formula: "
                'Formula("1 / (1 + 0.01*t)").'
            )
    text = repr(schedule)
    expressions.parse_expression(text, _TEXT_DESCRIPTION)
    return text


class Parser:
    """The parser of one text: it walks the syntax tree and builds the values that it stands for."""

    def __init__(self, text: str, builders: Builders) -> None:
        self.text = text
        self.builders = builders

    def parse(self) -> Any:
        return self.parse_node(expressions.parse_expression(self.text, _TEXT_DESCRIPTION))

    def raise_error(self, node: ast.AST, message: str) -> NoReturn:
        expressions.raise_at_node(self.text, node, message)

    def parse_node(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=None | bool() | str() as value):
                return value
            case ast.Constant(value=value) if to_finite_float(value) is not None:
                return value
            case ast.Constant(value=int() | float()):
                self.raise_error(node, "this number is too large for a rate or duration.")
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return tuple(self.parse_node(item) for item in items)
            case ast.Dict(keys=keys, values=items) if None not in keys:
                pairs = zip(keys, items, strict=True)
                return {self.parse_key(key): self.parse_node(item) for key, item in pairs if key}
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self.parse_node(operand)
                if to_finite_float(number) is None:
                    self.raise_error(node, "only a number can be negated.")
                return -number
            case ast.BinOp():
                return self.parse_chain(*expressions.unroll_chain(node))
            case ast.Call(func=ast.Attribute(value=ast.Call() | ast.BinOp() as target, attr=name)):
                return self.parse_method_call(node, target, name)
            case ast.Call(func=function):
                return self.parse_builder_call(node, function)
            case ast.Name() | ast.Attribute():
                name = ast.unparse(node)
                if name in self.builders:
                    self.raise_error(node, f"{name} needs its arguments, {name}(...).")
                self.raise_error(node, f"{name[:40]} is not a value; strings need quotes.")
            case ast.Lambda():
                self.raise_error(
                    node,
                    "a Python function cannot be written as text; use a formula: "
                    'Formula("1 / (1 + 0.01*t)").',
                )
            case ast.Compare(ops=[ast.Gt(), *_]):
                self.raise_error(node, f"{_SYNTAX_RULE}; did you mean >>?")
        return self.raise_error(node, f"{_SYNTAX_RULE}.")

    def parse_key(self, node: ast.expr) -> float | str:
        """Parse the key of a dictionary, a number or a string."""
        key = self.parse_node(node)
        number = to_finite_float(key)
        if isinstance(key, str):
            return key
        if number is None:
            self.raise_error(node, "a key must be a number or a string.")
        return to_int_if_whole(number)

    def parse_chain(self, first: ast.expr, operations: list[ast.BinOp]) -> Any:
        """Parse ``a >> b >> c``: operations of equal precedence, from the left."""
        result = self.parse_node(first)
        for operator_type, same_operations in groupby(
            operations, key=lambda operation: type(operation.op)
        ):
            nodes = list(same_operations)
            values = [self.parse_node(node.right) for node in nodes]
            composition = _COMPOSITIONS.get(operator_type)
            if composition and isinstance(result, Schedule) and all(map(is_operand, values)):
                # The result is the same as one by one, but a long sequence is built only once.
                result = self.compose(nodes[-1], composition, result, values)
                continue
            for node, value in zip(nodes, values, strict=True):
                result = self.combine(node, result, value)
        return result

    def compose(
        self, node: ast.BinOp, composition: _Composition, first: Schedule, values: list[Any]
    ) -> Schedule:
        """Combine a schedule with schedules and numbers by one operator."""
        numbers = [value for value in values if not isinstance(value, Schedule)]
        if numbers and composition is Sequential:
            self.raise_error(node, _OPERANDS_RULE)
        try:
            return composition(to_operands(first, *values))
        except ScheduleError as error:
            return self.raise_error(node, str(error))

    def combine(self, node: ast.BinOp, left: Any, right: Any) -> Any:
        """Combine two values, the first of which is not a schedule, or raise an error."""
        op = node.op
        try:
            if (
                type(op) in _NUMBER_OPERATORS
                and to_finite_float(left) is not None
                and to_finite_float(right) is not None
            ):
                result = _NUMBER_OPERATORS[type(op)](left, right)
                if to_finite_float(result) is not None:
                    return result
            elif isinstance(op, ast.Mult | ast.Add) and is_operand(left) and is_operand(right):
                return left * right if isinstance(op, ast.Mult) else left + right
        except ZeroDivisionError:
            self.raise_error(node, "this divides by zero.")
        except ScheduleError as error:
            self.raise_error(node, str(error))
        return self.raise_error(node, _OPERANDS_RULE)

    def parse_method_call(self, node: ast.Call, target: ast.expr, name: str) -> Any:
        schedule = self.parse_node(target)
        if not isinstance(schedule, Schedule) or name not in Schedule.text_methods:
            known = Schedule.text_methods
            hint = (
                format_suggestion(name, known) or f". It has {', '.join(f'.{m}' for m in known)}."
            )
            self.raise_error(node, f"a schedule has no .{name[:40]}(){hint}")
        return self.call(node, f".{name}", getattr(schedule, name))

    def parse_builder_call(self, node: ast.Call, function: ast.expr) -> Any:
        name = ast.unparse(function)
        if self.builders.get(name) is Custom:
            self.raise_error(
                function,
                f"{name} takes a Python function, which a text cannot contain; use Formula.",
            )
        if name not in self.builders:
            self.raise_error(function, f"unknown schedule {name[:40]}{self.suggest_builder(name)}")
        return self.call(node, name, self.builders[name])

    def suggest_builder(self, name: str) -> str:
        """Return the end of an error about an unknown name: the nearest, or all in its library."""
        library, _, unqualified_name = name.rpartition(".")
        library_names = [
            known for known in self.builders if library and known.startswith(f"{library}.")
        ]
        by_lowercase_name = {
            known.rpartition(".")[2].lower(): known for known in library_names or self.builders
        }
        closest = find_nearest_name(unqualified_name.lower(), by_lowercase_name)
        hint = f"; did you mean {by_lowercase_name[closest]}?" if closest else ""
        if library_names:
            return hint or f"; {library} has {', '.join(library_names)}."
        prefixes = dict.fromkeys(known.partition(".")[0] for known in self.builders if "." in known)
        if library and prefixes:
            return hint or f"; the known prefixes are {', '.join(prefixes)}."
        return (
            f"{hint or ';'} `help(lrlab.schedules)` lists all, and a schedule of your own must be "
            "imported first: `import my_schedules`."
        )

    def call(self, node: ast.Call, name: str, function: Callable[..., Any]) -> Any:
        signature = _get_signature(function)
        usage = f"{name}{signature}"
        known = signature.parameters
        args = [self.parse_node(arg) for arg in node.args]
        keywords = {}
        for keyword in node.keywords:
            keyword_name = keyword.arg or "**"
            if keyword_name not in known:
                hint = format_suggestion(keyword_name, known) or "."
                self.raise_error(
                    keyword,
                    f"{name} has no argument {keyword_name[:40]}{hint} Its signature is {usage}.",
                )
            if keyword_name in keywords:
                self.raise_error(keyword, f"{name} gets {keyword_name} twice.")
            keywords[keyword_name] = self.parse_node(keyword.value)
        try:
            signature.bind(*args, **keywords)
        except TypeError as error:
            self.raise_error(node, f"{name}: {error}; its signature is {usage}.")
        try:
            return function(*args, **keywords)
        except expressions.ParseError:
            raise  # a formula inside points at its own position
        except ScheduleError as error:
            self.raise_error(node, str(error))


def _get_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function without types."""
    if inspect.ismethod(function):  # cached without the schedule it belongs to
        full_signature = _get_bare_signature(function.__func__)
        return full_signature.replace(parameters=list(full_signature.parameters.values())[1:])
    return _get_bare_signature(function)


@lru_cache(maxsize=1024)
def _get_bare_signature(function: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(function)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return inspect.Signature(bare)
