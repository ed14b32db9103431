"""What the texts of options become: problem, schedule, settings, numbers, sizes.

Everything that takes long to import is imported when it is needed, so that help comes at once.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.errors import TrainingError

if TYPE_CHECKING:
    from lrlab.problems import AnyProblem
    from lrlab.schedules import Schedule
    from lrlab.training import Settings

_BYTES = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgt]?)(i?)b", re.IGNORECASE | re.ASCII)


def problem_of(
    data: str,
    target: str | None,
    task: str | None,
    header: bool | None,
    file: Path | str | None,
    test: Path | str | None = None,
    metric: str | None = None,
    less_is_better: bool = False,
    percent: bool = False,
    guess: float | None = None,
) -> "AnyProblem":
    """The problem that the options name."""
    from lrlab.problems import load

    given = {
        "metric": metric,
        "more_is_better": False if less_is_better else None,
        "percent": percent or None,
        "guess": guess,
    }
    return load(
        data,
        target=target,
        task=task,
        header=header,
        file=None if file is None else Path(file),
        test=None if test is None else Path(test),
        function={name: value for name, value in given.items() if value is not None},
    )


def schedule_of(text: str) -> "Schedule":
    """The schedule that a text on the command line describes."""
    from lrlab import parse

    return parse(text)


def settings_of(
    problem: "AnyProblem",
    optimizer: str,
    lr: float | None = None,
    shuffle: bool | None = None,
    validation: float | None = None,
    **others: Any,
) -> "Settings":
    """The settings that the options name; ``shuffle`` is the problem's where nobody says."""
    from lrlab.training import Settings

    return Settings(
        optimizer=optimizer.lower(),
        lr=_default_rate(optimizer) if lr is None else lr,
        shuffle=problem.shuffle if shuffle is None else shuffle,
        validation=0.0 if validation is None else validation,
        **others,
    )


def numbers(option: str, text: str) -> list[float]:
    """Numbers separated by commas.

    >>> numbers("--lr", "0.01, 0.1")
    [0.01, 0.1]
    """
    found = []
    for piece in text.split(","):
        try:
            found.append(float(piece))
        except ValueError:
            whole = f" in {text}" if "," in text else ""
            raise TrainingError(
                f"{option} must be a number, or several with commas between them such as "
                f"0.01,0.1, got {piece.strip() or 'nothing'}{whole}."
            ) from None
    return found


def bytes_of(memory: str | None) -> int | None:
    """The bytes of ``--memory``, where it is given."""
    return None if memory is None else size_of(memory)


def size_of(text: str) -> int:
    """How many bytes a size such as ``2GB`` (ten to the ninth) or ``2GiB`` (two to the 30th) is.

    >>> size_of("500MB"), size_of("1.5 kib")
    (500000000, 1536)
    """
    match = _SIZE.fullmatch(text.strip())
    size = (
        float(match[1]) * (1024 if match[3] else 1000) ** _BYTES[match[2].lower()] if match else 0
    )
    if not 1 <= size < 2**63:
        raise TrainingError(
            f"--memory must be a size with its unit (B, KB, MB, GB, or KiB, MiB, GiB), got {text}; "
            "try 2GB."
        )
    return int(size)


def _default_rate(optimizer: str) -> float:
    from lrlab.studies.grid import ONE_RATE

    return ONE_RATE.get(optimizer.lower(), 0.1)  # another optimizer is refused with the settings
