"""From what a person names, a data set, a file or something in one, to the problem."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lrlab.errors import ProblemError, format_suggestion
from lrlab.problems import datasets, user_code
from lrlab.problems.datasets import load_ionosphere
from lrlab.problems.delimited import read_table
from lrlab.problems.functions import Trainable
from lrlab.problems.table import make_table_problem

DATASET_NAMES = (*datasets.SKLEARN_NAMES, "ionosphere")


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
    """The problem that ``data`` names.

    Args:
        data: a data set by name (breast-cancer, digits, wine, iris, diabetes, ionosphere), or the
            path of a table of delimited text, or something in a Python file, such as
            ``my_problem.py:problem``; see ``scripts.load_user_problem``.
        target, task, header: for tables, see ``make_table_problem`` and ``read_table``.
        ionosphere_file: the file of ``ionosphere``, or its folder.
        test_file: a second table, with the test rows; without it every seed draws its own.
        function_options: what a plain training function is made a ``TrainingFunction`` with.

    Raises:
        ProblemError: there is no such data set or file, it is no table, or an option does not go
            with it.
        TrainingError: the options of a training function do not suit it.
    """
    table_options = {"target": target, "task": task, "header": header, "test_file": test_file}
    if data in DATASET_NAMES or user_code.is_object_reference(data):
        _refuse_options(data, table_options, "a table of your own")
    if user_code.is_object_reference(data):
        _refuse_options(data, {"ionosphere_file": ionosphere_file}, "ionosphere")
        return user_code.load_user_problem(data, function_options)
    _refuse_options(data, function_options, "a training function of your own")
    if data in datasets.SKLEARN_NAMES:
        _refuse_options(data, {"ionosphere_file": ionosphere_file}, "ionosphere")
        return datasets.load_sklearn_dataset(data)
    if data == "ionosphere":
        return load_ionosphere(ionosphere_file)
    path = Path(data)
    if not data or not _exists(path):
        hint = (
            format_suggestion(data, DATASET_NAMES) or f". Data sets are {', '.join(DATASET_NAMES)}."
        )
        raise ProblemError(f"there is no file {data} and no data set of that name{hint}")
    if path.is_dir():
        raise ProblemError(f"{data} is a folder; name the file of the table in it.")
    _refuse_options(data, {"ionosphere_file": ionosphere_file}, "ionosphere")
    test_frame = None if test_file is None else read_table(test_file, header)
    return make_table_problem(path.stem, read_table(path, header), target, task, test_frame)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a file's name, say
        return False


def _refuse_options(data: str, options: Mapping[str, object], applies_to: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise ProblemError(
                f"{user_code.to_option(name)} is for {applies_to}, not for {data}; leave it out."
            )
