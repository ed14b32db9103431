"""Users' Python files: import one or an object in it (``my_problem.py:problem``); locate errors."""

import importlib
import inspect
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from lrlab.errors import LrlabError, ProblemError, format_suggestion

_LRLAB_FOLDER = Path(__file__).parent
_REFERENCE_PATTERN = re.compile(r"(?P<file>.+\.py):(?P<name>[^:/\\]*)")


def is_object_reference(data: str) -> bool:
    r"""Whether a text names an object in a Python file.

    >>> is_object_reference("my_problem.py:problem"), is_object_reference(r"C:\work\my.py:problem")
    (True, True)
    >>> is_object_reference("data.csv"), is_object_reference(r"C:\work\data.csv")
    (False, False)
    """
    return _REFERENCE_PATTERN.fullmatch(data) is not None or data.endswith(".py")


def load_object(reference: str) -> object:
    """Import the object that a text such as ``my_problem.py:problem`` names.

    The folder of the file is added to ``sys.path`` and the file is imported by its own name, so
    that worker processes find it too and it can import its neighbors.

    Args:
        reference: path of the file, a colon, the name.

    Raises:
        ProblemError: the file or the name does not exist, or the file cannot be imported.
    """
    match = _REFERENCE_PATTERN.fullmatch(reference)
    if not match or not match["name"]:
        raise ProblemError(
            f"{reference} must name an object in the file after a colon, such as "
            f"{reference.rstrip(':')}:problem."
        )
    path, name = Path(match["file"]).expanduser(), match["name"]
    value: Any = _import_file(path)
    public_names = [known for known in vars(value) if not known.startswith("_")]
    try:
        for part in name.split("."):
            value = getattr(value, part)
    except AttributeError:
        hint = format_suggestion(name, public_names) or "; check capital letters."
        raise ProblemError(f"{path} has no {name}{hint}") from None
    return value


def import_user_module(name_or_path: str) -> ModuleType:
    """Import a module of the user, so that texts can name the schedules that it defines.

    Its folder is added to ``sys.path``, so that worker processes find it too.

    Args:
        name_or_path: path of a Python file, or name of a module; one in the current folder is
            found, too.

    Raises:
        ProblemError: the file or the module does not exist, or fails.
    """
    if name_or_path.endswith(".py"):
        return _import_file(Path(name_or_path).expanduser())
    if not all(part.isidentifier() for part in name_or_path.split(".")):
        raise ProblemError(
            f"a module must be given by its file or name, such as my_schedules.py, got "
            f"{name_or_path or 'nothing'}."
        )
    _add_to_path(Path.cwd())
    return _import_module(name_or_path, name_or_path)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ProblemError(f"there is no file {path}.")
    file, name = path.resolve(), path.stem
    if "." in name:
        raise ProblemError(
            f"the name of a Python file must have one dot, got {path.name}; rename the file."
        )
    _add_to_path(file.parent)
    module = _import_module(name, path)
    imported_file = getattr(module, "__file__", None)
    if imported_file is None or Path(imported_file).resolve() != file:
        raise ProblemError(
            f"{path} cannot be imported by its name, because {name} is "
            f"{imported_file or 'built in'}; rename your file."
        )
    return module


def _add_to_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()


def _import_module(name: str, label: str | Path) -> ModuleType:
    """Import a module; an error names it by ``label``."""
    try:
        return importlib.import_module(name)
    except LrlabError as error:
        raise ProblemError(f"{label} ({locate_error(error)}): {error}") from error
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            raise ProblemError(
                f"there is no module {name} in this folder or among the installed ones; give the "
                "path of its file, such as my_schedules.py."
            ) from None
        raise ProblemError(
            f"{label} cannot be imported, it fails at {locate_error(error)}: "
            f"{describe_error(error)}."
        ) from error


def accepts_arguments(function: Callable[..., object], count: int) -> bool:
    """Whether a function can be called with exactly ``count`` positional arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # written in C, without a signature
        return False
    return True


def locate_error(error: BaseException) -> str:
    """Return file and line of the error, such as ``my_training.py:12``.

    It is the last line of the user's code that led to the error, or of a library if none is the
    user's.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    all_frames = list(traceback.extract_tb(error.__traceback__))
    frames = [frame for frame in all_frames if not is_library_file(frame.filename)] or all_frames
    # "<string>" is code that dataclasses generate.
    frames = [frame for frame in frames if frame.filename != "<string>"] or frames
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown line"


def describe_error(error: BaseException) -> str:
    """Return the class of an error and the first line of its message."""
    text = str(error).strip().partition("\n")[0].rstrip(".")[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@cache
def is_library_file(file: str) -> bool:
    """Whether a source file belongs to Python, an installed package or lrlab, not to the user."""
    path, install_paths = Path(file), sysconfig.get_paths()
    if file.startswith("<frozen") or {"site-packages", "dist-packages"} & set(path.parts):
        return True
    return any(path.is_relative_to(home) for home in (_LRLAB_FOLDER, install_paths["stdlib"]))


def find_source_file(value: object) -> Path | None:
    """Return the file that defines a function or class, None if there is none."""
    file = inspect.getsourcefile(value) if isinstance(value, FunctionType | type) else None
    return Path(file) if file and Path(file).is_file() else None
