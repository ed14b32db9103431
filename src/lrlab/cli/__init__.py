"""The command line: ``main`` runs it; there is one module per command."""

import os
import sys

from lrlab.errors import LrlabError, require_extra


def main() -> None:
    """Run the command line and exit, with code 2 and one message if lrlab raises an error."""
    try:
        with require_extra("lab"):
            from lrlab.cli.app import app

            app(prog_name="lrlab")
    except LrlabError as error:
        message = _translate(str(error))
        # The lines of a message that points at a position must line up.
        print("error:" + ("\n" if "\n" in message else " ") + message, file=sys.stderr)
        sys.exit(2)
    except OSError as error:  # stdout cannot be written: a full disk, a closed pipe
        # Python flushes stdout again at exit, which must not fail a second time.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        print(f"error: the output cannot be written: {error.strerror}.", file=sys.stderr)
        sys.exit(2)


def _translate(message: str) -> str:
    """Return a message with options in place of arguments, if Typer is installed."""
    try:
        from lrlab.cli.console import translate
    except ModuleNotFoundError:
        return message
    return translate(message)
