"""The command line: one thin module per command."""

import sys

_OF_THE_LAB = ("matplotlib", "pandas", "pooch", "requests", "rich", "scipy", "sklearn", "typer")


def main() -> None:
    """Runs the command line; the entry point of ``lrlab``."""
    try:
        from lrlab.cli.app import run

        run()
    except ModuleNotFoundError as error:
        if error.name not in _OF_THE_LAB:
            raise
        print(
            f"error: the command line needs {error.name}, which is not installed: "
            "pip install 'lrlab[lab]'",
            file=sys.stderr,
        )
        sys.exit(2)
