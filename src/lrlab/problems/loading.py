"""From what a person names, a data set or a file, to the problem."""

from pathlib import Path

from lrlab.errors import ProblemError, did_you_mean
from lrlab.problems import builtin
from lrlab.problems.ionosphere import ionosphere
from lrlab.problems.problem import Problem
from lrlab.problems.reading import read_table
from lrlab.problems.tables import table_problem

NAMES = (*builtin.NAMES, "ionosphere")


def load(
    data: str,
    *,
    target: str | None = None,
    task: str | None = None,
    header: bool | None = None,
    file: Path | None = None,
) -> Problem:
    """The problem that ``data`` names.

    Args:
        data: a data set by name (breast-cancer, digits, wine, iris, diabetes, ionosphere), or the
            path of a table of delimited text.
        target, task, header: for tables, see ``table_problem`` and ``read_table``.
        file: where the file of ``ionosphere`` lies.

    Raises:
        ProblemError: there is no such data set or file, it is no table, or an option does not go
            with it.
    """
    if data in NAMES:
        _refuse(data, {"target": target, "task": task, "header": header}, "a table of your own")
    if data in builtin.NAMES:
        _refuse(data, {"file": file}, "ionosphere")
        return builtin.builtin(data)
    if data == "ionosphere":
        return ionosphere(file)
    path = Path(data)
    if not data or not _exists(path):
        hint = did_you_mean(data, NAMES) or f". Data sets are {', '.join(NAMES)}."
        raise ProblemError(f"there is no file {data} and no data set of that name{hint}")
    if path.is_dir():
        raise ProblemError(f"{data} is a folder; name the file of the table in it.")
    _refuse(data, {"file": file}, "ionosphere")
    return table_problem(path.stem, read_table(path, header), target, task)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a file's name, say
        return False


def _refuse(data: str, options: dict[str, object], whose: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise ProblemError(f"--{name} is for {whose}, not for {data}; leave it out.")
