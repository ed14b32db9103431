"""How far a study is, told now and then where there is no terminal."""

from types import SimpleNamespace

import pytest

from lrlab import Cosine
from lrlab.cli import console as telling
from lrlab.cli.console import show_progress
from lrlab.problems import load_problem
from lrlab.studies import Protocol, build_plan, plan_first_phase
from lrlab.training import Settings


def test_a_line_every_ten_seconds_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    phase = plan_first_phase(
        build_plan(load_problem("iris"), [Cosine()], Settings(epochs=1), Protocol(5))
    )
    clock = 100.0
    monkeypatch.setattr(telling, "time", SimpleNamespace(monotonic=lambda: clock))
    missing = list(phase.runs.values())[3:]
    with show_progress(phase, missing) as ended:
        for run in missing:  # seven, at 104, 108 and so on
            clock += 4.0
            ended(run)
    assert capsys.readouterr().err.splitlines() == [
        "final: 3 of 10 runs are stored already",
        "final: 3 of 7 runs",
        "final: 6 of 7 runs",
        "final: 7 of 7 runs",
    ]


def test_nothing_missing_is_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    phase = plan_first_phase(
        build_plan(load_problem("iris"), [Cosine()], Settings(epochs=1), Protocol(5))
    )
    with show_progress(phase, []):
        pass
    assert capsys.readouterr().err == "final: 10 of 10 runs are stored already\n"
