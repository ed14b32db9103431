"""The runs of a study, and their epochs, as pandas frames."""

import json
import sqlite3
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lrlab.studies.faults import stored
from lrlab.studies.kept import Kept
from lrlab.studies.rows import unpack

_OF = """
FROM phase
JOIN member ON member.study = phase.study AND member.phase = phase.name
JOIN run ON run.id = member.run
WHERE phase.study = ?
ORDER BY phase.rowid, member.place
"""
_RUNS = f"""
SELECT member.study, member.phase, run.id AS run, run.problem, run.schedule, run.settings, run.seed,
    run.engine, run.score, run.diverged, run.left_at, run.seconds, run.ended {_OF}
"""
_EPOCHS = f"SELECT run.id AS run, member.phase, run.schedule, run.seed, run.epochs {_OF}"


Curve = tuple[NDArray[np.float64], tuple[str, ...]]
"""Values, shape (epochs, columns), and names of the columns."""


def runs(among: Kept, study: str) -> pd.DataFrame:
    """A row for each run of a study that has ended, in the order in which they were planned.

    Args:
        among: where they are stored.
        study: its id.

    Returns:
        A frame with the columns ``study``, ``phase``, ``run`` (its id), ``problem``, ``schedule``,
        one for each of the settings by its name (NaN for a run that was written down without it,
        which had its default; schedules of other hyperparameters are ``others.momentum`` and the
        like), ``seed``, ``engine``, ``score``, ``diverged``, ``left_at``, ``seconds`` and
        ``ended``, in UTC.

    Raises:
        StudyError: they cannot be read.
    """
    return among.ask(lambda db: with_settings(_frame(db, _RUNS, study)))


def epochs(among: Kept, study: str) -> pd.DataFrame:
    """A row for each epoch of each run of a study that has ended.

    Args:
        among: where they are stored.
        study: its id.

    Returns:
        A frame with the columns ``run``, by which it joins ``runs``, ``phase``, ``schedule``,
        ``seed``, and those of the learning curves: ``epoch``, ``before`` and ``after`` (the rates
        of its first step and of the one after its last), ``loss``, ``score``, ``validation_loss``
        and ``validation_score``, and whatever else a training function reports (with an underscore
        behind its name where that is one of the first four).

    Raises:
        StudyError: they cannot be read.
    """

    def of_study(db: sqlite3.Connection) -> pd.DataFrame:
        found = _frame(db, _EPOCHS, study)
        return with_curves(found, _unpacked(found))

    return among.ask(of_study)


def with_settings(found: pd.DataFrame) -> pd.DataFrame:
    """A frame of runs with a column for each setting where there was one of JSON for all."""
    described = {text: _settings(text) for text in found["settings"].unique()}
    settings = pd.json_normalize([described[text] for text in found["settings"]])
    at = found.columns.tolist().index("settings")
    rest = found.iloc[:, at + 1 :].astype({"diverged": bool, "left_at": "Int64"})
    if "ended" in rest:
        rest["ended"] = pd.to_datetime(rest["ended"], utc=True, format="ISO8601")
    return pd.concat([found.iloc[:, :at], settings, rest], axis=1)


def with_curves(found: pd.DataFrame, curves: Sequence[Curve]) -> pd.DataFrame:
    """A row for each epoch of runs: what is known of each, then its curve.

    Args:
        found: a row for each run, with the columns ``run``, ``phase``, ``schedule``, ``seed``.
        curves: values and names of the columns of each run.
    """
    whose = ["run", "phase", "schedule", "seed"]
    places: dict[str, int] = {}
    columns = {
        names: [places.setdefault(name, len(places)) for name in names]
        for names in dict.fromkeys(names for _, names in curves)
    }
    lengths = [len(values) for values, _ in curves]
    numbers = np.full((sum(lengths), len(places)), np.nan)
    for (values, names), end in zip(curves, accumulate(lengths), strict=True):
        numbers[end - len(values) : end, columns[names]] = values
    frame = pd.DataFrame(numbers, columns=[f"{n}_" if n in whose else n for n in places])
    for at, name in enumerate(whose):
        column = found[name] if name == "seed" else found[name].astype("category")
        frame.insert(at, name, column.repeat(lengths).array)
    return frame.astype({"epoch": int}) if "epoch" in frame else frame


def _unpacked(found: pd.DataFrame) -> list[Curve]:
    curves = []
    for id, packed in zip(found["run"], found["epochs"], strict=True):
        with stored(f"the curve of run {id}"):
            curves.append(unpack(packed))
    return curves


def _frame(db: sqlite3.Connection, query: str, study: str) -> pd.DataFrame:
    rows = db.execute(query, (study,))
    return pd.DataFrame(rows.fetchall(), columns=[column for column, *_ in rows.description])


def _settings(text: str) -> dict[str, Any]:
    with stored(f"the settings {text}"):
        return dict(json.loads(text))
