"""The option ``--import``, with which a text may name schedules of the user's own."""

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer


def _import_modules(names_or_paths: list[str] | None) -> list[str] | None:
    if names_or_paths:
        from lrlab.user_code import import_user_module

        with redirect_stdout(sys.stderr):  # stdout is for the result
            for name_or_path in names_or_paths:
                import_user_module(name_or_path)
    return names_or_paths


ImportOption = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        metavar="MODULE",
        help="Python file or module that defines schedules of your own, such as my_schedules.py; "
        "repeat the option for several.",
        show_default=False,
        callback=_import_modules,
    ),
]
"""The modules are imported as soon as the option is read; commands need not do anything."""
