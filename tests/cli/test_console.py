"""Progress of a study without a terminal: a line now and then."""

from types import SimpleNamespace

import pytest

from lrlab import Cosine
from lrlab.cli import console
from lrlab.cli.console import show_progress
from lrlab.problems import load_problem
from lrlab.studies import Phase, build_plan, plan_first_phase
from lrlab.studies.plan.plan import Protocol
from lrlab.training import Settings


@pytest.fixture
def phase() -> Phase:
    """The final phase of two schedules and five seeds."""
    plan = build_plan(load_problem("iris"), [Cosine()], Settings(epochs=1), Protocol(5))
    return plan_first_phase(plan)


def test_a_line_every_ten_seconds_and_at_the_end(
    phase: Phase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = 100.0
    monkeypatch.setattr(console, "time", SimpleNamespace(monotonic=lambda: clock))
    missing_runs = list(phase.runs.values())[3:]
    with show_progress(phase, missing_runs) as count_run:
        for run in missing_runs:  # seven, at 104, 108 and so on
            clock += 4.0
            count_run(run)
    assert capsys.readouterr().err.splitlines() == [
        "final: 3 of 10 runs are already stored",
        "final: 3 of 7 runs",
        "final: 6 of 7 runs",
        "final: 7 of 7 runs",
    ]


def test_no_progress_if_all_runs_are_stored(
    phase: Phase, capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress(phase, []):
        pass
    assert capsys.readouterr().err == "final: 10 of 10 runs are already stored\n"
