"""Parts of a plan in words, for tables, pictures and forecasts."""

from lrlab.problems import TrainingFunction
from lrlab.problems.tables import pluralize
from lrlab.studies import Plan, find_varied_hyperparameters
from lrlab.studies.numbers import HYPERPARAMETER_LABELS, format_setting

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
    sizes = (f"{len(_list_values(plan, name))} {_HYPERPARAMETER_PLURALS.get(name, name)}" for name in find_varied_hyperparameters(plan.grid))
    return f"{len(plan.grid)} settings ({', '.join(sizes)})"


def describe_grid(plan: Plan) -> str:
    """``4 settings (rate 0.01, 0.1; momentum 0, 0.9)``."""
    names = find_varied_hyperparameters(plan.grid)
    values = (f"{HYPERPARAMETER_LABELS.get(name, name)} {', '.join(_list_values(plan, name))}" for name in names)
    return f"{len(plan.grid)} settings ({'; '.join(values)})"


def _list_values(plan: Plan, name: str) -> list[str]:
    return list(dict.fromkeys(format_setting(settings, name) for settings in plan.grid))
