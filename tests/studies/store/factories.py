"""Small studies in a database, of runs that nobody has trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrlab import Constant, Cosine, Linear
from lrlab.problems import load_problem
from lrlab.studies import Store
from lrlab.training import Curve, Epoch, Result, Run, Settings
from lrlab.training.engines import Engine
from lrlab.training.result import EPOCH_COLUMNS

IDS = [f"{i:x}" * 31 + "a" for i in range(8)]
SETTINGS = (Settings(), Settings(0.3, 0.9, nesterov=True), Settings(optimizer="adam"))
RUNS = {
    id: Run(Cosine() if i % 2 else Constant(1.0), SETTINGS[i % 3], i) for i, id in enumerate(IDS)
} | {IDS[5]: Run(Cosine(), SETTINGS[2], 5, {"weight_decay": Linear(1.0, 0.5, over=30)})}


def make_result(i: int) -> Result:
    """Something else for each: a diverged one, one with a curve that has a column more."""
    curve = Curve.from_epochs([Epoch(e, 0.1, 0.1, 1 / (e + i + 3), 0.7) for e in range(i)])
    if i == 2:
        return Result(0.1, True, curve, 0.25, diverged_at_step=17)
    if i == 3:
        curve = Curve(np.hstack([curve.values, np.full((3, 1), 1 / 7)]), (*EPOCH_COLUMNS, "seed"))
    return Result(1 / (i + 3), False, curve, 0.5)


RESULTS = {id: make_result(i) for i, id in enumerate(IDS)}


def write_study(
    db: Path,
    study: str = "0123abcd",
    problem: str = "iris",
    ended: Sequence[int] = range(6),
    phases: dict[str, range] | None = None,
    **more: Any,
) -> None:
    """A study of which some runs have ended: four for tuning, four at last."""
    trained, engine = load_problem(problem), Engine("loop")
    planned = {"tuning": range(4), "final": range(4, 8)} if phases is None else phases
    with Store(db) as store:
        store.add_study(study, trained, engine, "{}", **more)
        for name, places in planned.items():
            store.add_phase(study, name, [(IDS[i], i) for i in places])
        store.add_results(trained, engine, RUNS, {IDS[i]: RESULTS[IDS[i]] for i in ended})
