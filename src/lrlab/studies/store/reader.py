"""Reading a database of studies: how far each is, and which runs are stored.

Another process may be writing the file, or the file may be read-only: reading never changes it and
leaves no file beside it.
"""

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from lrlab.errors import StudyError, format_suggestion
from lrlab.studies.store.errors import (
    BUSY_TIMEOUT,
    read_schema_version,
    report_damage,
    translate_sqlite_errors,
)
from lrlab.studies.store.schema import FINAL_PHASE, UNSHARED_RUNS_CONDITION

QueryResult = TypeVar("QueryResult")
Query = Callable[[sqlite3.Connection], QueryResult]


def query_file(path: Path, query: Query[QueryResult]) -> QueryResult:
    """Return the result of ``query``, called with a connection; it may be called twice.

    A writing process has a log beside the file. Without a log, SQLite opens the file as immutable,
    so that it creates no log itself, which also works in a read-only folder; if a process began to
    write meanwhile, the query runs again.

    Args:
        path: of the database.
        query: runs SQL; all its statements see the file at one moment.

    Raises:
        StudyError: the file does not exist or cannot be read.
    """
    absolute_path = path.absolute()
    try:
        if not absolute_path.is_file():
            problem = "is not a file" if absolute_path.exists() else "does not exist"
            raise StudyError(f"the database {path} {problem}; name one with --db.")
        with translate_sqlite_errors(str(path)):
            state_before = _get_file_state(absolute_path)
            if not state_before[0]:
                try:
                    result = _query_uri(f"{absolute_path.as_uri()}?immutable=1", query)
                except sqlite3.Error:
                    if _get_file_state(absolute_path) == state_before:
                        raise
                else:
                    if _get_file_state(absolute_path) == state_before:
                        return result
            return _query_uri(f"{absolute_path.as_uri()}?mode=ro", query)
    except OSError as error:
        raise StudyError(
            f"the database {path} cannot be read: {error.strerror}; name another with --db."
        ) from None


def _query_uri(uri: str, query: Query[QueryResult]) -> QueryResult:
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None)) as db:
        db.execute("BEGIN")
        return query(db)


def _get_file_state(path: Path) -> tuple[int, int, int, int]:
    """Return the size of the log beside the file, and what changes when the file changes."""
    log = path.with_name(f"{path.name}-wal")
    stat = path.stat()
    log_bytes = log.stat().st_size if log.exists() else 0
    return log_bytes, stat.st_ino, stat.st_size, stat.st_mtime_ns


class ReadableStore(ABC):
    """A database of studies and runs that can be read."""

    @abstractmethod
    def run_query(self, query: Query[QueryResult]) -> QueryResult:
        """Return the result of ``query``, called with a connection to read from."""

    def has_study(self, study_id: str) -> bool:
        """Return whether a study has begun."""
        sql = "SELECT count(*) FROM study WHERE id = ?"
        return bool(self.run_query(lambda db: db.execute(sql, (study_id,)).fetchone()[0]))

    def find_stored_runs(self, run_ids: Iterable[str]) -> set[str]:
        """Return the ids of the stored ones among some runs."""
        # One parameter for all ids: SQLite limits the number of parameters of a query.
        sql = "SELECT id FROM run WHERE id IN (SELECT value FROM json_each(?))"
        json_ids = json.dumps(list(run_ids))
        return {
            run_id
            for (run_id,) in self.run_query(lambda db: db.execute(sql, (json_ids,)).fetchall())
        }


_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_RECENT = timedelta(minutes=10)


@dataclass(frozen=True)
class PhaseProgress:
    """The progress of a phase of a study.

    Args:
        name: such as ``"tuning"``.
        planned_count: number of its runs.
        ended_count: number of stored runs.
        diverged_count: number of diverged runs.
    """

    name: str
    planned_count: int
    ended_count: int
    diverged_count: int


@dataclass(frozen=True)
class StudySummary:
    """A study and its progress.

    Args:
        id: eight hex digits.
        problem: name of the problem.
        engine: what trains its runs.
        began_at: when it was first planned.
        last_ended_at: when its last run ended; None if none has.
        phases: the phases planned so far, in order.
        seconds: training time of its runs, added up.
        plan: the plan as JSON.
        source: how the command line loads the problem, as JSON; None for a study from Python.
    """

    id: str
    problem: str
    engine: str
    began_at: datetime
    last_ended_at: datetime | None
    phases: tuple[PhaseProgress, ...]
    seconds: float
    plan: str
    source: str | None

    @property
    def planned_count(self) -> int:
        """Number of runs in the phases planned so far."""
        return sum(phase.planned_count for phase in self.phases)

    @property
    def ended_count(self) -> int:
        """Number of stored runs."""
        return sum(phase.ended_count for phase in self.phases)

    @property
    def is_finished(self) -> bool:
        """Whether the final phase is planned and every run is stored."""
        return self.ended_count == self.planned_count and any(
            phase.name == FINAL_PHASE for phase in self.phases
        )


_STUDIES_SQL = "SELECT id, problem, engine, plan, source, began_at FROM study ORDER BY rowid"

_PHASES_SQL = """
SELECT study, name,
    (SELECT count(*) FROM planned_run
        WHERE planned_run.study = phase.study AND planned_run.phase = phase.name)
FROM phase ORDER BY rowid
"""

# Scan the runs in the order of the index and look up the phases of each: with 100 000 runs three
# times as fast as the other way round, which jumps about in the larger index.
_ENDED_RUNS_SQL = """
FROM run INDEXED BY progress CROSS JOIN planned_run ON planned_run.run = run.id
"""

_PROGRESS_SQL = f"""
SELECT study, phase, count(*), total(diverged), total(seconds), max(ended_at) {_ENDED_RUNS_SQL}
GROUP BY study, phase
"""

_RUNS_PER_SECOND_SQL = f"""
WITH moment AS (
    SELECT CAST(strftime('%s', ended_at) AS INTEGER) AS at, count(*) AS runs {_ENDED_RUNS_SQL}
    WHERE study = :id AND ended_at >= :since GROUP BY ended_at
)
SELECT total(runs) - (SELECT runs FROM moment ORDER BY at LIMIT 1), max(at) - min(at) FROM moment
"""


def query_studies(db: sqlite3.Connection) -> list[StudySummary]:
    """Return the studies in the order in which they began."""
    progress = {(study, phase): ended for study, phase, *ended in db.execute(_PROGRESS_SQL)}
    phases: dict[str, list[tuple[PhaseProgress, float, str | None]]] = {}
    for study, name, planned in db.execute(_PHASES_SQL):
        ended, diverged, seconds, last = progress.get((study, name), (0, 0, 0.0, None))
        phase = PhaseProgress(name, planned, ended, int(diverged))
        phases.setdefault(study, []).append((phase, seconds, last))
    summaries = []
    for study_id, problem, engine, plan, source, began in db.execute(_STUDIES_SQL):
        study_phases = phases.get(study_id, [])
        last = max((last for _, _, last in study_phases if last), default=None)
        summaries.append(
            StudySummary(
                study_id,
                problem,
                engine,
                began_at=_parse_time(began),
                last_ended_at=None if last is None else _parse_time(last),
                phases=tuple(phase for phase, _, _ in study_phases),
                seconds=sum(seconds for _, seconds, _ in study_phases),
                plan=plan,
                source=source,
            )
        )
    return summaries


def query_runs_per_second(db: sqlite3.Connection, study: StudySummary) -> float | None:
    """Return the recent speed, see ``StoreReader.measure_runs_per_second``."""
    if study.last_ended_at is None:
        return None
    since = (study.last_ended_at - _RECENT).strftime(_TIME_FORMAT)
    ended, seconds = db.execute(_RUNS_PER_SECOND_SQL, {"id": study.id, "since": since}).fetchone()
    return ended / seconds if seconds else None


def _parse_time(text: str) -> datetime:
    with report_damage(f"the time {text!r}"):
        return datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=UTC)


class StoreReader(ReadableStore):
    """The studies in a database file.

    Args:
        path: the file.

    Raises:
        StudyError: the file does not exist, is damaged, or belongs to another program or another
            version of lrlab. Every method raises it, too. The file is never changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not self.run_query(lambda db: read_schema_version(db, str(path))):
            raise StudyError(f"{path} is empty; `lrlab compare` fills it.")

    def list_studies(self) -> list[StudySummary]:
        """Return the studies in the order in which they began."""
        return self.run_query(query_studies)

    def find_study(self, text: str | None = None) -> StudySummary:
        """Return the study that ``text`` identifies.

        Args:
            text: its id or the beginning of it, or the name of a problem that only one study has;
                None if the file has only one study.

        Raises:
            StudyError: no study matches, or several do.
        """
        return _match_study(self.list_studies(), text, self.path)

    def count_unshared_runs(self, study: StudySummary) -> int:
        """Return the number of stored runs that only this study has."""
        sql = f"SELECT count(*) FROM run WHERE {UNSHARED_RUNS_CONDITION}"
        return self.run_query(lambda db: int(db.execute(sql, {"id": study.id}).fetchone()[0]))

    def measure_runs_per_second(self, study: StudySummary) -> float | None:
        """Return the recent number of runs per second; None if too few runs have ended.

        It counts the runs of the ten minutes before the last one, except those that ended at the
        first moment of these, which were trained before it.
        """
        return self.run_query(lambda db: query_runs_per_second(db, study))

    def run_query(self, query: Query[QueryResult]) -> QueryResult:
        """Return the result of ``query``, see ``query_file``."""
        return query_file(self.path, query)


def _match_study(studies: list[StudySummary], text: str | None, path: Path) -> StudySummary:
    if not studies:
        raise StudyError(f"{path} has no study; `lrlab compare` begins one.")
    if text is None:
        matches = studies
    else:
        by_id = [study for study in studies if text and study.id.startswith(text.lower())]
        matches = by_id or [study for study in studies if study.problem == text]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        names = {name for study in studies for name in (study.id, study.problem)}
        hint = format_suggestion(str(text), sorted(names)) or "; `lrlab studies` lists them."
        raise StudyError(f"{path} has no study {text or 'with an empty name'}{hint}")
    matching = "" if text is None else f" matching {text}"
    listed = ", ".join(f"{study.id} ({study.problem})" for study in matches[:5])
    more = ", ..." if len(matches) > 5 else ""
    raise StudyError(
        f"{path} has {len(matches)} studies{matching}; name one by its id: {listed}{more}."
    )
