"""Parts of a plan in words, for tables, pictures and forecasts."""

from lrlab.problems import TrainingFunction
from lrlab.problems.tables import counted
from lrlab.studies import Plan, varied
from lrlab.studies.numbers import NAMES, setting

_MANY = {"lr": "rates", "momentum": "momenta", "weight_decay": "weight decays"}


def paired_seeds(count: int) -> str:
    """How many seeds, and that they pair the runs."""
    return counted(count, "seed" if count == 1 else "paired seed")


def held_out(plan: Plan) -> str:
    """How many training rows choose: ``80 of the 398 training rows``."""
    if isinstance(plan.problem, TrainingFunction):
        return f"a share of {plan.grid[0].validation:g} of its rows"
    rows = plan.problem.train_rows
    return f"{plan.grid[0].held_out(rows)} of the {rows} training rows"


def grid_counted(plan: Plan) -> str:
    """``10 settings (5 rates, 2 momenta)``."""
    sizes = (f"{len(_values(plan, name))} {_MANY.get(name, name)}" for name in varied(plan.grid))
    return f"{len(plan.grid)} settings ({', '.join(sizes)})"


def grid_named(plan: Plan) -> str:
    """``4 settings (rate 0.01, 0.1; momentum 0, 0.9)``."""
    names = varied(plan.grid)
    values = (f"{NAMES.get(name, name)} {', '.join(_values(plan, name))}" for name in names)
    return f"{len(plan.grid)} settings ({'; '.join(values)})"


def _values(plan: Plan, name: str) -> list[str]:
    return list(dict.fromkeys(setting(settings, name) for settings in plan.grid))
