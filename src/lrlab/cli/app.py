"""The commands, and what happens to errors: one sentence on stderr and exit code 2."""

import sys
from typing import Annotated

import typer

import lrlab
from lrlab.cli.compare import compare
from lrlab.cli.train import train
from lrlab.errors import LrlabError

app = typer.Typer(
    name="lrlab",
    help="A laboratory for learning-rate schedules in PyTorch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(train)
app.command()(compare)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lrlab {lrlab.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it and stop.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Runs the command that the arguments name and ends the process."""
    try:
        app()
    except LrlabError as error:
        message = str(error)
        # A message that points at a place has lines that must line up.
        print("error:" + ("\n" if "\n" in message else " ") + message, file=sys.stderr)
        sys.exit(2)
