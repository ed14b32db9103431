"""Parsing the values of options: the problem and lists of numbers.

Modules that take long to import are imported in functions, so that help appears at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from lrlab.errors import TrainingError

if TYPE_CHECKING:
    from lrlab.problems import Trainable


def load_problem_from_options(
    data: str,
    target: str | None,
    task: str | None,
    header: bool | None,
    ionosphere_file: Path | str | None,
    test_file: Path | str | None,
    metric: str | None,
    greater_is_better: bool | None,
    percent: bool,
    dummy_score: float | None,
) -> "Trainable":
    """Load the problem that the options of the same names describe."""
    from lrlab.problems import load_problem

    function_options = {
        "metric": metric,
        "greater_is_better": greater_is_better,
        "percent": percent or None,
        "dummy_score": dummy_score,
    }
    return load_problem(
        data,
        target=target,
        task=task,
        header=header,
        ionosphere_file=None if ionosphere_file is None else Path(ionosphere_file),
        test_file=None if test_file is None else Path(test_file),
        function_options={
            name: value for name, value in function_options.items() if value is not None
        },
    )


def parse_optional_numbers(option: str, text: str | None) -> list[float] | None:
    """Parse numbers separated by commas, if an option is given.

    >>> parse_optional_numbers("--lr", "0.01, 0.1")
    [0.01, 0.1]
    """
    if text is None:
        return None
    values = []
    for part in text.split(","):
        try:
            values.append(float(part))
        except ValueError:
            context = f" in {text}" if "," in text else ""
            raise TrainingError(
                f"{option} must be a number or several separated by commas, such as 0.01,0.1, got "
                f"{part.strip() or 'nothing'}{context}."
            ) from None
    return values
