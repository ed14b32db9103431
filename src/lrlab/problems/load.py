"""Load the problem that DATA names: a data set, a table, or an object in a Python file.

``ProblemSource`` keeps that name with its options, so that a stored study can load it again.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from lrlab.errors import LrlabError, ProblemError, format_suggestion
from lrlab.problems.datasets import DATASET_NAMES, load_dataset
from lrlab.problems.functions import TrainingFunction
from lrlab.problems.metrics import Metric
from lrlab.problems.problem import Problem, Trainable
from lrlab.user_code import (
    accepts_arguments,
    describe_error,
    is_object_reference,
    load_object,
    locate_error,
)


def load_problem(
    data: str,
    *,
    target: str | None = None,
    task: str | None = None,
    metric: str | Metric | None = None,
    header: bool | None = None,
    test_file: Path | str | None = None,
    ionosphere_file: Path | str | None = None,
    greater_is_better: bool | None = None,
    percent: bool | None = None,
    dummy_score: float | None = None,
) -> Trainable:
    """Load the problem that ``data`` names.

    Args:
        data: a data set by name (breast-cancer, digits, wine, iris, diabetes, ionosphere), the path
            of a table of delimited text, or an object in a Python file, such as
            ``my_problem.py:problem``: a problem, a training function, a function of one argument
            that becomes a training function, or a function without arguments that returns a problem
            or training function.
        target, task, header: for tables, see ``Problem.from_table``.
        metric: for data sets and tables, see ``Problem.from_table``; for a plain function of one
            argument the name under which it reports its score.
        test_file: for tables, a second one with the test rows.
        ionosphere_file: for ``ionosphere``, its file, or the folder of that.
        greater_is_better, percent, dummy_score: for a plain function of one argument, see
            ``TrainingFunction``.

    Raises:
        ProblemError: the data set or file does not exist, the file is not a table, the object is
            none of these or fails, or an option does not suit ``data``.
        TrainingError: the options of a training function do not suit it.

    >>> load_problem("diabetes", metric="r2").metric.greater_is_better
    True
    """
    table_options = {"target": target, "task": task, "header": header, "test_file": test_file}
    ionosphere_options = {"ionosphere_file": ionosphere_file}
    function_options = {
        "greater_is_better": greater_is_better, "percent": percent, "dummy_score": dummy_score
    }  # fmt: skip
    if is_object_reference(data):
        _check_options_unset(data, table_options, "a table of your own")
        _check_options_unset(data, ionosphere_options, "ionosphere")
        return _load_user_problem(data, {"metric": metric, **function_options})
    _check_options_unset(data, function_options, "a training function of your own")
    if data != "ionosphere":
        _check_options_unset(data, ionosphere_options, "ionosphere")
    if data in DATASET_NAMES:
        _check_options_unset(data, table_options, "a table of your own")
        return load_dataset(data, metric, ionosphere_file)
    path = Path(data)
    if not data or not _exists(path):
        hint = (
            format_suggestion(data, DATASET_NAMES) or f". Data sets are {', '.join(DATASET_NAMES)}."
        )
        raise ProblemError(f"there is no file and no data set {data}{hint}")
    if path.is_dir():
        raise ProblemError(f"{data} is a folder; name the file of the table in it.")
    return Problem.from_table(
        path, target=target, task=task, metric=metric, header=header, test=test_file
    )


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


def _load_user_problem(reference: str, options: Mapping[str, Any]) -> Trainable:
    """Load the object in a Python file; ``options`` are arguments of ``TrainingFunction``."""
    given_options = {name: value for name, value in options.items() if value is not None}
    value = load_object(reference)
    if not isinstance(value, Trainable) and callable(value):
        if accepts_arguments(value, 0):
            value = _call_factory(reference, value)
        elif accepts_arguments(value, 1):
            return TrainingFunction(value, **given_options)
    if not isinstance(value, Trainable):
        raise ProblemError(
            f"{reference} must be a problem, such as Problem.from_arrays(x, y, model), a function "
            "that returns one, or a training function of one argument, got "
            f"{_describe_value(value)}."
        )
    _check_options_unset(
        reference, given_options, f"a plain function, and a {type(value).__name__} has its metric"
    )
    return value


def _call_factory(reference: str, function: Any) -> object:
    try:
        return function()
    except LrlabError as error:
        raise ProblemError(f"{reference} ({locate_error(error)}): {error}") from error
    except (Exception, SystemExit) as error:
        raise ProblemError(
            f"{reference} failed at {locate_error(error)}: {describe_error(error)}."
        ) from error


def _describe_value(value: object) -> str:
    class_name = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"the class {class_name}" if isinstance(value, type) else f"a value of type {class_name}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # for example, too long for a file name
        return False


def _check_options_unset(data: str, options: Mapping[str, object], applies_to: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise ProblemError(f"`{name}` is for {applies_to}, not for {data}; leave it out.")
