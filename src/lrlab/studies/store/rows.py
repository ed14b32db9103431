"""Stored runs as rows: what the frames of a study are made of."""

import sqlite3
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lrlab.studies.store.schema import TIME_FORMAT, unpack_curve
from lrlab.studies.store.sqlite_errors import report_damage

CurveArrays = tuple[NDArray[np.float64], tuple[str, ...]]
"""The values of a curve, shape (epochs, columns), and the names of its columns."""


class RunRow(NamedTuple):
    """A finished run of a study.

    Args:
        study: id of the study.
        phase: name of the phase.
        run: id of the run.
        problem: name of the study's problem.
        schedule: its text.
        settings: its settings as JSON; schedules of other hyperparameters are among them.
        seed: its seed.
        engine: what trained it.
        test_score, diverged, diverged_at_step, seconds: see ``Result``.
        ended_at: when it was stored, in UTC; None if it was not.
        curve: its learning curve; None if it was not read.
    """

    study: str
    phase: str
    run: str
    problem: str
    schedule: str
    settings: str
    seed: int
    engine: str
    test_score: float
    diverged: bool
    diverged_at_step: int | None
    seconds: float
    ended_at: datetime | None
    curve: CurveArrays | None = None


_RUNS_SQL = """
SELECT phase.study, phase.name, run.id, study.problem, run.schedule, run.settings, run.seed,
    run.engine, run.test_score, run.diverged, run.diverged_at_step, run.seconds, run.ended_at,
    {curve}
FROM phase
JOIN study ON study.id = phase.study
JOIN planned_run ON planned_run.study = phase.study AND planned_run.phase = phase.name
JOIN run ON run.id = planned_run.run
WHERE phase.study = ?
ORDER BY phase.rowid, planned_run.position
"""


def query_run_rows(db: sqlite3.Connection, study_id: str, with_curves: bool) -> list[RunRow]:
    """Return the finished runs of a study in the order of its plan.

    Args:
        db: a connection to read from.
        study_id: id of the study.
        with_curves: whether to read the learning curves, which takes most of the time.

    Raises:
        sqlite3.DatabaseError: a row is damaged.
    """
    sql = _RUNS_SQL.format(curve="run.curve" if with_curves else "NULL")
    times: dict[str, datetime] = {}  # many runs end in the same second
    rows = []
    for values in db.execute(sql, (study_id,)):
        *first, score, diverged, step, seconds, ended_at, curve = values
        if ended_at not in times:
            times[ended_at] = parse_time(ended_at)
        with report_damage(f"run {first[2]}"):
            last = (float(score), bool(diverged), step, float(seconds), times[ended_at])
            rows.append(
                RunRow._make((*first, *last, None if curve is None else unpack_curve(curve)))
            )
    return rows


def parse_time(text: str) -> datetime:
    """Return a stored time, in UTC.

    Raises:
        sqlite3.DatabaseError: it is damaged.
    """
    with report_damage(f"the time {text!r}"):
        return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
