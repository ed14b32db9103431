"""``ProblemSource``: where a problem comes from, so that a stored study can load it again."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from lrlab.errors import ProblemError
from lrlab.problems.load import load_problem
from lrlab.problems.problem import Trainable


@dataclass(frozen=True)
class ProblemSource:
    """The name or file of a problem, with its options.

    Args:
        data: a data set, a table or an object in a Python file, see ``load_problem``.
        options: other arguments of ``load_problem``; those that are None are left out.
        folder: the folder in which the problem is loaded and trained: relative paths in ``data``,
            in ``options`` and in a script of the user start there.

    >>> ProblemSource("iris", {"target": None}).load().name
    'iris'
    """

    data: str
    options: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)

    def __post_init__(self) -> None:
        given = {name: value for name, value in self.options.items() if value is not None}
        object.__setattr__(self, "options", given)

    def load(self) -> Trainable:
        """Load the problem.

        Raises:
            ProblemError: the folder cannot be opened, or see ``load_problem``.
            TrainingError: see ``load_problem``.
        """
        with self.enter_folder():
            return load_problem(self.data, **self.options)

    @contextmanager
    def enter_folder(self) -> Iterator[None]:
        """Make ``folder`` the current folder of this process inside.

        Raises:
            ProblemError: the folder cannot be opened.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(chdir(self.folder))
            except OSError as error:
                raise ProblemError(
                    f"the folder {self.folder}, from which {self.data} is loaded, cannot be opened "
                    f"({error.strerror}); restore it with its data."
                ) from None
            yield

    def to_json(self) -> str:
        """Return the source as JSON, see ``from_json``."""
        facts = {"folder": self.folder, "data": self.data, **self.options}
        return json.dumps(facts, default=os.fspath)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild the source that ``to_json`` was called on.

        Raises:
            ValueError, KeyError, TypeError: the text is no such JSON.
        """
        facts = dict(json.loads(text))
        folder, data = Path(facts.pop("folder")), str(facts.pop("data"))
        return cls(data, facts, folder)
