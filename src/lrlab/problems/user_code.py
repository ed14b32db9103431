"""Problems and training functions in a Python file of the user's own: ``my_problem.py:problem``."""

import importlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from lrlab.errors import LrlabError, ProblemError, format_suggestion
from lrlab.problems.fingerprint import describe_error, locate_error
from lrlab.problems.functions import Trainable, TrainingFunction, accepts_arguments
from lrlab.problems.problem import Problem

_REFERENCE_PATTERN = re.compile(r"(?P<file>.+\.py):(?P<name>[^:/\\]*)")


def is_object_reference(data: str) -> bool:
    r"""Whether a text names something in a Python file.

    >>> is_object_reference("my_problem.py:problem"), is_object_reference(r"C:\work\my.py:problem")
    (True, True)
    >>> is_object_reference("data.csv"), is_object_reference(r"C:\work\data.csv")
    (False, False)
    """
    return _REFERENCE_PATTERN.fullmatch(data) is not None or data.endswith(".py")


def load_object(reference: str) -> object:
    """What stands under a name in a Python file, such as ``my_problem.py:problem``.

    The file's folder is put on Python's path and the file is imported by its own name, so that
    worker processes find it too, and it finds the files beside it.

    Args:
        reference: the path of the file, a colon, the name.

    Raises:
        ProblemError: there is no such file or name, or the file cannot be imported.
    """
    found = _REFERENCE_PATTERN.fullmatch(reference)
    if not found or not found["name"]:
        raise ProblemError(
            f"{reference} must say what in the file is meant, behind a colon, such as "
            f"{reference.rstrip(':')}:problem."
        )
    path, name = Path(found["file"]).expanduser(), found["name"]
    value: Any = _import_file(path)
    known = [one for one in vars(value) if not one.startswith("_")]
    try:
        for part in name.split("."):
            value = getattr(value, part)
    except AttributeError:
        hint = format_suggestion(name, known) or "; mind capital letters."
        raise ProblemError(f"there is no {name} in {path}{hint}") from None
    return value


def load_user_problem(reference: str, options: Mapping[str, Any]) -> Trainable:
    """The problem that stands in a Python file.

    Args:
        reference: as of ``load_object``: a problem, a training function, a function of one argument
            that becomes one, or a function without arguments that gives one of them.
        options: what ``TrainingFunction`` is given beside a function of one argument.

    Raises:
        ProblemError: it is none of these, or fails.
        TrainingError: the options do not suit the function.
    """
    value = load_object(reference)
    if not isinstance(value, Problem | TrainingFunction) and callable(value):
        if accepts_arguments(value, 0):
            value = _call_factory(reference, value)
        elif accepts_arguments(value, 1):
            return TrainingFunction(value, **options)
    if options and isinstance(value, Problem | TrainingFunction):
        what = "problem" if isinstance(value, Problem) else "TrainingFunction"
        raise ProblemError(
            f"{to_option(next(iter(options)))} is for a plain function, but {reference} is a "
            f"{what}, which says itself what its metric is; leave it out."
        )
    if not isinstance(value, Problem | TrainingFunction):
        raise ProblemError(
            f"{reference} must be a problem, as lrlab.problem(x, y, model) makes it, a function that "
            f"gives one, or a training function of one argument, got {_describe_value(value)}."
        )
    return value


def to_option(name: str) -> str:
    """The option of the command line that gives an argument.

    >>> to_option("dummy_score")
    '--dummy-score'
    """
    return f"--{name.replace('_', '-')}"


def _call_factory(reference: str, function: Any) -> object:
    try:
        return function()
    except LrlabError as error:
        raise ProblemError(f"{reference} ({locate_error(error)}): {error}") from error
    except (Exception, SystemExit) as error:
        raise ProblemError(
            f"{reference} failed at {locate_error(error)}: {describe_error(error)}."
        ) from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ProblemError(f"there is no file {path}.")
    file, name = path.resolve(), path.stem
    if "." in name:
        raise ProblemError(
            f"a file that is imported must have one dot in its name, got {path.name}; rename it."
        )
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(name)
    except LrlabError as error:
        raise ProblemError(f"{path} ({locate_error(error)}): {error}") from error
    except (Exception, SystemExit) as error:
        raise ProblemError(
            f"{path} cannot be imported, it fails at {locate_error(error)}: {describe_error(error)}."
        ) from error
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != file:
        raise ProblemError(
            f"{path} cannot be imported by its name, because {name} is {found or 'built in'}; "
            "rename your file."
        )
    return module


def _describe_value(value: object) -> str:
    class_name = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"the class {class_name}" if isinstance(value, type) else f"a value of type {class_name}"
