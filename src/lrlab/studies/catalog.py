"""The catalogue of a database: its studies and how far they are. It reads, and never writes.

It reads while another process writes, and from a file or a folder that may not be written.
"""

from pathlib import Path

from lrlab.errors import StudyError, format_suggestion
from lrlab.studies.entries import StudySummary, query_studies, query_runs_per_second
from lrlab.studies.faults import fetch_int, read_schema_version
from lrlab.studies.kept import ReadableStore
from lrlab.studies.reading import QueryResult, Query, query_file
from lrlab.studies.schema import UNSHARED_RUNS_CONDITION, SCHEMA_VERSION


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
        condition = " WHERE id NOT IN (SELECT run FROM member)" if self._version == SCHEMA_VERSION else ""
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
