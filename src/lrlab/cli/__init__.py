"""The command line: one thin module per command."""

import os
import sys

from lrlab.errors import LrlabError, require_extra


def main() -> None:
    """Runs the command line and ends the process: what lrlab refuses ends it with exit code 2."""
    try:
        with require_extra("lab"):
            from lrlab.cli.app import app

            app()
    except LrlabError as error:
        message = str(error)
        # A message that points at a place has lines that must line up.
        print("error:" + ("\n" if "\n" in message else " ") + message, file=sys.stderr)
        sys.exit(2)
    except OSError as error:  # what is printed cannot be written: a full disk, a closed pipe
        # Left open: Python flushes stdout once more at its end, which must not fail again.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        print(f"error: the output cannot be written: {error.strerror}.", file=sys.stderr)
        sys.exit(2)
