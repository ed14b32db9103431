"""The catalogue of a database: its studies and how far they are. It reads, and never writes.

It reads while another process writes, and from a file or a folder that may not be written.
"""

from pathlib import Path

from lrlab.errors import StudyError, did_you_mean
from lrlab.studies.entries import Entry, entries, pace
from lrlab.studies.faults import number, version_of
from lrlab.studies.kept import Kept
from lrlab.studies.reading import Answer, Question, read
from lrlab.studies.schema import OF_NO_OTHER, VERSION


class Catalog(Kept):
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
        return self.ask(entries) if self._version == VERSION else []

    def find(self, text: str | None = None) -> Entry:
        """The one study that is meant.

        Args:
            text: its id or the beginning of one, or the name of a problem that only one study has;
                None for the only study there is.

        Raises:
            StudyError: there is no such study, or there are several.
        """
        return _meant(self.studies(), text, self.path)

    def has(self, id: str) -> bool:
        """Whether a study has begun; none has in a file of an older lrlab."""
        return self._version == VERSION and super().has(id)

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
        moment among them, which were trained before it.
        """
        return self.ask(lambda db: pace(db, entry))

    def ask(self, question: Question[Answer]) -> Answer:
        """What ``question`` answers, see ``reading``."""
        return read(self.path, question)


def _meant(studies: list[Entry], text: str | None, path: Path) -> Entry:
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
        hint = did_you_mean(str(text), sorted(names)) or "; `lrlab studies` lists them."
        raise StudyError(f"no study in {path} is {text or 'called nothing'}{hint}")
    what = "" if text is None else f" that are {text}"
    some = ", ".join(f"{entry.id} ({entry.problem})" for entry in found[:5])
    more = ", ..." if len(found) > 5 else ""
    raise StudyError(f"{path} has {len(found)} studies{what}, name one by its id: {some}{more}.")
