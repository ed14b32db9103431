"""Progress: lines every ten seconds without a terminal, a bar in a terminal and in a notebook."""

import sys
from io import StringIO
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lrlab.studies.execution.runner import Progress
from lrlab.views import progress as progress_module
from lrlab.views.progress import show_progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that a test sets."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_lines_every_ten_seconds_and_at_the_end(
    clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress(True) as progress:
        progress(Progress("final", planned=10, stored=3))
        for trained in range(1, 8):  # at 104, 108 and so on
            clock.now += 4.0
            progress(Progress("final", planned=10, stored=3, trained=trained))
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        "final: 3 of 10 runs are already stored",
        "final: 3 of 7 runs",
        "final: 6 of 7 runs",
        "final: 7 of 7 runs",
    ]
    assert out == ""


def test_a_line_if_all_runs_are_stored(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress(True) as progress:
        progress(Progress("final", planned=10, stored=10))
    assert capsys.readouterr().err == "final: 10 of 10 runs are already stored\n"


def test_false_shows_nothing_and_a_callback_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    reports: list[Progress] = []
    for choice in (False, reports.append):
        with show_progress(choice) as progress:
            progress(Progress("final", planned=2, stored=0, trained=2))
    assert reports == [Progress("final", planned=2, stored=0, trained=2)]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_each_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with show_progress(True) as progress:
        for phase in ("tuning", "final"):
            progress(Progress(phase, planned=4, stored=1))
            progress(Progress(phase, planned=4, stored=1, trained=2))
        progress(Progress("extra", planned=1, stored=1))
    text = terminal.getvalue()
    for expected in (
        "tuning",
        "final: 1 of 4 runs are already stored",
        "0/3",
        "extra: 1 of",
    ):
        assert expected in text


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The displays of a notebook: their kind, and their HTML."""
    shown: list[tuple[str, str]] = []

    def display(bundle: dict[str, str], **_: object) -> Any:
        shown.append(("new", bundle["text/html"]))
        return SimpleNamespace(
            update=lambda bundle, **_: shown.append(("update", bundle["text/html"]))
        )

    ipython: Any = ModuleType("IPython")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    ipython.display = ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return shown


def test_a_notebook_shows_a_bar_for_each_phase(
    clock: SimpleNamespace, notebook: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress(True) as progress:
        progress(Progress("tuning", planned=4, stored=0))
        for trained in (1, 2, 3):
            clock.now += 0.15  # too soon for an update, every other time
            progress(Progress("tuning", planned=4, stored=0, trained=trained))
        progress(Progress("tuning", planned=4, stored=0, trained=4))
        progress(Progress("final", planned=2, stored=2))
    assert [kind for kind, _ in notebook] == ["new", "update", "update", "new"]
    assert '<progress value="2" max="4">' in notebook[1][1]
    assert "2 of 4 runs, < 1 s left" in notebook[1][1]
    assert "4 of 4 runs<" in notebook[2][1]
    assert notebook[3][1] == "<div>final: 2 of 2 runs are already stored</div>"
    assert capsys.readouterr() == ("", "")
