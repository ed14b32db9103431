"""Questions to a database file that may be being written, or may not be written at all.

Nothing is ever changed, and no file is left beside it.
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
    fetch_int,
    read_schema_version,
    report_damage,
    translate_sqlite_errors,
)
from lrlab.studies.store.schema import SCHEMA_VERSION, UNSHARED_RUNS_CONDITION

QueryResult = TypeVar("QueryResult")
Query = Callable[[sqlite3.Connection], QueryResult]


def query_file(path: Path, query: Query[QueryResult]) -> QueryResult:
    """What ``query`` answers when it is given a connection; it may be asked twice.

    Whoever writes has a log beside the file. Where there is none, SQLite is told that nobody
    writes, so that it makes none itself, nor needs to in a folder that may not be written; and if
    somebody has begun to meanwhile, it is asked again.

    Args:
        path: of the database.
        query: asks its queries, all of which see the file as it is at one moment.

    Raises:
        StudyError: there is no such file, or it cannot be read.
    """
    absolute_path = path.absolute()
    try:
        if not absolute_path.is_file():
            what = "is no file" if absolute_path.exists() else "is not there"
            raise StudyError(f"the database {path} {what}; name one with --db.")
        with translate_sqlite_errors(str(path)):
            state_before = _get_file_state(absolute_path)
            if not state_before[0]:
                try:
                    found = _query_uri(f"{absolute_path.as_uri()}?immutable=1", query)
                except sqlite3.Error:
                    if _get_file_state(absolute_path) == state_before:
                        raise
                else:
                    if _get_file_state(absolute_path) == state_before:
                        return found
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
    """Bytes of the log beside the file, and by what a change of the file shows."""
    log = path.with_name(f"{path.name}-wal")
    found = path.stat()
    log_bytes = log.stat().st_size if log.exists() else 0
    return log_bytes, found.st_ino, found.st_size, found.st_mtime_ns


class ReadableStore(ABC):
    """Studies and runs in a database."""

    @abstractmethod
    def run_query(self, query: Query[QueryResult]) -> QueryResult:
        """What ``query`` answers when it is given a connection to read from."""

    def has_study(self, study_id: str) -> bool:
        """Whether a study has begun."""
        sql = "SELECT count(*) FROM study WHERE id = ?"
        return bool(self.run_query(lambda db: db.execute(sql, (study_id,)).fetchone()[0]))

    def find_stored_runs(self, run_ids: Iterable[str]) -> set[str]:
        """Which of those runs are stored."""
        # One question for all ids, however many: SQLite limits the places for values in a query.
        sql = "SELECT id FROM run WHERE id IN (SELECT value FROM json_each(?))"
        json_ids = json.dumps(list(run_ids))
        return {
            run_id
            for (run_id,) in self.run_query(lambda db: db.execute(sql, (json_ids,)).fetchall())
        }


FINAL_PHASE = "final"
"""The phase that is the last of every study."""

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_RECENT = timedelta(minutes=10)


@dataclass(frozen=True)
class PhaseProgress:
    """How far a phase of a study is.

    Args:
        name: such as ``"tuning"``.
        planned_count: how many runs it has.
        ended_count: how many of them are stored.
        diverged_count: how many of those have diverged.
    """

    name: str
    planned_count: int
    ended_count: int
    diverged_count: int


@dataclass(frozen=True)
class StudySummary:
    """A study and how far it is.

    Args:
        id: eight hex digits.
        problem: the name of what is trained.
        engine: what trains it.
        began_at: when it was first planned.
        last_ended_at: when the last of its runs ended; None where none has.
        phases: those that are planned, in that order.
        seconds: what its runs have taken to train, one after the other.
        plan: JSON of what was asked for.
        source: JSON of how the command line loads the problem; None for a study from Python.
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
        """How many runs the phases have that are planned so far."""
        return sum(phase.planned_count for phase in self.phases)

    @property
    def ended_count(self) -> int:
        """How many of them are stored."""
        return sum(phase.ended_count for phase in self.phases)

    @property
    def is_finished(self) -> bool:
        """Whether its last phase is planned and every run is stored."""
        return self.ended_count == self.planned_count and any(
            phase.name == FINAL_PHASE for phase in self.phases
        )


_STUDIES_SQL = "SELECT id, problem, engine, plan, source, began FROM study ORDER BY rowid"

_PHASES_SQL = """
SELECT study, name,
    (SELECT count(*) FROM member WHERE member.study = phase.study AND member.phase = phase.name)
FROM phase ORDER BY rowid
"""

# All runs are looked at in the order of the index, and members of each looked up: three times as
# fast with a hundred thousand runs as the other way round, which jumps about in the larger index.
_ENDED_RUNS_SQL = """
FROM run INDEXED BY progress CROSS JOIN member ON member.run = run.id
"""

_PROGRESS_SQL = f"""
SELECT study, phase, count(*), total(diverged), total(seconds), max(ended) {_ENDED_RUNS_SQL}
GROUP BY study, phase
"""

_RUNS_PER_SECOND_SQL = f"""
WITH moment AS (
    SELECT CAST(strftime('%s', ended) AS INTEGER) AS at, count(*) AS runs {_ENDED_RUNS_SQL}
    WHERE study = :id AND ended >= :since GROUP BY ended
)
SELECT total(runs) - (SELECT runs FROM moment ORDER BY at LIMIT 1), max(at) - min(at) FROM moment
"""


def query_studies(db: sqlite3.Connection) -> list[StudySummary]:
    """The studies in the order in which they began."""
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
    """Runs that have ended in a second of late, about, see ``StoreReader.query_runs_per_second``."""
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
        StudyError: there is no such file, or it is no database of lrlab's, or one of a newer lrlab,
            or damaged; every method may find that too. The file is never changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version = self.run_query(lambda db: read_schema_version(db, str(path)))
        if not self._version:
            raise StudyError(f"{path} is empty; `lrlab compare` fills it.")

    def list_studies(self) -> list[StudySummary]:
        """The studies in the order in which they began; none in a file of an older lrlab."""
        return self.run_query(query_studies) if self._version == SCHEMA_VERSION else []

    def find_study(self, text: str | None = None) -> StudySummary:
        """The one study that is meant.

        Args:
            text: its id or the beginning of one, or the name of a problem that only one study has;
                None for the only study there is.

        Raises:
            StudyError: there is no such study, or there are several.
        """
        return _match_study(self.list_studies(), text, self.path)

    def has_study(self, study_id: str) -> bool:
        """Whether a study has begun; none has in a file of an older lrlab."""
        return self._version == SCHEMA_VERSION and super().has_study(study_id)

    def count_runs_without_study(self) -> int:
        """How many runs are stored that no study has planned, as those of an older lrlab."""
        condition = (
            " WHERE id NOT IN (SELECT run FROM member)" if self._version == SCHEMA_VERSION else ""
        )
        return self.run_query(lambda db: fetch_int(db, f"SELECT count(*) FROM run{condition}"))

    def count_unshared_runs(self, study: StudySummary) -> int:
        """How many runs are stored that this study has and no other."""
        sql = f"SELECT count(*) FROM run WHERE {UNSHARED_RUNS_CONDITION}"
        return self.run_query(lambda db: int(db.execute(sql, {"id": study.id}).fetchone()[0]))

    def measure_runs_per_second(self, study: StudySummary) -> float | None:
        """Runs that have ended in a second of late, about; None where too few have.

        Those of the last ten minutes before the last one are counted, without those of the first
        moment among them, which were trained before it.
        """
        return self.run_query(lambda db: query_runs_per_second(db, study))

    def run_query(self, query: Query[QueryResult]) -> QueryResult:
        """What ``query`` answers, see ``reading``."""
        return query_file(self.path, query)


def _match_study(studies: list[StudySummary], text: str | None, path: Path) -> StudySummary:
    """The study of that id, or beginning of one, or problem, or the only one."""
    if not studies:
        raise StudyError(f"there is no study in {path}; `lrlab compare` begins one.")
    if text is None:
        found = studies
    else:
        by_id = [entry for entry in studies if text and entry.id.startswith(text.lower())]
        found = by_id or [entry for entry in studies if entry.problem == text]
    if len(found) == 1:
        return found[0]
    if not found:
        names = {name for entry in studies for name in (entry.id, entry.problem)}
        hint = format_suggestion(str(text), sorted(names)) or "; `lrlab studies` lists them."
        raise StudyError(f"no study in {path} is {text or 'called nothing'}{hint}")
    what = "" if text is None else f" that are {text}"
    listed = ", ".join(f"{entry.id} ({entry.problem})" for entry in found[:5])
    more = ", ..." if len(found) > 5 else ""
    raise StudyError(f"{path} has {len(found)} studies{what}, name one by its id: {listed}{more}.")
