"""Problems and training functions in a Python file of the user's own: ``my_problem.py:problem``."""

import importlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from lrlab.errors import LrlabError, ProblemError, did_you_mean
from lrlab.problems.code import place_of, told
from lrlab.problems.functions import AnyProblem, TrainingFunction, takes
from lrlab.problems.problem import Problem

_PLACE = re.compile(r"(?P<file>.+\.py):(?P<name>[^:/\\]*)")


def names_script(data: str) -> bool:
    r"""Whether a text names something in a Python file.

    >>> names_script("my_problem.py:problem"), names_script(r"C:\work\my.py:problem")
    (True, True)
    >>> names_script("data.csv"), names_script(r"C:\work\data.csv")
    (False, False)
    """
    return _PLACE.fullmatch(data) is not None or data.endswith(".py")


def load_object(place: str) -> object:
    """What stands under a name in a Python file, such as ``my_problem.py:problem``.

    The file's folder is put on Python's path and the file is imported by its own name, so that
    worker processes find it too, and it finds the files beside it.

    Args:
        place: the path of the file, a colon, the name.

    Raises:
        ProblemError: there is no such file or name, or the file cannot be imported.
    """
    found = _PLACE.fullmatch(place)
    if not found or not found["name"]:
        raise ProblemError(
            f"{place} must say what in the file is meant, behind a colon, such as "
            f"{place.rstrip(':')}:problem."
        )
    path, name = Path(found["file"]).expanduser(), found["name"]
    value: Any = _imported(path)
    known = [one for one in vars(value) if not one.startswith("_")]
    try:
        for part in name.split("."):
            value = getattr(value, part)
    except AttributeError:
        hint = did_you_mean(name, known) or "; mind capital letters."
        raise ProblemError(f"there is no {name} in {path}{hint}") from None
    return value


def problem_in(place: str, options: Mapping[str, Any]) -> AnyProblem:
    """The problem that stands in a Python file.

    Args:
        place: as of ``load_object``: a problem, a training function, a function of one argument
            that becomes one, or a function without arguments that gives one of them.
        options: what ``TrainingFunction`` is given beside a function of one argument.

    Raises:
        ProblemError: it is none of these, or fails.
        TrainingError: the options do not suit the function.
    """
    value = load_object(place)
    if not isinstance(value, Problem | TrainingFunction) and callable(value):
        if takes(value, 0):
            value = _given(place, value)
        elif takes(value, 1):
            return TrainingFunction(value, **options)
    if options and isinstance(value, Problem | TrainingFunction):
        what = "problem" if isinstance(value, Problem) else "TrainingFunction"
        raise ProblemError(
            f"{option_of(next(iter(options)))} is for a plain function, but {place} is a "
            f"{what}, which says itself what its metric is; leave it out."
        )
    if not isinstance(value, Problem | TrainingFunction):
        raise ProblemError(
            f"{place} must be a problem, as lrlab.problem(x, y, model) makes it, a function that "
            f"gives one, or a training function of one argument, got {_kind(value)}."
        )
    return value


def option_of(name: str) -> str:
    """The option of the command line that gives an argument.

    >>> option_of("more_is_better"), option_of("header")
    ('--less-is-better', '--header')
    """
    return "--less-is-better" if name == "more_is_better" else f"--{name.replace('_', '-')}"


def _given(place: str, function: Any) -> object:
    try:
        return function()
    except LrlabError as error:
        raise ProblemError(f"{place} ({place_of(error)}): {error}") from error
    except (Exception, SystemExit) as error:
        raise ProblemError(f"{place} failed at {place_of(error)}: {told(error)}.") from error


def _imported(path: Path) -> ModuleType:
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
        raise ProblemError(f"{path} ({place_of(error)}): {error}") from error
    except (Exception, SystemExit) as error:
        raise ProblemError(
            f"{path} cannot be imported, it fails at {place_of(error)}: {told(error)}."
        ) from error
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != file:
        raise ProblemError(
            f"{path} cannot be imported by its name, because {name} is {found or 'built in'}; "
            "rename your file."
        )
    return module


def _kind(value: object) -> str:
    article = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"the class {article}" if isinstance(value, type) else f"a value of type {article}"
