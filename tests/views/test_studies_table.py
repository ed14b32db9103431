"""The list of studies, and the status of one at each stage."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_regressions.file_regression import FileRegressionFixture

from lrlab.studies import StudySummary
from lrlab.studies.store.reader import PhaseProgress
from lrlab.views import studies_table
from lrlab.views.studies_table import format_studies, format_study_status

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
TUNING, HALF = PhaseProgress("tuning", 300, 300, 7), PhaseProgress("final", 200, 100, 0)
FINISHED, NEARLY = PhaseProgress("final", 1, 1, 0), PhaseProgress("final", 1000, 999, 0)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show times in UTC, whatever the time zone of this machine."""
    monkeypatch.setattr(studies_table, "format_timestamp", lambda time: f"{time:%Y-%m-%d %H:%M}")


def make_summary(
    *phases: PhaseProgress, last: datetime | None = BEGAN, source: str | None = "{}"
) -> StudySummary:
    return StudySummary("0123abcd", "iris", "loop", BEGAN, last, phases, 7200.0, "{}", "{}", source)


def test_the_list_of_studies(file_regression: FileRegressionFixture) -> None:
    studies = [make_summary(TUNING, HALF), make_summary(FINISHED), make_summary(last=None)]
    file_regression.check(format_studies(studies), extension=".txt")


def test_the_status_of_a_study(file_regression: FileRegressionFixture) -> None:
    now = BEGAN + timedelta(seconds=90)
    texts = [
        format_study_status(make_summary(TUNING, HALF), 0.5, now, " --db my.db"),
        format_study_status(make_summary(NEARLY), 12.3, now),
        format_study_status(make_summary(last=None, source=None), None, now),
        format_study_status(make_summary(FINISHED), None, now),
    ]
    file_regression.check("\n\n\n".join(texts), extension=".txt")
