"""Pandas frames of the stored runs of a study, and of their epochs."""

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
JOIN planned_run ON planned_run.study = phase.study AND planned_run.phase = phase.name
JOIN run ON run.id = planned_run.run
WHERE phase.study = ?
ORDER BY phase.rowid, planned_run.position
"""
_RUNS_SQL = f"""
SELECT planned_run.study, planned_run.phase, run.id AS run, run.problem, run.schedule, run.settings,
    run.seed, run.engine, run.test_score, run.diverged, run.diverged_at_step, run.seconds,
    run.ended_at {_STUDY_RUNS_SQL}
"""
_EPOCHS_SQL = f"""
SELECT run.id AS run, planned_run.phase, run.schedule, run.seed, run.curve {_STUDY_RUNS_SQL}
"""

CurveArrays = tuple[NDArray[np.float64], tuple[str, ...]]
"""The values of a curve, shape (epochs, columns), and the names of its columns."""


def read_runs(store: ReadableStore, study_id: str) -> pd.DataFrame:
    """Return a row for each finished run of a study, in the order of its plan.

    Args:
        store: where the runs are stored.
        study_id: id of the study.

    Returns:
        A frame with the columns ``study``, ``phase``, ``run`` (its id), ``problem``, ``schedule``,
        the settings by their names (schedules of other hyperparameters as
        ``other_schedules.momentum`` and so on), ``seed``, ``engine``, ``test_score``, ``diverged``,
        ``diverged_at_step``, ``seconds`` and ``ended_at`` (UTC).

    Raises:
        StudyError: the runs cannot be read.
    """
    return store.run_query(lambda db: expand_settings(_query_frame(db, _RUNS_SQL, study_id)))


def read_epochs(store: ReadableStore, study_id: str) -> pd.DataFrame:
    """Return a row for each epoch of each finished run of a study.

    Args:
        store: where the runs are stored.
        study_id: id of the study.

    Returns:
        A frame with the columns ``run`` (to join with the runs), ``phase``, ``schedule`` and
        ``seed``, and those of the learning curves: ``epoch``, ``lr_start`` and ``lr_end`` (the
        learning rates of its first step and of the step after its last), ``loss``, ``test_score``,
        ``validation_loss`` and ``validation_score``, and all else that a training function reports,
        with an underscore appended to a name that equals one of the first four.

    Raises:
        StudyError: the runs cannot be read.
    """

    def query_epochs(db: sqlite3.Connection) -> pd.DataFrame:
        frame = _query_frame(db, _EPOCHS_SQL, study_id)
        return expand_curves(frame, _unpack_curves(frame))

    return store.run_query(query_epochs)


def expand_settings(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of runs with a column per setting in place of the JSON of all settings."""
    settings_by_text = {text: _parse_settings(text) for text in frame["settings"].unique()}
    settings = pd.json_normalize([settings_by_text[text] for text in frame["settings"]])
    position = frame.columns.tolist().index("settings")
    rest = frame.iloc[:, position + 1 :].astype({"diverged": bool, "diverged_at_step": "Int64"})
    if "ended_at" in rest:
        rest["ended_at"] = pd.to_datetime(rest["ended_at"], utc=True, format="ISO8601")
    return pd.concat([frame.iloc[:, :position], settings, rest], axis=1)


def expand_curves(runs: pd.DataFrame, curves: Sequence[CurveArrays]) -> pd.DataFrame:
    """Return a row for each epoch of some runs: the columns of its run, then those of its curve.

    Args:
        runs: a row for each run, with the columns ``run``, ``phase``, ``schedule``, ``seed``.
        curves: the curve of each run.
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
    for position, name in enumerate(run_columns):
        column = runs[name] if name == "seed" else runs[name].astype("category")
        frame.insert(position, name, column.repeat(lengths).array)
    return frame.astype({"epoch": int}) if "epoch" in frame else frame


def _unpack_curves(frame: pd.DataFrame) -> list[CurveArrays]:
    curves = []
    for run_id, packed in zip(frame["run"], frame["curve"], strict=True):
        with report_damage(f"the curve of run {run_id}"):
            curves.append(unpack_curve(packed))
    return curves


def _query_frame(db: sqlite3.Connection, sql: str, study_id: str) -> pd.DataFrame:
    rows = db.execute(sql, (study_id,))
    return pd.DataFrame(rows.fetchall(), columns=[column for column, *_ in rows.description])


def _parse_settings(text: str) -> dict[str, Any]:
    with report_damage(f"the settings {text}"):
        return dict(json.loads(text))
