"""The exceptions and the warning of lrlab, and helpers for their messages."""

import difflib
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

_LIBRARY_PACKAGES = {
    "lrlab",
    "accelerate",
    "transformers",
    "lightning",
    "pytorch_lightning",
    "torch",
}
"""Packages between a warning and the user's line in a stack trace."""


class LrlabError(Exception):
    """Base of all errors; the message is one sentence with the rule, the value and the remedy."""


class ScheduleError(LrlabError, ValueError):
    """A schedule cannot be built, parsed, bound or evaluated."""


class SchedulerError(LrlabError, ValueError):
    """A schedule cannot drive this optimizer, or a state dict does not match."""


class ProblemError(LrlabError, ValueError):
    """A problem has invalid data or settings."""


class TrainingError(LrlabError, ValueError):
    """A run cannot be trained with these settings."""


class StudyError(LrlabError):
    """A study cannot be planned, stored or run."""


class ViewError(LrlabError, ValueError):
    """A plot cannot be drawn, or a file cannot be written."""


class StudyWarning(UserWarning):
    """A study may not be what was meant, or takes long."""


class MissingExtra(LrlabError, ImportError):
    """A library that this part of lrlab needs is not installed."""


def require_extra(extra: str) -> AbstractContextManager[None]:
    """Raise ``MissingExtra`` with the command that installs an extra if an import inside fails.

    Raises:
        MissingExtra: a library imported inside is not installed.
    """
    return require_package(f"'lrlab[{extra}]'")


@contextmanager
def require_package(package: str) -> Iterator[None]:
    """Raise ``MissingExtra`` with the command that installs a package if an import inside fails.

    Raises:
        MissingExtra: a library imported inside is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "lrlab").partition(".")[0] == "lrlab":
            raise
        raise MissingExtra(
            f"this part of lrlab needs {error.name}, which is not installed: pip install {package}"
        ) from None


def find_nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most similar to an unknown one, or None if none is similar."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return matches[0] if matches else None


def format_suggestion(name: str, known: Iterable[str]) -> str:
    """Return the end of an error about an unknown name: ``; did you mean X?`` or nothing.

    >>> format_suggestion("Liner", ["Linear", "Cosine"])
    '; did you mean Linear?'
    """
    suggestion = find_nearest_name(name, known)
    return f"; did you mean {suggestion}?" if suggestion else ""


def shorten_repr(value: object) -> str:
    """Return ``repr(value)``, cut to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def pluralize(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 column``, ``2 columns``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def find_stacklevel() -> int:
    """Return the stack level of the first line outside the libraries, for ``warnings.warn``."""
    level = 1
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARY_PACKAGES:
        level, frame = level + 1, frame.f_back
    return level
