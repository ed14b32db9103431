"""A check by its name, and what it says where it fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lrlab.errors import LrlabError
from lrlab.problems.code import locate_error, describe_error


@dataclass(frozen=True)
class Check:
    """One thing that must be true; called, it raises an AssertionError where it is not.

    Args:
        name: what it asks, also what ``str`` gives, for pytest's ``ids=str``.
        function: what asks it.

    >>> check = Check("a number is itself", lambda: require(1 == 1, "..."))
    >>> check()
    >>> str(check)
    'a number is itself'
    """

    name: str
    function: Callable[[], None]

    def __call__(self) -> None:
        try:
            self.function()
        except AssertionError:
            raise
        except LrlabError as error:
            raise AssertionError(f"{self.name}: {error}") from error
        except Exception as error:
            raise AssertionError(
                f"{self.name}: nothing may fail, but {locate_error(error)} did; {describe_error(error)}."
            ) from error

    def __str__(self) -> str:
        return self.name


def require(condition: bool, message: str) -> None:
    """Raises an AssertionError with the message where something is not true."""
    if not condition:
        raise AssertionError(message)


def run_checks(checks: Sequence[Check]) -> None:
    """Every check, until one fails."""
    for check in checks:
        check()
