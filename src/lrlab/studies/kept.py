"""What is stored already, for whoever asks and for whoever writes."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable

from lrlab.studies.reading import Answer, Question


class Kept(ABC):
    """Studies and runs in a database."""

    @abstractmethod
    def ask(self, question: Question[Answer]) -> Answer:
        """What ``question`` answers when it is given a connection to read from."""

    def has(self, id: str) -> bool:
        """Whether a study has begun."""
        query = "SELECT count(*) FROM study WHERE id = ?"
        return bool(self.ask(lambda db: db.execute(query, (id,)).fetchone()[0]))

    def known(self, ids: Iterable[str]) -> set[str]:
        """Which of those runs are stored."""
        # One question for all ids, however many: SQLite limits the places for values in a query.
        query = "SELECT id FROM run WHERE id IN (SELECT value FROM json_each(?))"
        asked = json.dumps(list(ids))
        return {id for (id,) in self.ask(lambda db: db.execute(query, (asked,)).fetchall())}
