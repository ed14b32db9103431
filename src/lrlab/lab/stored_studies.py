"""The studies of a database: list, find and delete them, and read their runs.

Importing this module does not import torch, so that reading a database is fast.
"""

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from lrlab.errors import StudyError
from lrlab.studies.store.reader import StoreReader, StudySummary
from lrlab.views.hints import DEFAULT_DB

if TYPE_CHECKING:
    import pandas as pd

DatabaseFile = str | PathLike[str]


def list_studies(db: DatabaseFile = DEFAULT_DB) -> list[StudySummary]:
    """Return the studies of a database with their progress, in the order in which they began.

    Args:
        db: the database file.

    Raises:
        StudyError: it does not exist or cannot be read.
    """
    return StoreReader(Path(db)).list_studies()


def find_study(study: str | None = None, db: DatabaseFile = DEFAULT_DB) -> StudySummary:
    """Return a stored study with its progress.

    Args:
        study, db: see ``load_study``.

    Raises:
        StudyError: there is no such database or study, or it cannot be read.
    """
    return StoreReader(Path(db)).find_study(study)


def measure_runs_per_second(study: StudySummary, db: DatabaseFile = DEFAULT_DB) -> float | None:
    """Return how many runs of a study end per second; None if too few have ended to know.

    Args:
        study: the study.
        db: its database file.

    Raises:
        StudyError: the database cannot be read.
    """
    return StoreReader(Path(db)).measure_runs_per_second(study)


def read_runs(study: str | None = None, db: DatabaseFile = DEFAULT_DB) -> "pd.DataFrame":
    """Return ``load_study(...).runs``, without reading the learning curves.

    Args:
        study, db: see ``load_study``.

    Raises:
        StudyError: there is no such database or study, or it cannot be read.
    """
    from lrlab.studies.frames import read_runs_frame

    reader = StoreReader(Path(db))
    return read_runs_frame(reader, reader.find_study(study).id)


def read_epochs(study: str | None = None, db: DatabaseFile = DEFAULT_DB) -> "pd.DataFrame":
    """Return ``load_study(...).epochs``, without building the study.

    Args:
        study, db: see ``load_study``.

    Raises:
        StudyError: there is no such database or study, or it cannot be read.
    """
    from lrlab.studies.frames import read_epochs_frame

    reader = StoreReader(Path(db))
    return read_epochs_frame(reader, reader.find_study(study).id)


@dataclass(frozen=True)
class Deletion:
    """What is deleted with a study.

    Args:
        study: the study.
        deleted_count: number of its runs that no other study has, and that are deleted.
        kept_count: number of its runs that other studies have, and that are kept.
    """

    study: StudySummary
    deleted_count: int
    kept_count: int


def preview_deletion(study: str, db: DatabaseFile = DEFAULT_DB) -> Deletion:
    """Return what ``delete_study`` would delete.

    Args:
        study, db: see ``load_study``.

    Raises:
        StudyError: there is no such database or study, it cannot be read, or no study is named.
    """
    if study is None:  # elsewhere the only study; what is deleted must be named
        raise StudyError("`study` must name the study to delete, got None; give its id.")
    reader = StoreReader(Path(db))
    summary = reader.find_study(study)
    deleted_count = reader.count_unshared_runs(summary)
    return Deletion(summary, deleted_count, summary.ended_count - deleted_count)


def delete_study(study: str, db: DatabaseFile = DEFAULT_DB) -> Deletion:
    """Delete a stored study and its runs, except runs that other studies have.

    The file keeps its size; later runs reuse the space.

    Args:
        study, db: see ``load_study``.

    Returns:
        What was deleted.

    Raises:
        StudyError: there is no such database or study, or it cannot be written.
    """
    from lrlab.studies.store.sqlite import Store

    deletion = preview_deletion(study, db)
    with Store(Path(db)) as store:
        deleted_count = store.delete_study(deletion.study.id)
    return replace(deletion, deleted_count=deleted_count)
