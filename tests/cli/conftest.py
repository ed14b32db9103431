"""Running commands in this process, and checking that they refuse a mistake."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lrlab.cli import main


@dataclass(frozen=True)
class CommandResult:
    """The exit code of a command and what it printed."""

    code: int
    out: str
    err: str


Lrlab = Callable[..., CommandResult]
"""The type of the fixture ``lrlab``."""


@pytest.fixture
def lrlab(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Lrlab:
    """Runs ``lrlab`` with the given arguments in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> CommandResult:
        monkeypatch.setattr(sys, "argv", ["lrlab", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_info:
            main()
        out, err = capsys.readouterr()
        return CommandResult(int(exit_info.value.code or 0), out, err)

    return run


def assert_refused(result: CommandResult, *mentions: object) -> None:
    """Check exit code 2, nothing on stdout, no traceback, and a message that mentions all of these.

    Args:
        result: of the command.
        mentions: the option or argument, its value, the name of the remedy.
    """
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err
    missing = [text for text in map(str, mentions) if text not in result.err]
    assert not missing, f"{result.err!r} does not mention {missing}"
