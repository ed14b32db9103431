"""Printing: messages with options in place of arguments, and styled lines."""

import json
import sys
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.text import Text

_options: dict[str, list[str]] = {}
"""The options of all commands by their arguments, see ``translate_hints``."""


def register_options(commands: Iterable[Any]) -> None:
    """Let messages name the options of these commands, as Typer builds them."""
    for command in commands:
        for parameter in command.params:
            if parameter.param_type_name == "option":
                _options[parameter.name] = [*parameter.opts, *parameter.secondary_opts]
    _options["schedules"] = _options["schedule"]
    _options["base"] = _options["lr"]


def translate(text: str) -> str:
    """Return a message with options and commands in place of Python's arguments and calls."""
    from lrlab.views.hints import translate_hints

    return translate_hints(text, _options)


def echo(text: str, err: bool = False) -> None:
    """Print a message, translated for the command line."""
    typer.echo(translate(text), err=err)


def print_json(value: object) -> None:
    """Print a value of JSON types."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_lines(render: "Callable[[int], Iterable[Text]]") -> None:
    """Print the lines that ``render`` returns for the width of the terminal, or 80 without one."""
    from rich.console import Console
    from rich.text import Text

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
        _warn_about_encoding(sys.stdout.encoding)
    console = Console(highlight=False)
    console.print(Text("\n").join(render(console.width)), soft_wrap=True)


def _warn_about_encoding(encoding: str) -> None:
    try:
        "⠿".encode(encoding)
    except UnicodeEncodeError:
        print(
            f"warning: the output encoding {encoding} has no characters for charts; set "
            "PYTHONIOENCODING=utf-8.",
            file=sys.stderr,
        )
