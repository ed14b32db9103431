"""The store of a study: one row per run in SQLite, committed when the run ends.

One process writes; others may read meanwhile.
"""

import dataclasses
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from lrlab.errors import StudyError
from lrlab.schedules import to_text
from lrlab.studies.plan import ENGINE, Plan
from lrlab.training import Curve, Epoch, Result, Run

_APPLICATION = 0x6C726C62  # "lrlb", so that another program's database is never written to
_VERSION = 1
_SCHEMA = """
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    problem TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    schedule TEXT NOT NULL,
    settings TEXT NOT NULL,
    seed INTEGER NOT NULL,
    engine TEXT NOT NULL,
    score REAL NOT NULL,
    diverged INTEGER NOT NULL,
    epochs TEXT NOT NULL,
    seconds REAL NOT NULL,
    ended TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT
"""


class Store:
    """The runs in a database file, which is made when it is not there.

    Args:
        path: the file.

    Raises:
        StudyError: it cannot be opened or written, or is no database of lrlab's, or one of a
            newer lrlab. The file is left as it was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.parent.is_dir():
            raise StudyError(f"{path} cannot be made: there is no folder {path.parent}.")
        if path.is_dir():
            raise StudyError(f"{path} is a folder; name a file for the database with --db.")
        with self._clear_errors():
            self._db = sqlite3.connect(path.absolute(), timeout=30, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def finished(self, ids: Iterable[str]) -> dict[str, Result]:
        """The results of those runs that are stored, by id."""
        found = {}
        with self._clear_errors():
            for id in ids:
                row = self._db.execute(
                    "SELECT score, diverged, epochs, seconds FROM run WHERE id = ?", (id,)
                ).fetchone()
                if row is not None:
                    score, diverged, epochs, seconds = row
                    curve = Curve.of(Epoch(*epoch) for epoch in json.loads(epochs))
                    found[id] = Result(score, bool(diverged), curve, seconds)
        return found

    def known(self, ids: Iterable[str]) -> set[str]:
        """Which of those runs are stored."""
        with self._clear_errors():
            rows = (
                self._db.execute("SELECT id FROM run WHERE id = ?", (id,)).fetchone() for id in ids
            )
            return {row[0] for row in rows if row is not None}

    def add(self, plan: Plan, id: str, run: Run, result: Result) -> None:
        """Stores a run that has ended; one that is there already stays."""
        assert run.schedule is not None
        row = {
            "id": id,
            "problem": plan.problem.name,
            "fingerprint": plan.problem.fingerprint,
            "schedule": to_text(run.schedule),
            "settings": json.dumps(run.settings.described()),
            "seed": run.seed,
            "engine": ENGINE,
            "score": result.score,
            "diverged": int(result.diverged),
            "epochs": json.dumps([dataclasses.astuple(epoch) for epoch in result.epochs]),
            "seconds": result.seconds,
        }
        names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
        with self._clear_errors(), self._transaction():
            self._db.execute(f"INSERT OR IGNORE INTO run ({names}) VALUES ({places})", row)

    def _prepare(self) -> None:
        with self._clear_errors():
            tables = self._number("SELECT count(*) FROM sqlite_master")
            application = self._number("PRAGMA application_id")
            version = self._number("PRAGMA user_version")
            if tables and application != _APPLICATION:
                raise StudyError(
                    f"{self.path} is a database of another program; name another file with --db."
                )
            if version > _VERSION:
                raise StudyError(
                    f"{self.path} was written by a newer lrlab (version {version} of its tables, "
                    f"this one knows {_VERSION}); upgrade lrlab or name another file with --db."
                )
            self._db.execute("PRAGMA journal_mode = WAL")
            with self._transaction():
                # Asked again: another process may have made the tables by now.
                if not self._number("SELECT count(*) FROM sqlite_master"):
                    self._db.execute(_SCHEMA)
                    self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
                    self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def _number(self, query: str) -> int:
        return int(self._db.execute(query).fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")  # plain BEGIN fails when two processes write
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StudyError(
                f"the database {self.path} cannot be used: {error}; name another file with --db."
            ) from None
