"""Load the problem that DATA names: a data set, a table, or an object in a Python file."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lrlab.errors import LrlabError, ProblemError, format_suggestion
from lrlab.problems.datasets import DATASET_NAMES, load_dataset
from lrlab.problems.functions import TrainingFunction
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
    header: bool | None = None,
    ionosphere_file: Path | None = None,
    test_file: Path | None = None,
    function_options: Mapping[str, Any] = MappingProxyType({}),
) -> Trainable:
    """Load the problem that ``data`` names.

    Args:
        data: a data set by name (breast-cancer, digits, wine, iris, diabetes, ionosphere), the path
            of a table of delimited text, or an object in a Python file, such as
            ``my_problem.py:problem``; see ``load_user_problem``.
        target, task, header, test_file: for tables, see ``Problem.from_table``.
        ionosphere_file: the file of ``ionosphere``, or its folder.
        function_options: arguments of ``TrainingFunction`` for a plain function.

    Raises:
        ProblemError: the data set or file does not exist, the file is not a table, or an option
            does not suit ``data``.
        TrainingError: the options of a training function do not suit it.
    """
    table_options = {"target": target, "task": task, "header": header, "test_file": test_file}
    is_reference = is_object_reference(data)
    if data in DATASET_NAMES or is_reference:
        _check_options_unset(data, table_options, "a table of your own")
    if not is_reference:
        _check_options_unset(data, function_options, "a training function of your own")
    if data != "ionosphere" and (data in DATASET_NAMES or is_reference):
        _check_options_unset(data, {"ionosphere_file": ionosphere_file}, "ionosphere")
    if is_reference:
        return load_user_problem(data, function_options)
    if data in DATASET_NAMES:
        return load_dataset(data, ionosphere_file)
    path = Path(data)
    if not data or not _exists(path):
        hint = (
            format_suggestion(data, DATASET_NAMES) or f". Data sets are {', '.join(DATASET_NAMES)}."
        )
        raise ProblemError(f"there is no file and no data set {data}{hint}")
    if path.is_dir():
        raise ProblemError(f"{data} is a folder; name the file of the table in it.")
    _check_options_unset(data, {"ionosphere_file": ionosphere_file}, "ionosphere")
    return Problem.from_table(path, target=target, task=task, header=header, test_file=test_file)


def load_user_problem(reference: str, options: Mapping[str, Any]) -> Trainable:
    """Load a problem from a Python file.

    Args:
        reference: path and name (see ``load_object``) of a problem, a training function, a function
            of one argument that becomes a training function, or a function without arguments that
            returns a problem or training function.
        options: arguments of ``TrainingFunction`` for a function of one argument.

    Raises:
        ProblemError: the object is none of these, or fails.
        TrainingError: the options do not suit the function.
    """
    value = load_object(reference)
    if not isinstance(value, Trainable) and callable(value):
        if accepts_arguments(value, 0):
            value = _call_factory(reference, value)
        elif accepts_arguments(value, 1):
            return TrainingFunction(value, **options)
    if options and isinstance(value, Trainable):
        raise ProblemError(
            f"{to_option(next(iter(options)))} is for a plain function, but {reference} is a "
            f"{type(value).__name__}, which has a metric already; leave it out."
        )
    if not isinstance(value, Trainable):
        raise ProblemError(
            f"{reference} must be a problem, such as Problem.from_arrays(x, y, model), a function "
            "that returns one, or a training function of one argument, got "
            f"{_describe_value(value)}."
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
            raise ProblemError(
                f"{to_option(name)} is for {applies_to}, not for {data}; leave it out."
            )


def to_option(name: str) -> str:
    """Return the command-line option for an argument.

    >>> to_option("dummy_score")
    '--dummy-score'
    """
    return f"--{name.replace('_', '-')}"
