"""Studies as a database holds them, and how far they are."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lrlab.studies.faults import report_damage

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
        return self.ended_count == self.planned_count and any(phase.name == FINAL_PHASE for phase in self.phases)


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
