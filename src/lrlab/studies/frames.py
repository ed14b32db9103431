"""The pandas frames of a study: its runs, their epochs and the comparison.

Whether a study comes from Python or from a database, its frames are built here from the same rows.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pandas as pd

from lrlab.errors import StudyError
from lrlab.studies.statistics import Comparison
from lrlab.studies.store.reader import ReadableStore
from lrlab.studies.store.rows import RunRow

_RUN_DTYPES = {
    "study": "str",
    "phase": "str",
    "run": "str",
    "problem": "str",
    "schedule": "str",
    "seed": "int64",
    "engine": "str",
    "test_score": "float64",
    "diverged": "bool",
    "diverged_at_step": "Int64",
    "seconds": "float64",
    "ended_at": "datetime64[us, UTC]",
}
_EPOCH_RUN_COLUMNS = ("run", "phase", "schedule", "seed")


def read_runs_frame(store: ReadableStore, study_id: str) -> pd.DataFrame:
    """Return a row for each finished run of a stored study; see ``build_runs_frame``.

    Raises:
        StudyError: the runs cannot be read.
    """
    return build_runs_frame(store.load_run_rows(study_id, with_curves=False))


def read_epochs_frame(store: ReadableStore, study_id: str) -> pd.DataFrame:
    """Return a row for each epoch of each finished run of a study; see ``build_epochs_frame``.

    Raises:
        StudyError: the runs cannot be read.
    """
    return build_epochs_frame(store.load_run_rows(study_id, with_curves=True))


def build_runs_frame(rows: Sequence[RunRow]) -> pd.DataFrame:
    """Return a row for each run.

    Args:
        rows: the runs in the order of the plan.

    Returns:
        A frame with the columns ``study``, ``phase``, ``run`` (its id), ``problem``, ``schedule``,
        the settings by their names (NaN for None; schedules of other hyperparameters as
        ``other_schedules.momentum`` and so on), ``seed``, ``engine``, ``test_score``, ``diverged``,
        ``diverged_at_step`` (missing unless it diverged), ``seconds`` and ``ended_at`` (UTC).

    Raises:
        StudyError: the settings of a run are damaged.
    """
    facts = pd.DataFrame({name: _build_column(rows, name) for name in _RUN_DTYPES})
    # Thousands of runs have a dozen settings.
    numbers: dict[str, int] = {}
    settings_numbers = [numbers.setdefault(row.settings, len(numbers)) for row in rows]
    settings = pd.json_normalize([_parse_settings(text) for text in numbers])
    unset = {name: "float64" for name in settings if settings[name].isna().all()}
    settings = settings.astype(unset)
    position = list(_RUN_DTYPES).index("seed")
    return pd.concat(
        [
            facts.iloc[:, :position],
            settings.iloc[settings_numbers].reset_index(drop=True),
            facts.iloc[:, position:],
        ],
        axis=1,
    )


def build_epochs_frame(rows: Sequence[RunRow]) -> pd.DataFrame:
    """Return a row for each epoch of each run.

    Args:
        rows: the runs in the order of the plan, with their curves.

    Returns:
        A frame with the columns ``run`` (to join with the runs), ``phase``, ``schedule`` and
        ``seed``, and those of the learning curves: ``epoch``, ``lr_start`` and ``lr_end`` (the
        learning rates of its first step and of the step after its last), ``loss``, ``test_score``,
        ``validation_loss`` and ``validation_score``, and all else that a training function reports,
        with an underscore appended to a name that equals one of the first four.
    """
    curves = [row.curve for row in rows if row.curve is not None]
    column_index: dict[str, int] = {}
    positions = {
        names: [column_index.setdefault(name, len(column_index)) for name in names]
        for names in dict.fromkeys(names for _, names in curves)
    }
    lengths = [len(values) for values, _ in curves]
    numbers = np.full((sum(lengths), len(column_index)), np.nan)
    for (values, names), end in zip(curves, accumulate(lengths), strict=True):
        numbers[end - len(values) : end, positions[names]] = values
    frame = pd.DataFrame(
        numbers, columns=[f"{n}_" if n in _EPOCH_RUN_COLUMNS else n for n in column_index]
    )
    for position, name in enumerate(_EPOCH_RUN_COLUMNS):
        column = _build_column(rows, name)
        column = column if name == "seed" else column.astype("category")
        frame.insert(position, name, column.repeat(lengths).reset_index(drop=True))
    return frame.astype({"epoch": "int64"}) if "epoch" in frame else frame


def build_comparison_frame(
    comparison: Comparison, selected_settings: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Return a row for each schedule, by rank, with the text of the schedule as index.

    Args:
        comparison: the comparison of the schedules.
        selected_settings: the tuned settings of each schedule by their names; empty without tuning.

    Returns:
        A frame with the columns ``rank``, the settings by their names, and all of
        ``ComparisonRow.to_dict``.
    """
    rows = []
    for row in comparison.rows:
        record = row.to_dict()
        first = {"schedule": record.pop("label"), "rank": record.pop("rank")}
        rows.append({**first, **selected_settings.get(row.label, {}), **record})
    return pd.DataFrame(rows).set_index("schedule")


def _build_column(rows: Sequence[RunRow], name: str) -> "pd.Series[Any]":
    return pd.Series([getattr(row, name) for row in rows], dtype=_RUN_DTYPES[name])


def _parse_settings(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):
        raise StudyError(
            f"the settings {text} cannot be read, the database is damaged; restore a copy of it."
        ) from None
