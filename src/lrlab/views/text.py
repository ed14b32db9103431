"""Times as people read them."""

from datetime import datetime

from lrlab._checks import pluralize
from lrlab.problems import TrainingFunction
from lrlab.studies import Plan, find_varied_hyperparameters
from lrlab.views.answer import HYPERPARAMETER_LABELS, format_setting

_TIME_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def format_duration(seconds: float) -> str:
    """How long, with two digits or more: people do not plan by the second.

    >>> [format_duration(s) for s in (0.2, 59.6, 100, 600, 5400, 200_000)]
    ['< 1 s', '60 s', '1.7 min', '10 min', '1.5 h', '2.3 d']
    """
    for unit, size in _TIME_UNITS:
        if seconds >= size:
            count = seconds / size
            return f"{count:.0f} {unit}" if count >= 10 or size == 1 else f"{count:.2g} {unit}"
    return "< 1 s"


def format_timestamp(timestamp: datetime) -> str:
    """When, by the clock of this machine."""
    return f"{timestamp.astimezone():%Y-%m-%d %H:%M}"


_HYPERPARAMETER_PLURALS = {"lr": "rates", "momentum": "momenta", "weight_decay": "weight decays"}


def format_paired_seeds(count: int) -> str:
    """How many seeds, and that they pair the runs."""
    return pluralize(count, "seed" if count == 1 else "paired seed")


def describe_validation_rows(plan: Plan) -> str:
    """How many training rows choose: ``80 of the 398 training rows``."""
    if isinstance(plan.problem, TrainingFunction):
        return f"a share of {plan.grid[0].validation_size:g} of its rows"
    rows = plan.problem.train_rows
    return f"{plan.grid[0].count_validation_rows(rows)} of the {rows} training rows"


def summarize_grid(plan: Plan) -> str:
    """``10 settings (5 rates, 2 momenta)``."""
    sizes = (
        f"{len(_list_values(plan, name))} {_HYPERPARAMETER_PLURALS.get(name, name)}"
        for name in find_varied_hyperparameters(plan.grid)
    )
    return f"{len(plan.grid)} settings ({', '.join(sizes)})"


def describe_grid(plan: Plan) -> str:
    """``4 settings (rate 0.01, 0.1; momentum 0, 0.9)``."""
    names = find_varied_hyperparameters(plan.grid)
    values = (
        f"{HYPERPARAMETER_LABELS.get(name, name)} {', '.join(_list_values(plan, name))}"
        for name in names
    )
    return f"{len(plan.grid)} settings ({'; '.join(values)})"


def _list_values(plan: Plan, name: str) -> list[str]:
    return list(dict.fromkeys(format_setting(settings, name) for settings in plan.grid))
