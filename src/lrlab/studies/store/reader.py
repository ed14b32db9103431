"""Reading a database of studies: how far each is, and which runs are stored.

Another process may be writing the file, or the file may be read-only: reading never changes it and
leaves no file beside it.
"""

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lrlab.errors import StudyError, format_suggestion
from lrlab.studies.store.rows import RunRow, parse_time, query_run_rows
from lrlab.studies.store.schema import (
    FINAL_PHASE,
    TIME_FORMAT,
    UNSHARED_RUNS_CONDITION,
    read_schema_version,
)
from lrlab.studies.store.sqlite_errors import BUSY_TIMEOUT, report_damage, translate_sqlite_errors

if TYPE_CHECKING:
    from lrlab.training import Result

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
            raise StudyError(f"the database {path} {problem}; name another with `db`.")
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
            f"the database {path} cannot be read: {error.strerror}; name another with `db`."
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


class NextStep(StrEnum):
    """What to do next with a stored study."""

    SHOW_RESULTS = auto()
    """It is finished."""
    RESUME = auto()
    """It can be continued from its database, if it has stopped."""
    RUN_SCRIPT = auto()
    """It was started from Python: only its script can continue it, if it has stopped."""


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
        problem_facts: the facts of the problem as JSON.
        source: how the command line loads the problem, as JSON; None for a study from Python.
    """

    id: str
    problem: str
    engine: str
    began_at: datetime
    last_ended_at: datetime | None
    phases: tuple[PhaseProgress, ...]
    seconds: float
    plan: str = field(repr=False)
    problem_facts: str = field(repr=False)
    source: str | None = field(repr=False)

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

    @property
    def percent_finished(self) -> int:
        """The percentage of the runs planned so far that are stored, at most 99 before the end."""
        if self.is_finished:
            return 100
        return min(99, 100 * self.ended_count // self.planned_count) if self.planned_count else 0

    @property
    def next_step(self) -> NextStep:
        """What to do next."""
        if self.is_finished:
            return NextStep.SHOW_RESULTS
        return NextStep.RUN_SCRIPT if self.source is None else NextStep.RESUME

    def estimate_seconds_left(self, runs_per_second: float | None) -> float | None:
        """Return the time until all runs planned so far are stored; None if it is not known.

        Args:
            runs_per_second: how many runs finish per second, if known.
        """
        if not runs_per_second or self.ended_count == self.planned_count:
            return None
        return (self.planned_count - self.ended_count) / runs_per_second

    def to_dict(self) -> dict[str, Any]:
        """Return the progress as JSON types, for scripts.

        Keys are ``id``, ``problem``, ``engine``, ``state`` (``"finished"`` or ``"unfinished"``),
        ``planned_count``, ``ended_count`` and ``diverged_count`` (numbers of runs), ``began_at``
        and ``last_ended_at`` (UTC, in ISO 8601; the latter None if no run has ended), ``seconds``,
        and ``phases``: a list with ``name`` and the three numbers of runs of each phase.
        """
        return {
            "id": self.id,
            "problem": self.problem,
            "engine": self.engine,
            "state": "finished" if self.is_finished else "unfinished",
            "planned_count": self.planned_count,
            "ended_count": self.ended_count,
            "diverged_count": sum(phase.diverged_count for phase in self.phases),
            "began_at": _format_time(self.began_at),
            "last_ended_at": self.last_ended_at and _format_time(self.last_ended_at),
            "seconds": self.seconds,
            "phases": [asdict(phase) for phase in self.phases],
        }


def _format_time(time: datetime) -> str:
    return time.strftime(TIME_FORMAT)


_STUDIES_SQL = """
SELECT id, problem, engine, plan, problem_facts, source, began_at FROM study ORDER BY rowid
"""

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
    phases: dict[str, list[tuple[PhaseProgress, float, datetime | None]]] = {}
    for study, name, planned in db.execute(_PHASES_SQL):
        ended, diverged, seconds, last = progress.get((study, name), (0, 0, 0.0, None))
        phase = PhaseProgress(name, planned, ended, int(diverged))
        last_ended_at = None if last is None else parse_time(last)
        phases.setdefault(study, []).append((phase, seconds, last_ended_at))
    summaries = []
    for study_id, problem, engine, plan, facts, source, began in db.execute(_STUDIES_SQL):
        study_phases = phases.get(study_id, [])
        summaries.append(
            StudySummary(
                study_id,
                problem,
                engine,
                began_at=parse_time(began),
                last_ended_at=max((last for _, _, last in study_phases if last), default=None),
                phases=tuple(phase for phase, _, _ in study_phases),
                seconds=sum(seconds for _, seconds, _ in study_phases),
                plan=plan,
                problem_facts=facts,
                source=source,
            )
        )
    return summaries


def query_runs_per_second(db: sqlite3.Connection, study: StudySummary) -> float | None:
    """Return the recent speed, see ``ReadableStore.measure_runs_per_second``."""
    if study.last_ended_at is None:
        return None
    since = _format_time(study.last_ended_at - _RECENT)
    ended, seconds = db.execute(_RUNS_PER_SECOND_SQL, {"id": study.id, "since": since}).fetchone()
    return ended / seconds if seconds else None


def query_versions(db: sqlite3.Connection, study_id: str) -> dict[str, str]:
    """Return the versions that began a study; empty if there is no such study."""
    row = db.execute("SELECT versions FROM study WHERE id = ?", (study_id,)).fetchone()
    with report_damage(f"the versions of study {study_id}"):
        return {} if row is None else dict(json.loads(row[0]))


PlannedRun = tuple[str, int | None]
"""A run of a phase: its id and the number of its block, None if it was stored before the phase was
planned.
"""


class ReadableStore(ABC):
    """A database of studies and runs that can be read.

    Args:
        name: of the database, for errors.
    """

    name: str

    @abstractmethod
    def run_query(self, query: Query[QueryResult]) -> QueryResult:
        """Return the result of ``query``, called with a connection to read from."""

    def list_studies(self) -> list[StudySummary]:
        """Return the studies in the order in which they began."""
        return self.run_query(query_studies)

    def find_study(self, text: str | None = None) -> StudySummary:
        """Return the study that ``text`` identifies.

        Args:
            text: its id or the beginning of it, or the name of a problem that only one study has;
                None if the database has only one study.

        Raises:
            StudyError: no study matches, or several do.
        """
        return _match_study(self.list_studies(), text, self.name)

    def has_study(self, study_id: str) -> bool:
        """Return whether a study has begun."""
        return bool(self._fetch_rows("SELECT 1 FROM study WHERE id = ?", study_id))

    def load_versions(self, study_id: str) -> dict[str, str]:
        """Return the versions of lrlab and of the libraries that began a study, by name."""
        return self.run_query(lambda db: query_versions(db, study_id))

    def load_phase(self, study_id: str, phase: str) -> list[PlannedRun] | None:
        """Return the runs of a phase in order with their blocks; None if it is not planned yet."""
        if not self._fetch_rows(
            "SELECT 1 FROM phase WHERE study = ? AND name = ?", study_id, phase
        ):
            return None
        sql = "SELECT run, block FROM planned_run WHERE study = ? AND phase = ? ORDER BY position"
        return self._fetch_rows(sql, study_id, phase)

    def find_stored_runs(self, run_ids: Iterable[str]) -> set[str]:
        """Return the ids of the stored ones among some runs."""
        # One parameter for all ids: SQLite limits the number of parameters of a query.
        sql = "SELECT id FROM run WHERE id IN (SELECT value FROM json_each(?))"
        return {run_id for (run_id,) in self._fetch_rows(sql, json.dumps(list(run_ids)))}

    def load_results(self, run_ids: Iterable[str]) -> "dict[str, Result]":
        """Return the results of the stored ones among some runs, by id."""
        # Imported here: the progress of a study can be read without waiting for torch.
        from lrlab.studies.store.run_results import query_results

        return self.run_query(lambda db: query_results(db, run_ids))

    def load_run_rows(self, study_id: str, with_curves: bool) -> list[RunRow]:
        """Return the finished runs of a study in the order of its plan; see ``query_run_rows``."""
        return self.run_query(lambda db: query_run_rows(db, study_id, with_curves))

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

    def _fetch_rows(self, sql: str, *values: object) -> list[Any]:
        return self.run_query(lambda db: db.execute(sql, values).fetchall())


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
        self.name = str(path)
        if not self.run_query(lambda db: read_schema_version(db, self.name)):
            raise StudyError(f"{path} is empty; `lrlab.compare(...)` fills it.")

    def run_query(self, query: Query[QueryResult]) -> QueryResult:
        """Return the result of ``query``, see ``query_file``."""
        return query_file(self.path, query)


def _match_study(studies: list[StudySummary], text: str | None, db_name: str) -> StudySummary:
    if not studies:
        raise StudyError(f"{db_name} has no study; `lrlab.compare(...)` begins one.")
    if text is None:
        matches = studies
    else:
        by_id = [study for study in studies if text and study.id.startswith(text.lower())]
        matches = by_id or [study for study in studies if study.problem == text]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        names = {name for study in studies for name in (study.id, study.problem)}
        hint = format_suggestion(str(text), sorted(names)) or (
            "; `lrlab.list_studies()` lists them."
        )
        raise StudyError(f"{db_name} has no study {text or 'with an empty name'}{hint}")
    matching = "" if text is None else f" matching {text}"
    listed = ", ".join(f"{study.id} ({study.problem})" for study in matches[:5])
    more = ", ..." if len(matches) > 5 else ""
    raise StudyError(
        f"{db_name} has {len(matches)} studies{matching}; name one by its id: {listed}{more}."
    )
