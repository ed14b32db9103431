"""What is stored already, for whoever asks and for whoever writes."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable

from lrlab.studies.reading import QueryResult, Query


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
        return {run_id for (run_id,) in self.run_query(lambda db: db.execute(sql, (json_ids,)).fetchall())}
