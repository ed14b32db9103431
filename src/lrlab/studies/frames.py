"""The runs of a study, and their epochs, as pandas frames."""

import json
import sqlite3
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
import pandas as pd

from lrlab.studies.faults import stored
from lrlab.studies.reading import Answer, Question
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


class Asked(Protocol):
    """A ``Store``, or a ``Catalog``, which does not import torch."""

    def ask(self, question: Question[Answer]) -> Answer:
        """What ``question`` answers when it is given a connection to read from."""


def runs(among: Asked, study: str) -> pd.DataFrame:
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
    return among.ask(lambda db: _with_settings(_frame(db, _RUNS, study)))


def epochs(among: Asked, study: str) -> pd.DataFrame:
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
    return among.ask(lambda db: _with_curves(_frame(db, _EPOCHS, study)))


def _with_settings(found: pd.DataFrame) -> pd.DataFrame:
    which, texts = pd.factorize(found["settings"])
    settings = pd.json_normalize([_settings(text) for text in texts])
    settings = settings.take(which).reset_index(drop=True)
    at = found.columns.tolist().index("settings")
    rest = found.iloc[:, at + 1 :].astype({"diverged": bool, "left_at": "Int64"})
    rest["ended"] = pd.to_datetime(rest["ended"], utc=True, format="ISO8601")
    return pd.concat([found.iloc[:, :at], settings, rest], axis=1)


def _with_curves(found: pd.DataFrame) -> pd.DataFrame:
    whose = ["run", "phase", "schedule", "seed"]
    curves = []
    for id, packed in zip(found["run"], found["epochs"], strict=True):
        with stored(f"the curve of run {id}"):
            curves.append(unpack(packed))
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


def _frame(db: sqlite3.Connection, query: str, study: str) -> pd.DataFrame:
    rows = db.execute(query, (study,))
    return pd.DataFrame(rows.fetchall(), columns=[column for column, *_ in rows.description])


def _settings(text: str) -> dict[str, Any]:
    with stored(f"the settings {text}"):
        return dict(json.loads(text))
