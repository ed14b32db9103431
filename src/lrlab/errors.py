"""The one tree of exceptions: whatever lrlab refuses, it refuses with a ``LrlabError``."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager


class LrlabError(Exception):
    """Anything lrlab refuses; the message is one sentence with rule, value and remedy."""


class ScheduleError(LrlabError, ValueError):
    """A schedule that cannot be built, read, bound or evaluated."""


class SchedulerError(LrlabError, ValueError):
    """A schedule that cannot be put on this optimizer, or a state that does not fit."""


class ProblemError(LrlabError, ValueError):
    """Data that cannot be trained on."""


class TrainingError(LrlabError, ValueError):
    """A setting that a run cannot be trained with."""


class StudyError(LrlabError):
    """A study that cannot be planned, stored or carried out."""


class ViewError(LrlabError, ValueError):
    """Something that cannot be drawn, or a file that cannot be written."""


class MissingExtra(LrlabError, ImportError):
    """A part of lrlab whose libraries are not installed."""


def require_extra(extra: str) -> AbstractContextManager[None]:
    """Turns the absence of a library of an extra into the command that installs the extra.

    Raises:
        MissingExtra: something imported inside is not installed.
    """
    return require_package(f"'lrlab[{extra}]'")


@contextmanager
def require_package(package: str) -> Iterator[None]:
    """Turns the absence of another library into the command that installs its package.

    Raises:
        MissingExtra: something imported inside is not installed.
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
    """The known name that an unknown one is most like, if any is much like it."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return matches[0] if matches else None


def format_suggestion(name: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown name: ``; did you mean X?`` when a known one is near.

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
