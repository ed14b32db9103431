"""What the texts of options become: problem, schedule, settings, numbers, sizes.

Everything that takes long to import is imported when it is needed, so that help comes at once.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.errors import TrainingError

if TYPE_CHECKING:
    from lrlab.problems import Trainable
    from lrlab.schedules import Schedule
    from lrlab.training import Settings

_PREFIX_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE_PATTERN = re.compile(r"(\d+(?:\.\d+)?) ?([kmgt]?)(i?)b", re.IGNORECASE | re.ASCII)


def load_problem_from_options(
    data: str,
    target: str | None,
    task: str | None,
    header: bool | None,
    file: Path | str | None,
    test: Path | str | None = None,
    metric: str | None = None,
    greater_is_better: bool | None = None,
    percent: bool = False,
    dummy_score: float | None = None,
) -> "Trainable":
    """The problem that the options name."""
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
        file=None if file is None else Path(file),
        test=None if test is None else Path(test),
        function_options={
            name: value for name, value in function_options.items() if value is not None
        },
    )


def parse_schedule(text: str) -> "Schedule":
    """The schedule that a text on the command line describes."""
    from lrlab import parse

    return parse(text)


def make_settings(
    problem: "Trainable",
    optimizer: str,
    lr: float | None = None,
    shuffle: bool | None = None,
    validation_size: float | None = None,
    **other_settings: Any,
) -> "Settings":
    """The settings that the options name; ``shuffle`` is the problem's where nobody says."""
    from lrlab.training import Settings

    return Settings(
        optimizer=optimizer.lower(),
        lr=_get_default_lr(optimizer) if lr is None else lr,
        shuffle=problem.shuffle if shuffle is None else shuffle,
        validation_size=0.0 if validation_size is None else validation_size,
        **other_settings,
    )


def parse_numbers(option: str, text: str) -> list[float]:
    """Numbers separated by commas.

    >>> parse_numbers("--lr", "0.01, 0.1")
    [0.01, 0.1]
    """
    values = []
    for piece in text.split(","):
        try:
            values.append(float(piece))
        except ValueError:
            whole = f" in {text}" if "," in text else ""
            raise TrainingError(
                f"{option} must be a number, or several with commas between them such as "
                f"0.01,0.1, got {piece.strip() or 'nothing'}{whole}."
            ) from None
    return values


def parse_optional_size(memory: str | None) -> int | None:
    """The bytes of ``--memory``, where it is given."""
    return None if memory is None else parse_size(memory)


def parse_size(text: str) -> int:
    """How many bytes a size such as ``2GB`` (ten to the ninth) or ``2GiB`` (two to the 30th) is.

    >>> parse_size("500MB"), parse_size("1.5 kib")
    (500000000, 1536)
    """
    match = _SIZE_PATTERN.fullmatch(text.strip())
    size = (
        float(match[1]) * (1024 if match[3] else 1000) ** _PREFIX_POWERS[match[2].lower()]
        if match
        else 0
    )
    if not 1 <= size < 2**63:
        raise TrainingError(
            f"--memory must be a size with its unit (B, KB, MB, GB, or KiB, MiB, GiB), got {text}; "
            "try 2GB."
        )
    return int(size)


def _get_default_lr(optimizer: str) -> float:
    from lrlab.studies.plan.grid import DEFAULT_LR

    return DEFAULT_LR.get(optimizer.lower(), 0.1)  # another optimizer is refused with the settings
