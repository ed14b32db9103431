"""The store: studies, what their phases plan, and one row per run, committed when it has ended.

One process writes; others may read meanwhile, see ``catalog``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lrlab.errors import StudyError
from lrlab.problems import AnyProblem
from lrlab.schedules import to_text
from lrlab.studies.database import Database
from lrlab.studies.faults import PATIENCE, clear_errors, stored
from lrlab.studies.kept import Kept
from lrlab.studies.reading import Answer, Question
from lrlab.studies.rows import pack, unpack
from lrlab.studies.schema import OF_NO_OTHER
from lrlab.training import Curve, Result, Run
from lrlab.training.engines import Engine

Member = tuple[str, int | None]
"""A run that a phase plans: its id, and the number of the block it is trained in; None for one that
was stored already when the phase was planned."""


class Store(Kept):
    """Studies and runs in a database file, which is made when it is not there.

    Args:
        path: the file; None for one in memory, which is gone when it is closed.
        patience: seconds to wait for another process that writes.

    Raises:
        StudyError: it cannot be opened or written, or is no database of lrlab's, or one of a
            newer lrlab. The file is left as it was. Every method raises it where the file cannot be
            read or written any more; what was stored stays.

    >>> with Store(None) as store:
    ...     store.has("0123abcd")
    False
    """

    def __init__(self, path: Path | None, patience: float = PATIENCE) -> None:
        self.path = path
        self._db = Database(path, patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def begin(
        self, id: str, problem: AnyProblem, engine: Engine, plan: str, source: str | None = None
    ) -> None:
        """Notes a study, once: one that is there stays as it is, but learns a newer ``source``.

        Args:
            id: of the study.
            problem: what is trained.
            engine: what trains all its runs.
            plan: JSON of what was asked for.
            source: JSON of how the command line loads the problem; None where it cannot.
        """
        row = (id, problem.name, problem.fingerprint, str(engine), plan, source)
        with self._db.transaction() as writing:
            writing.execute(
                "INSERT INTO study (id, problem, fingerprint, engine, plan, source) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET source = excluded.source "
                "WHERE excluded.source IS NOT NULL",
                row,
            )

    def plan_phase(self, id: str, phase: str, members: Sequence[Member]) -> None:
        """Notes which runs a phase of a study has, all or none, once: a plan that is there stays.

        Args:
            id: of the study, which has begun.
            phase: its name.
            members: the runs in order, each with the number of its block.
        """
        rows = [(id, phase, place, run, block) for place, (run, block) in enumerate(members)]
        with self._db.transaction() as writing:
            planned = writing.execute(
                "INSERT INTO phase (study, name) VALUES (?, ?) ON CONFLICT DO NOTHING", (id, phase)
            )
            if planned.rowcount:
                writing.executemany("INSERT INTO member VALUES (?, ?, ?, ?, ?)", rows)

    def phase(self, id: str, phase: str) -> list[Member] | None:
        """The runs of a phase in order with their blocks; None if it was not planned yet."""
        if not self._rows("SELECT 1 FROM phase WHERE study = ? AND name = ?", id, phase):
            return None
        query = "SELECT run, block FROM member WHERE study = ? AND phase = ? ORDER BY place"
        return self._rows(query, id, phase)

    def finished(self, ids: Iterable[str]) -> dict[str, Result]:
        """The results of those runs that are stored, by id."""
        # One question for all ids, however many: SQLite limits the places for values in a query.
        query = (
            "SELECT id, score, diverged, epochs, seconds, left_at FROM run "
            "WHERE id IN (SELECT value FROM json_each(?))"
        )
        rows = self._rows(query, json.dumps(list(ids)))
        with clear_errors(self._db.name):
            return {
                id: Result(score, bool(diverged), _curve(id, epochs), seconds, left_at)
                for id, score, diverged, epochs, seconds, left_at in rows
            }

    def add(
        self,
        problem: AnyProblem,
        engine: Engine,
        runs: Mapping[str, Run],
        results: Mapping[str, Result],
    ) -> None:
        """Stores runs that have ended, all or none; those that are there already stay.

        Args:
            problem: what was trained.
            engine: what trained it.
            runs: by id, those that have ended among them.
            results: of the runs that have ended, by id.
        """
        rows = [_row(problem, engine, id, runs[id], result) for id, result in results.items()]
        if not rows:
            return
        names, places = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
        with self._db.transaction() as writing:
            writing.executemany(
                f"INSERT INTO run ({names}) VALUES ({places}) ON CONFLICT DO NOTHING", rows
            )

    def delete(self, id: str) -> int:
        """Deletes a study, and its runs but those that another study has.

        Args:
            id: of the study.

        Returns:
            How many runs were deleted.

        Raises:
            StudyError: there is no such study.
        """
        with self._db.transaction() as writing:
            deleted = writing.execute(f"DELETE FROM run WHERE {OF_NO_OTHER}", {"id": id})
            if not writing.execute("DELETE FROM study WHERE id = ?", (id,)).rowcount:
                raise StudyError(f"{self._db.name} has no study {id}; `lrlab studies` lists them.")
        return deleted.rowcount

    def ask(self, question: Question[Answer]) -> Answer:
        """What ``question`` answers when it is given a connection to read from."""
        return self._db.ask(question)

    def _rows(self, query: str, *values: object) -> list[Any]:
        return self.ask(lambda db: db.execute(query, values).fetchall())


def _curve(id: str, packed: bytes) -> Curve:
    with stored(f"the curve of run {id}"):
        return Curve(*unpack(packed))


def _row(problem: AnyProblem, engine: Engine, id: str, run: Run, result: Result) -> dict[str, Any]:
    assert run.schedule is not None
    others = {name: to_text(schedule) for name, schedule in run.others.items()}
    return {
        "id": id,
        "problem": problem.name,
        "fingerprint": problem.fingerprint,
        "schedule": to_text(run.schedule),
        "settings": json.dumps(run.settings.described() | ({"others": others} if others else {})),
        "seed": run.seed,
        "engine": str(engine),
        "score": result.score,
        "diverged": int(result.diverged),
        "epochs": pack(result.epochs.values, result.epochs.names),
        "seconds": result.seconds,
        "left_at": result.left_at,
    }
