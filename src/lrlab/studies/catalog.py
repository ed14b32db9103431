"""The catalogue of a database: its studies and how far they are. It reads, and never writes.

It reads while another process writes, and from a file or a folder that may not be written.
"""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lrlab.errors import StudyError, did_you_mean
from lrlab.studies.faults import number, stored, version_of
from lrlab.studies.reading import Answer, Question, read
from lrlab.studies.schema import OF_NO_OTHER, VERSION

FINAL = "final"
"""The phase that is the last of every study."""


@dataclass(frozen=True)
class Phase:
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
    phases: tuple[Phase, ...]
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


class Catalog:
    """The studies in a database file.

    Args:
        path: the file.

    Raises:
        StudyError: there is no such file, or it is no database of lrlab's, or one of a newer lrlab,
            or damaged; every method may find that too. The file is never changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version = self.ask(lambda db: version_of(db, str(path)))
        if not self._version:
            raise StudyError(f"{path} is empty; `lrlab compare` fills it.")

    def studies(self) -> list[Entry]:
        """The studies in the order in which they began; none in a file of an older lrlab."""
        return self.ask(_entries) if self._version == VERSION else []

    def find(self, text: str | None = None) -> Entry:
        """The one study that is meant.

        Args:
            text: its id or the beginning of one, or the name of a problem that only one study has;
                None for the only study there is.

        Raises:
            StudyError: there is no such study, or there are several.
        """
        return _meant(self.studies(), text, self.path)

    def without_study(self) -> int:
        """How many runs are stored that no study has planned, as those of an older lrlab."""
        among = " WHERE id NOT IN (SELECT run FROM member)" if self._version == VERSION else ""
        return self.ask(lambda db: number(db, f"SELECT count(*) FROM run{among}"))

    def of_no_other(self, entry: Entry) -> int:
        """How many runs are stored that this study has and no other."""
        query = f"SELECT count(*) FROM run WHERE {OF_NO_OTHER}"
        return self.ask(lambda db: int(db.execute(query, {"id": entry.id}).fetchone()[0]))

    def pace(self, entry: Entry) -> float | None:
        """Runs that have ended in a second of late, about; None where too few have.

        Those of the last ten minutes before the last one are counted, without those of the first
        moment among them, which began before it.
        """
        ((ended, seconds),) = self.ask(lambda db: db.execute(_PACE, {"id": entry.id}).fetchall())
        return ended / seconds if seconds else None

    def ask(self, question: Question[Answer]) -> Answer:
        """What ``question`` answers, see ``reading``."""
        return read(self.path, question)


_STUDIES = "SELECT id, problem, engine, plan, source, began FROM study ORDER BY rowid"

_PHASES = """
SELECT phase.study, phase.name, count(member.run), count(run.id), total(run.diverged),
    total(run.seconds), max(run.ended)
FROM phase
LEFT JOIN member ON member.study = phase.study AND member.phase = phase.name
LEFT JOIN run INDEXED BY progress ON run.id = member.run
GROUP BY phase.rowid
ORDER BY phase.rowid
"""

_PACE = """
WITH moment AS (
    SELECT unixepoch(run.ended) AS at, count(*) AS runs
    FROM member JOIN run INDEXED BY progress ON run.id = member.run
    WHERE member.study = :id GROUP BY run.ended
), late AS (
    SELECT * FROM moment WHERE at >= (SELECT max(at) FROM moment) - 600
)
SELECT total(runs) - (SELECT runs FROM late ORDER BY at LIMIT 1), max(at) - min(at) FROM late
"""


def _entries(db: sqlite3.Connection) -> list[Entry]:
    phases: dict[str, list[tuple[Phase, float, str | None]]] = {}
    for study, name, planned, ended, diverged, seconds, last in db.execute(_PHASES):
        phase = Phase(name, planned, ended, int(diverged))
        phases.setdefault(study, []).append((phase, seconds, last))
    entries = []
    for id, problem, engine, plan, source, began in db.execute(_STUDIES):
        own = phases.get(id, [])
        entries.append(
            Entry(
                id,
                problem,
                engine,
                began=_moment(began),
                last=max((_moment(last) for _, _, last in own if last), default=None),
                phases=tuple(phase for phase, _, _ in own),
                seconds=sum(seconds for _, seconds, _ in own),
                plan=plan,
                source=source,
            )
        )
    return entries


def _moment(text: str) -> datetime:
    with stored(f"the time {text!r}"):
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _meant(entries: list[Entry], text: str | None, path: Path) -> Entry:
    """The study of that id, or beginning of one, or problem, or the only one."""
    if not entries:
        raise StudyError(f"there is no study in {path}; `lrlab compare` begins one.")
    if text is None:
        found = entries
    else:
        by_id = [entry for entry in entries if text and entry.id.startswith(text.lower())]
        found = by_id or [entry for entry in entries if entry.problem == text]
    if len(found) == 1:
        return found[0]
    if not found:
        names = {name for entry in entries for name in (entry.id, entry.problem)}
        hint = did_you_mean(str(text), sorted(names)) or "; `lrlab studies` lists them"
        raise StudyError(f"no study in {path} is {text or 'called nothing'}{hint}.")
    what = "" if text is None else f" that are {text}"
    some = ", ".join(f"{entry.id} ({entry.problem})" for entry in found[:5])
    more = ", ..." if len(found) > 5 else ""
    raise StudyError(f"{path} has {len(found)} studies{what}, name one by its id: {some}{more}.")
