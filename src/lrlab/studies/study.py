"""A study carried out: what is stored is kept, what is missing is trained and stored."""

from collections.abc import Callable
from contextlib import closing

from lrlab.studies.execution import blocks_of, execute
from lrlab.studies.places import HERE, Place
from lrlab.studies.plan import Plan
from lrlab.studies.store import Store
from lrlab.training import Result, Run


def carry_out(
    plan: Plan,
    store: Store,
    place: Place = HERE,
    ended: Callable[[Run], None] = lambda run: None,
) -> dict[str, Result]:
    """The results of every run of the plan, by id.

    Args:
        plan: the study.
        store: where runs are looked up, and where they are stored as they end.
        place: where runs are trained.
        ended: called for each run that was trained and stored.

    Raises:
        StudyError: the store cannot be written, or a worker process died.
        TrainingError: the engine of the plan cannot train its problem.
    """
    runs = plan.runs
    results = store.finished(runs)
    missing = {id: run for id, run in runs.items() if id not in results}
    blocks = blocks_of(plan.problem, missing, plan.engine, place) if missing else []
    grouped = [{id: runs[id] for id in block} for block in blocks]
    with closing(execute(plan.problem, grouped, plan.engine, place)) as training:
        for together in training:
            store.add(plan.problem, plan.engine, runs, together)
            results |= together
            for id in together:
                ended(runs[id])
    return results
