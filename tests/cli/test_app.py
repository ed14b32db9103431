"""The app as a whole: help of every command, version, cheap imports."""

import re
import subprocess
import sys

import pytest
from pytest_regressions.file_regression import FileRegressionFixture

from lrlab.cli.app import app
from tests.cli.conftest import Lrlab

COMMANDS = [str(command.callback.__name__) for command in app.registered_commands]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(
    lrlab: Lrlab,
    monkeypatch: pytest.MonkeyPatch,
    file_regression: FileRegressionFixture,
    command: str,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = lrlab(*command.split(), "--help")
    assert (result.code, result.err) == (0, "")
    text = re.sub(r"\x1b\[[0-9;]*m", "", result.out)
    text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    assert "…" not in text  # no name of an option is cut off
    file_regression.check(text, basename=f"help_{command or 'lrlab'}", extension=".txt")


def test_version(lrlab: Lrlab) -> None:
    result = lrlab("--version")
    assert result.code == 0
    assert re.fullmatch(r"lrlab \d+\.\d+\.\d+\n", result.out)


@pytest.mark.integration
def test_help_and_show_import_nothing_heavy() -> None:
    code = (
        "import sys\nfrom lrlab.cli.app import app\n"
        "for words in (['show', 'Warmup(5) >> Cosine(45)'], ['show', '--help'], ['gallery']):\n"
        "    app(words, standalone_mode=False)\n"
        "heavy = ('torch', 'pandas', 'matplotlib', 'plotly', 'scipy', 'sklearn')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[-1] == "[]"
