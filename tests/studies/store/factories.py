"""Small studies in a database, with invented results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrlab import Constant, Cosine, Linear
from lrlab.problems import load_problem
from lrlab.studies import Store
from lrlab.training import Curve, Epoch, Result, Run, Settings
from lrlab.training.engines import LoopEngine
from lrlab.training.result import EPOCH_COLUMNS

IDS = [f"{i:x}" * 31 + "a" for i in range(8)]
SETTINGS = (Settings(), Settings(0.3, 0.9, nesterov=True), Settings(optimizer="adam"))
RUNS = {
    run_id: Run(Cosine() if i % 2 else Constant(1.0), SETTINGS[i % 3], i)
    for i, run_id in enumerate(IDS)
} | {IDS[5]: Run(Cosine(), SETTINGS[2], 5, {"weight_decay": Linear(1.0, 0.5, over=30)})}


def make_result(i: int) -> Result:
    """Make a different result for each index: 2 has diverged, the curve of 3 has another column."""
    curve = Curve.from_epochs([Epoch(e, 0.1, 0.1, 1 / (e + i + 3), 0.7) for e in range(i)])
    if i == 2:
        return Result(0.1, True, curve, 0.25, diverged_at_step=17)
    if i == 3:
        curve = Curve(np.hstack([curve.values, np.full((3, 1), 1 / 7)]), (*EPOCH_COLUMNS, "seed"))
    return Result(1 / (i + 3), False, curve, 0.5)


RESULTS = {run_id: make_result(i) for i, run_id in enumerate(IDS)}


def write_study(
    db: Path,
    study_id: str = "0123abcd",
    problem_name: str = "iris",
    ended: Sequence[int] = range(6),
    phases: dict[str, range] | None = None,
    **options: Any,
) -> None:
    """Write a study of which some runs have ended; it has four tuning and four final runs.

    Args:
        db: the database.
        study_id: id of the study.
        problem_name: name of the problem.
        ended: indices of the runs that have ended.
        phases: indices of the runs of each phase.
        options: other arguments of ``Store.add_study``.
    """
    problem, engine = load_problem(problem_name), LoopEngine()
    planned = {"tuning": range(4), "final": range(4, 8)} if phases is None else phases
    with Store(db) as store:
        store.add_study(study_id, problem, engine, "{}", **options)
        for name, indices in planned.items():
            store.add_phase(study_id, name, [(IDS[i], i) for i in indices])
        store.add_results(problem, engine, RUNS, {IDS[i]: RESULTS[IDS[i]] for i in ended})
