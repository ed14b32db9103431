"""Studies as a database holds them, and how far they are."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lrlab.studies.faults import stored

FINAL = "final"
"""The phase that is the last of every study."""

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_OF_LATE = timedelta(minutes=10)


@dataclass(frozen=True)
class Progress:
    """How far a phase of a study is.

    Args:
        name: such as ``"tuning"``.
        planned: how many runs it has.
        ended: how many of them are stored.
        diverged: how many of those have diverged.
    """

    name: str
    planned: int
    ended: int
    diverged: int


@dataclass(frozen=True)
class Entry:
    """A study and how far it is.

    Args:
        id: eight hex digits.
        problem: the name of what is trained.
        engine: what trains it.
        began: when it was first planned.
        last: when the last of its runs ended; None where none has.
        phases: those that are planned, in that order.
        seconds: what its runs have taken to train, one after the other.
        plan: JSON of what was asked for.
        source: JSON of how the command line loads the problem; None for a study from Python.
    """

    id: str
    problem: str
    engine: str
    began: datetime
    last: datetime | None
    phases: tuple[Progress, ...]
    seconds: float
    plan: str
    source: str | None

    @property
    def planned(self) -> int:
        """How many runs the phases have that are planned so far."""
        return sum(phase.planned for phase in self.phases)

    @property
    def ended(self) -> int:
        """How many of them are stored."""
        return sum(phase.ended for phase in self.phases)

    @property
    def finished(self) -> bool:
        """Whether its last phase is planned and every run is stored."""
        return self.ended == self.planned and any(phase.name == FINAL for phase in self.phases)


_STUDIES = "SELECT id, problem, engine, plan, source, began FROM study ORDER BY rowid"

_PHASES = """
SELECT study, name,
    (SELECT count(*) FROM member WHERE member.study = phase.study AND member.phase = phase.name)
FROM phase ORDER BY rowid
"""

# All runs are looked at in the order of the index, and members of each looked up: three times as
# fast with a hundred thousand runs as the other way round, which jumps about in the larger index.
_ENDED = """
FROM run INDEXED BY progress CROSS JOIN member ON member.run = run.id
"""

_PROGRESS = f"""
SELECT study, phase, count(*), total(diverged), total(seconds), max(ended) {_ENDED}
GROUP BY study, phase
"""

_PACE = f"""
WITH moment AS (
    SELECT CAST(strftime('%s', ended) AS INTEGER) AS at, count(*) AS runs {_ENDED}
    WHERE study = :id AND ended >= :since GROUP BY ended
)
SELECT total(runs) - (SELECT runs FROM moment ORDER BY at LIMIT 1), max(at) - min(at) FROM moment
"""


def entries(db: sqlite3.Connection) -> list[Entry]:
    """The studies in the order in which they began."""
    progress = {(study, phase): ended for study, phase, *ended in db.execute(_PROGRESS)}
    phases: dict[str, list[tuple[Progress, float, str | None]]] = {}
    for study, name, planned in db.execute(_PHASES):
        ended, diverged, seconds, last = progress.get((study, name), (0, 0, 0.0, None))
        phase = Progress(name, planned, ended, int(diverged))
        phases.setdefault(study, []).append((phase, seconds, last))
    found = []
    for id, problem, engine, plan, source, began in db.execute(_STUDIES):
        own = phases.get(id, [])
        last = max((last for _, _, last in own if last), default=None)
        found.append(
            Entry(
                id,
                problem,
                engine,
                began=_moment(began),
                last=None if last is None else _moment(last),
                phases=tuple(phase for phase, _, _ in own),
                seconds=sum(seconds for _, seconds, _ in own),
                plan=plan,
                source=source,
            )
        )
    return found


def pace(db: sqlite3.Connection, entry: Entry) -> float | None:
    """Runs that have ended in a second of late, about, see ``Catalog.pace``."""
    if entry.last is None:
        return None
    since = (entry.last - _OF_LATE).strftime(_TIME)
    ended, seconds = db.execute(_PACE, {"id": entry.id, "since": since}).fetchone()
    return ended / seconds if seconds else None


def _moment(text: str) -> datetime:
    with stored(f"the time {text!r}"):
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
