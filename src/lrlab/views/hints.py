"""Hints: how a message names what the user may set, in Python and on the command line.

Messages write the Python form in backticks: an argument, an argument with a value, or a call. The
command line shows the same text with options and commands in their place.
"""

import ast
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike

DEFAULT_DB = "lrlab.db"
"""The database that is read unless another is named, and that the command line writes."""

_HINT_PATTERN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")

_COMMANDS = {
    "compare": "compare",
    "resume_study": "resume",
    "load_study": "results",
    "list_studies": "studies",
    "delete_study": "delete",
}
"""The command that does what a function of lrlab does."""

_GALLERY_CALL = "help(lrlab.schedules)"

Options = Mapping[str, Sequence[str]]
"""The option of each argument; for a switch the option that turns it on, then the one that turns it
off, if there is one.
"""


def format_call(function: str, *arguments: object, **options: object) -> str:
    """Return the hint that calls a function of lrlab.

    Args:
        function: its name.
        arguments: its positional arguments.
        options: its keyword arguments; None and the default database are left out.

    >>> format_call("resume_study", "3f2a", db="my.db", engine=None)
    '`lrlab.resume_study("3f2a", db="my.db")`'
    """
    given = {
        name: value
        for name, value in options.items()
        if value is not None and not (name == "db" and str(value) == DEFAULT_DB)
    }
    texts = [
        *map(_format_value, arguments),
        *(f"{name}={_format_value(value)}" for name, value in given.items()),
    ]
    return f"`lrlab.{function}({', '.join(texts)})`"


def _format_value(value: object) -> str:
    return json.dumps(str(value)) if isinstance(value, str | PathLike) else repr(value)


def translate_hints(text: str, options: Options) -> str:
    """Return a message with the options and commands that its hints stand for.

    What stands in backticks and is neither an argument in ``options`` nor the call of a function
    that has a command stays as it is.

    Args:
        text: the message.
        options: of the command line.

    >>> options = {"lr": ["--lr"], "tune": ["--tune", "--no-tune"], "x_y": ["--x-y"]}
    >>> translate_hints("Set `lr`, `lr=[0.1, 1]`, `tune=False` or `x_y='a b'`.", options)
    "Set --lr, --lr 0.1,1, --no-tune or --x-y 'a b'."
    >>> translate_hints('`lrlab.delete_study("3f2a")` deletes it; `base` stays.', options)
    '`lrlab delete 3f2a` deletes it; `base` stays.'
    """

    def translate(match: re.Match[str]) -> str:
        try:
            return _translate_hint(match[1], options)
        except (SyntaxError, ValueError, LookupError):  # not for the command line
            return match[0]

    return _HINT_PATTERN.sub(translate, text)


def _translate_hint(hint: str, options: Options) -> str:
    if hint == _GALLERY_CALL:
        return "`lrlab gallery`"
    if hint.isidentifier():
        return options[hint][0]
    if module := re.fullmatch(r"import (\w+)", hint):
        return f"{options['imports'][0]} {module[1]}.py"
    if call := re.fullmatch(r"lrlab\.(\w+)(\(.*\))", hint):
        words = ["lrlab", _COMMANDS[call[1]], *_translate_arguments(call[2], options)]
        return f"`{' '.join(words)}`"
    if not hint.strip():
        raise ValueError(hint)
    return " ".join(_translate_arguments(f"({hint})", options, allow_positional=False))


def _translate_arguments(
    text: str, options: Options, allow_positional: bool = True
) -> Iterator[str]:
    """Yield the words for the arguments of a call in parentheses; ``...`` alone has none."""
    call = ast.parse(f"f{text}", mode="eval").body
    if not isinstance(call, ast.Call) or (call.args and not allow_positional):
        raise ValueError(text)
    for argument in map(ast.literal_eval, call.args):
        if argument is not ...:
            yield shlex.quote(str(argument))
    for keyword in call.keywords:
        option, value = options[keyword.arg or ""], ast.literal_eval(keyword.value)
        if isinstance(value, bool):
            yield option[not value]
        elif isinstance(value, list | tuple) and any(isinstance(item, str) for item in value):
            yield from (f"{option[0]} {shlex.quote(item)}" for item in value)
        elif isinstance(value, list | tuple):
            yield f"{option[0]} {','.join(map(str, value))}"
        else:
            yield f"{option[0]} {'...' if value is ... else shlex.quote(str(value))}"
