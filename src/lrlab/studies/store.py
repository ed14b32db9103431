"""The store of a study: one row per run in SQLite, committed when it has ended.

One process writes; others may read meanwhile.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lrlab.errors import StudyError
from lrlab.schedules import to_text
from lrlab.studies.plan import Plan
from lrlab.studies.rows import from_rows, to_rows
from lrlab.studies.schema import APPLICATION, CREATE, UPGRADES, VERSION
from lrlab.training import Result, Run

_PATIENCE = 30
"""Seconds to wait for another process that writes."""


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
            self._db = sqlite3.connect(path.absolute(), timeout=_PATIENCE, isolation_level=None)
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
        columns = "id, score, diverged, epochs, seconds, left_at"
        return {
            id: Result(score, bool(diverged), from_rows(epochs), seconds, left_at)
            for id, score, diverged, epochs, seconds, left_at in self._rows(columns, ids)
        }

    def known(self, ids: Iterable[str]) -> set[str]:
        """Which of those runs are stored."""
        return {id for (id,) in self._rows("id", ids)}

    def add(self, plan: Plan, ended: Mapping[str, Result]) -> None:
        """Stores runs of a plan that have ended, all or none; those that are there already stay.

        Args:
            plan: whose runs they are.
            ended: their results by id.
        """
        rows = [_row(plan, id, plan.runs[id], result) for id, result in ended.items()]
        if not rows:
            return
        names, places = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
        with self._clear_errors(), self._transaction():
            self._db.executemany(
                f"INSERT INTO run ({names}) VALUES ({places}) ON CONFLICT (id) DO NOTHING", rows
            )

    def _rows(self, columns: str, ids: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        # One question for all ids, however many: SQLite limits the places for values in a query.
        query = f"SELECT {columns} FROM run WHERE id IN (SELECT value FROM json_each(?))"
        with self._clear_errors():
            yield from self._db.execute(query, (json.dumps(list(ids)),))

    def _prepare(self) -> None:
        with self._clear_errors():
            tables = self._number("SELECT count(*) FROM sqlite_master")
            application = self._number("PRAGMA application_id")
            version = self._number("PRAGMA user_version")
            if tables and application != APPLICATION:
                raise StudyError(
                    f"{self.path} is a database of another program; name another file with --db."
                )
            if version > VERSION:
                raise StudyError(
                    f"{self.path} was written by a newer lrlab (version {version} of its tables, "
                    f"this one knows {VERSION}); upgrade lrlab or name another file with --db."
                )
            self._let_others_read()
            with self._transaction():
                # Asked again: another process may have made or upgraded the tables by now.
                if not self._number("SELECT count(*) FROM sqlite_master"):
                    self._db.execute(CREATE)
                    self._db.execute(f"PRAGMA application_id = {APPLICATION}")
                    self._db.execute(f"PRAGMA user_version = {VERSION}")
                for older in range(self._number("PRAGMA user_version"), VERSION):
                    self._db.execute(UPGRADES[older])
                    self._db.execute(f"PRAGMA user_version = {older + 1}")

    def _let_others_read(self) -> None:
        """Switches to SQLite's write-ahead log, with which others read while one writes."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                # Of two that switch at once SQLite refuses one without waiting.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            time.sleep(0.01)

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


def _row(plan: Plan, id: str, run: Run, result: Result) -> dict[str, Any]:
    assert run.schedule is not None
    return {
        "id": id,
        "problem": plan.problem.name,
        "fingerprint": plan.problem.fingerprint,
        "schedule": to_text(run.schedule),
        "settings": json.dumps(run.settings.described()),
        "seed": run.seed,
        "engine": str(plan.engine),
        "score": result.score,
        "diverged": int(result.diverged),
        "epochs": to_rows(result.epochs),
        "seconds": result.seconds,
        "left_at": result.left_at,
    }
