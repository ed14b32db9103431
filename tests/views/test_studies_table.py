"""Studies as text: what is said of one that has not begun, goes on, stands still, is finished."""

from datetime import UTC, datetime, timedelta

from lrlab.studies import StudySummary
from lrlab.studies.store.reader import PhaseProgress
from lrlab.views.studies_table import format_studies, format_study_status
from lrlab.views.text import format_timestamp

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
TUNED, HALF = PhaseProgress("tuning", 300, 300, 7), PhaseProgress("final", 200, 100, 0)


def entry(
    *phases: PhaseProgress, last: datetime | None = BEGAN, source: str | None = "{}"
) -> StudySummary:
    return StudySummary("0123abcd", "iris", "loop", BEGAN, last, phases, 7200.0, "{}", source)


def test_a_study_that_goes_on() -> None:
    now = BEGAN + timedelta(seconds=90)
    lines = format_study_status(entry(TUNED, HALF), 0.5, now, " --db my.db").splitlines()
    assert lines == [
        "0123abcd · iris · loop · 80 % of 500 runs planned so far, 400 runs ended",
        "",
        "  phase    planned   ended   diverged",
        "  tuning       300     300          7",
        "  final        200     100          0",
        "",
        f"began {format_timestamp(BEGAN)}, last run ended 1.5 min ago; 2 h of training",
        "about a run every 2 s, so that 3.3 min are left of what is planned",
        "where it has stopped, this goes on with it: lrlab resume 0123abcd --db my.db",
    ]


def test_a_study_that_is_finished_and_one_that_has_not_begun() -> None:
    done = format_study_status(entry(PhaseProgress("final", 1, 1, 0)), None, BEGAN)
    assert done.startswith("0123abcd · iris · loop · finished, 1 run ended\n")
    assert done.endswith("lrlab export 0123abcd --csv runs.csv")
    new = format_study_status(entry(last=None, source=None), None, BEGAN)
    assert "0 % of 0 runs planned so far, 0 runs ended" in new
    assert "no run has ended yet" in new
    assert new.endswith("where it has stopped, the script that began it goes on with it")


def test_what_is_not_finished_is_never_all() -> None:
    nearly = PhaseProgress("final", 1000, 999, 0)
    assert "99 % of" in format_study_status(entry(nearly), 12.3, BEGAN)
    assert "12.3 runs a second, so that < 1 s are left" in format_study_status(
        entry(nearly), 12.3, BEGAN
    )
    assert "99 % of" in format_study_status(entry(TUNED), None, BEGAN), (
        "the final phase is not planned"
    )


def test_studies_line_up() -> None:
    lines = format_studies(
        [entry(TUNED, HALF), entry(PhaseProgress("final", 1, 1, 0))]
    ).splitlines()
    starts = [lines[0].index(name) for name in ("id", "problem", "engine", "began", "state")]
    ends = lines[0].index("runs") + len("runs")
    for line, runs, state in zip(
        lines[1:], ("400/500", "1/1"), ("not finished", "finished"), strict=True
    ):
        assert line[:ends].endswith(f" {runs}")
        assert [line[i - 1] for i in starts] == [" "] * 5
        assert line[starts[-1] :] == state
