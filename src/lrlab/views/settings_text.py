"""How settings are written, and the grid and the validation rows of a plan."""

from collections.abc import Iterable, Iterator

from lrlab.errors import pluralize
from lrlab.studies import Plan, find_varied_hyperparameters
from lrlab.training import Settings

_LABELS = {"lr": "learning rate", "weight_decay": "weight decay"}
"""Labels of hyperparameters where they differ from the name."""

_PLURALS = {"lr": "learning rates", "momentum": "momenta", "weight_decay": "weight decays"}


def format_settings(settings: Settings, hyperparameters: Iterable[str]) -> list[str]:
    """Return settings with their labels.

    >>> format_settings(Settings(lr=0.1, momentum=0.9), ["lr", "momentum"])
    ['learning rate 0.1', 'momentum 0.9']
    """
    return [
        f"{_LABELS.get(name, name)} {format_setting(settings, name)}" for name in hyperparameters
    ]


def format_setting(settings: Settings, name: str) -> str:
    """Return the value of one setting, numbers as short as possible."""
    value = getattr(settings, name)
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def format_grid(plan: Plan) -> str:
    """Return ``4 settings (learning rate 0.01, 0.1; momentum 0, 0.9)``."""
    values = (
        f"{_LABELS.get(name, name)} {', '.join(values)}" for name, values in _list_values(plan)
    )
    return f"{pluralize(len(plan.grid), 'setting')} ({'; '.join(values)})"


def format_grid_size(plan: Plan) -> str:
    """Return ``10 settings (5 learning rates x 2 momenta)``."""
    sizes = (f"{len(values)} {_PLURALS.get(name, name)}" for name, values in _list_values(plan))
    return f"{pluralize(len(plan.grid), 'setting')} ({' x '.join(sizes)})"


def format_validation_rows(plan: Plan) -> str:
    """Return ``25 of the 124 training rows``, or the fraction where a function has the rows."""
    if not plan.problem.has_rows:
        return f"{100 * plan.grid[0].validation_size:g} % of its training rows"
    rows = plan.problem.train_rows
    return f"{plan.grid[0].count_validation_rows(rows)} of the {rows} training rows"


def _list_values(plan: Plan) -> Iterator[tuple[str, list[str]]]:
    """Yield each varied hyperparameter with its values in the grid."""
    for name in find_varied_hyperparameters(plan.grid):
        yield name, list(dict.fromkeys(format_setting(settings, name) for settings in plan.grid))
