"""The runs of a study, and their epochs, as pandas frames."""

import json
import sqlite3
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lrlab.studies.store.errors import report_damage
from lrlab.studies.store.reader import ReadableStore
from lrlab.studies.store.schema import unpack_curve

_STUDY_RUNS_SQL = """
FROM phase
JOIN member ON member.study = phase.study AND member.phase = phase.name
JOIN run ON run.id = member.run
WHERE phase.study = ?
ORDER BY phase.rowid, member.place
"""
_RUNS_SQL = f"""
SELECT member.study, member.phase, run.id AS run, run.problem, run.schedule, run.settings, run.seed,
    run.engine, run.score, run.diverged, run.left_at, run.seconds, run.ended {_STUDY_RUNS_SQL}
"""
_EPOCHS_SQL = (
    f"SELECT run.id AS run, member.phase, run.schedule, run.seed, run.epochs {_STUDY_RUNS_SQL}"
)


CurveArrays = tuple[NDArray[np.float64], tuple[str, ...]]
"""Values, shape (epochs, columns), and names of the columns."""


def read_runs(store: ReadableStore, study_id: str) -> pd.DataFrame:
    """A row for each run of a study that has ended, in the order in which they were planned.

    Args:
        store: where they are stored.
        study_id: its id.

    Returns:
        A frame with the columns ``study_id``, ``phase``, ``run`` (its id), ``problem``, ``schedule``,
        one for each of the settings by its name (NaN for a run that was written down without it,
        which had its default; schedules of other hyperparameters are ``others.momentum`` and the
        like), ``seed``, ``engine``, ``score``, ``diverged``, ``diverged_at_step``, ``seconds`` and
        ``ended``, in UTC.

    Raises:
        StudyError: they cannot be read.
    """
    return store.run_query(lambda db: expand_settings(_query_frame(db, _RUNS_SQL, study_id)))


def read_epochs(store: ReadableStore, study_id: str) -> pd.DataFrame:
    """A row for each epoch of each run of a study that has ended.

    Args:
        store: where they are stored.
        study_id: its id.

    Returns:
        A frame with the columns ``run``, by which it joins ``runs``, ``phase``, ``schedule``,
        ``seed``, and those of the learning curves: ``epoch``, ``before`` and ``after`` (the rates
        of its first step and of the one after its last), ``loss``, ``score``, ``validation_loss``
        and ``validation_score``, and whatever else a training function reports (with an underscore
        behind its name where that is one of the first four).

    Raises:
        StudyError: they cannot be read.
    """

    def query_epochs(db: sqlite3.Connection) -> pd.DataFrame:
        frame = _query_frame(db, _EPOCHS_SQL, study_id)
        return expand_curves(frame, _unpack_curves(frame))

    return store.run_query(query_epochs)


def expand_settings(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of runs with a column for each setting where there was one of JSON for all."""
    described = {text: _parse_settings(text) for text in frame["settings"].unique()}
    settings = pd.json_normalize([described[text] for text in frame["settings"]])
    at = frame.columns.tolist().index("settings")
    rest = frame.iloc[:, at + 1 :].astype({"diverged": bool, "left_at": "Int64"})
    if "ended" in rest:
        rest["ended"] = pd.to_datetime(rest["ended"], utc=True, format="ISO8601")
    return pd.concat([frame.iloc[:, :at], settings, rest], axis=1)


def expand_curves(runs: pd.DataFrame, curves: Sequence[CurveArrays]) -> pd.DataFrame:
    """A row for each epoch of runs: what is known of each, then its curve.

    Args:
        runs: a row for each run, with the columns ``run``, ``phase``, ``schedule``, ``seed``.
        curves: values and names of the columns of each run.
    """
    run_columns = ["run", "phase", "schedule", "seed"]
    column_index: dict[str, int] = {}
    columns = {
        names: [column_index.setdefault(name, len(column_index)) for name in names]
        for names in dict.fromkeys(names for _, names in curves)
    }
    lengths = [len(values) for values, _ in curves]
    numbers = np.full((sum(lengths), len(column_index)), np.nan)
    for (values, names), end in zip(curves, accumulate(lengths), strict=True):
        numbers[end - len(values) : end, columns[names]] = values
    frame = pd.DataFrame(
        numbers, columns=[f"{n}_" if n in run_columns else n for n in column_index]
    )
    for at, name in enumerate(run_columns):
        column = runs[name] if name == "seed" else runs[name].astype("category")
        frame.insert(at, name, column.repeat(lengths).array)
    return frame.astype({"epoch": int}) if "epoch" in frame else frame


def _unpack_curves(frame: pd.DataFrame) -> list[CurveArrays]:
    curves = []
    for run_id, packed in zip(frame["run"], frame["epochs"], strict=True):
        with report_damage(f"the curve of run {run_id}"):
            curves.append(unpack_curve(packed))
    return curves


def _query_frame(db: sqlite3.Connection, sql: str, study_id: str) -> pd.DataFrame:
    rows = db.execute(sql, (study_id,))
    return pd.DataFrame(rows.fetchall(), columns=[column for column, *_ in rows.description])


def _parse_settings(text: str) -> dict[str, Any]:
    with report_damage(f"the settings {text}"):
        return dict(json.loads(text))
