"""The reading of a schedule's text: from the tree of an expression to the values it stands for.

Nothing is run: the tree is walked, and what it may call is looked up by name.
"""

import ast
import inspect
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Any, NoReturn

from lrlab.errors import ScheduleError, did_you_mean, nearest
from lrlab.schedules import grammar
from lrlab.schedules.algebra import Algebra
from lrlab.schedules.arithmetic import Product, Sum, operands
from lrlab.schedules.base import Schedule
from lrlab.schedules.formulas import Custom
from lrlab.schedules.joins import Sequence
from lrlab.schedules.numbers import real, tidy

Builders = Mapping[str, Callable[..., Any]]
"""What a text may call, by (dotted) name."""

WHAT = "a schedule's text"

_ON_NUMBERS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


_Whole = Callable[[tuple[Schedule, ...]], Schedule]

_WHOLES: Mapping[type[ast.operator], _Whole] = {
    ast.RShift: Sequence,
    ast.Mult: Product,
    ast.Add: Sum,
}
_TOGETHER = "only schedules go with >>, schedules and numbers with * and +."


def _is_operand(value: Any) -> bool:
    return isinstance(value, Schedule) or real(value) is not None


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """What a function takes, without types."""
    if inspect.ismethod(function):  # remembered without the schedule it belongs to
        whole = _bare_signature(function.__func__)
        return whole.replace(parameters=list(whole.parameters.values())[1:])
    return _bare_signature(function)


@lru_cache(maxsize=1024)
def _bare_signature(function: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(function)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return inspect.Signature(bare)


class Reader:
    """One reading of one text."""

    def __init__(self, text: str, builders: Builders) -> None:
        self.text = text
        self.builders = builders

    def read(self) -> Any:
        return self.value(grammar.read(self.text, WHAT))

    def refuse(self, node: ast.AST, message: str) -> NoReturn:
        grammar.misread(self.text, node, message)

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=None | bool() | str() as value):
                return value
            case ast.Constant(value=value) if real(value) is not None:
                return value
            case ast.Constant(value=int() | float()):
                self.refuse(node, "this number is larger than any rate or duration.")
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return tuple(self.value(item) for item in items)
            case ast.Dict(keys=keys, values=items) if None not in keys:
                pairs = zip(keys, items, strict=True)
                return {self.key(key): self.value(item) for key, item in pairs if key}
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self.value(operand)
                if real(number) is None:
                    self.refuse(node, "only a number can be negated.")
                return -number
            case ast.BinOp():
                return self.chained(*grammar.chain(node))
            case ast.Call(func=ast.Attribute(value=ast.Call() | ast.BinOp() as whole, attr=name)):
                return self.method(node, whole, name)
            case ast.Call(func=function):
                return self.built(node, function)
            case ast.Name() | ast.Attribute():
                name = ast.unparse(node)
                if name in self.builders:
                    self.refuse(node, f"{name} needs its arguments, {name}(...).")
                self.refuse(node, f"{name[:40]} is no value here; text goes in quotes.")
            case ast.Lambda():
                self.refuse(
                    node,
                    "a Python function cannot be written as text; a formula can: "
                    'Formula("1 / (1 + 0.01*t)").',
                )
        return self.refuse(node, "a schedule's text is made of calls, >>, *, + and numbers only.")

    def key(self, node: ast.expr) -> float | str:
        """The key of a dictionary, a number or a text."""
        key = self.value(node)
        number = real(key)
        if isinstance(key, str):
            return key
        if number is None:
            self.refuse(node, "a key must be a number or a text.")
        return tidy(number)

    def chained(self, first: ast.expr, operations: list[ast.BinOp]) -> Any:
        """``a >> b >> c``: operations that bind alike, from the left."""
        result = self.value(first)
        for kind, run in groupby(operations, key=lambda operation: type(operation.op)):
            nodes = list(run)
            values = [self.value(node.right) for node in nodes]
            whole = _WHOLES.get(kind)
            if whole and isinstance(result, Schedule) and all(map(_is_operand, values)):
                # The same as one by one, but a long sequence is built once.
                result = self.made(nodes[-1], whole, result, values)
                continue
            for node, value in zip(nodes, values, strict=True):
                result = self.combined(node, result, value)
        return result

    def made(self, node: ast.BinOp, whole: _Whole, first: Schedule, others: list[Any]) -> Schedule:
        """Schedules and numbers, of which the first is a schedule, joined by one operator."""
        numbers = [value for value in others if not isinstance(value, Schedule)]
        if numbers and whole is Sequence:
            self.refuse(node, _TOGETHER)
        try:
            return whole(operands(first, *others))
        except ScheduleError as error:
            return self.refuse(node, str(error))

    def combined(self, node: ast.BinOp, left: Any, right: Any) -> Any:
        """Two values, of which the first is a number or neither goes with the other."""
        op = node.op
        try:
            if type(op) in _ON_NUMBERS and real(left) is not None and real(right) is not None:
                result = _ON_NUMBERS[type(op)](left, right)
                if real(result) is not None:
                    return result
            elif isinstance(op, ast.Mult | ast.Add) and _is_operand(left) and _is_operand(right):
                return left * right if isinstance(op, ast.Mult) else left + right
        except ZeroDivisionError:
            self.refuse(node, "this divides by zero.")
        except ScheduleError as error:
            self.refuse(node, str(error))
        return self.refuse(node, _TOGETHER)

    def method(self, node: ast.Call, whole: ast.expr, name: str) -> Any:
        schedule = self.value(whole)
        if not isinstance(schedule, Schedule) or name not in Algebra.methods_in_text:
            known = Algebra.methods_in_text
            hint = did_you_mean(name, known) or f". It has {', '.join(f'.{m}' for m in known)}."
            self.refuse(node, f"a schedule has no .{name[:40]}(){hint}")
        return self.called(node, f".{name}", getattr(schedule, name))

    def built(self, node: ast.Call, function: ast.expr) -> Any:
        name = ast.unparse(function)
        if self.builders.get(name) is Custom:
            self.refuse(function, f"{name} holds a Python function, no text can; use Formula.")
        if name not in self.builders:
            self.refuse(function, f"no schedule is called {name[:40]}{self.near(name)}")
        return self.called(node, name, self.builders[name])

    def near(self, name: str) -> str:
        """What may have been meant by an unknown name; of another library, all that it has."""
        library, _, word = name.rpartition(".")
        family = [known for known in self.builders if library and known.startswith(f"{library}.")]
        by_word = {known.rpartition(".")[2].lower(): known for known in family or self.builders}
        meant = nearest(word.lower(), by_word)
        hint = f"; did you mean {by_word[meant]}?" if meant else ""
        if family:
            return hint or f"; known are {', '.join(family)}."
        return f"{hint or ';'} `lrlab shapes` lists them all."

    def called(self, node: ast.Call, name: str, function: Callable[..., Any]) -> Any:
        signature = _signature(function)
        takes = f"{name}{signature}"
        known = signature.parameters
        args = [self.value(arg) for arg in node.args]
        words = {}
        for keyword in node.keywords:
            word = keyword.arg or "**"
            if word not in known:
                hint = did_you_mean(word, known) or "."
                self.refuse(keyword, f"{name} has no argument {word[:40]}{hint} It is {takes}.")
            if word in words:
                self.refuse(keyword, f"{name} is given {word} twice.")
            words[word] = self.value(keyword.value)
        try:
            signature.bind(*args, **words)
        except TypeError as error:
            self.refuse(node, f"{name}: {error}; it is {takes}.")
        try:
            return function(*args, **words)
        except grammar.Misread:
            raise  # a formula inside has pointed at its own place already
        except ScheduleError as error:
            self.refuse(node, str(error))
