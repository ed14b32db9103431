"""From what a person names, a data set, a file or something in one, to the problem."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lrlab.errors import ProblemError, did_you_mean
from lrlab.problems import builtin, scripts
from lrlab.problems.functions import AnyProblem
from lrlab.problems.ionosphere import ionosphere
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
    test: Path | None = None,
    function: Mapping[str, Any] = MappingProxyType({}),
) -> AnyProblem:
    """The problem that ``data`` names.

    Args:
        data: a data set by name (breast-cancer, digits, wine, iris, diabetes, ionosphere), or the
            path of a table of delimited text, or something in a Python file, such as
            ``my_problem.py:problem``; see ``scripts.problem_in``.
        target, task, header: for tables, see ``table_problem`` and ``read_table``.
        file: where the file of ``ionosphere`` lies.
        test: a second table, with the test rows; without it every seed draws its own.
        function: what a plain training function is made a ``TrainingFunction`` with.

    Raises:
        ProblemError: there is no such data set or file, it is no table, or an option does not go
            with it.
        TrainingError: the options of a training function do not suit it.
    """
    of_tables = {"target": target, "task": task, "header": header, "test": test}
    if data in NAMES or scripts.names_script(data):
        _refuse(data, of_tables, "a table of your own")
    if scripts.names_script(data):
        _refuse(data, {"file": file}, "ionosphere")
        return scripts.problem_in(data, function)
    _refuse(data, function, "a training function of your own")
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
    tested = None if test is None else read_table(test, header)
    return table_problem(path.stem, read_table(path, header), target, task, tested)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a file's name, say
        return False


def _refuse(data: str, options: Mapping[str, object], whose: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise ProblemError(
                f"{scripts.option_of(name)} is for {whose}, not for {data}; leave it out."
            )
