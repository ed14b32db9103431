"""A study carried out: what is stored is kept, what is missing is trained and stored."""

from collections.abc import Callable

from lrlab.studies.execution import execute
from lrlab.studies.plan import Plan
from lrlab.studies.store import Store
from lrlab.training import Result, Run


def carry_out(
    plan: Plan,
    store: Store,
    workers: int | None = None,
    ended: Callable[[Run], None] = lambda run: None,
) -> dict[str, Result]:
    """The results of every run of the plan, by id.

    Args:
        plan: the study.
        store: where runs are looked up, and where each is stored as it ends.
        workers: how many processes, one for each core when left out.
        ended: called after each run that was trained and stored.

    Raises:
        StudyError: the store cannot be written, or a worker process died.
    """
    runs = plan.runs
    results = store.finished(runs)
    missing = {id: run for id, run in runs.items() if id not in results}
    for id, result in execute(plan.problem, missing, workers):
        store.add(plan, id, runs[id], result)
        results[id] = result
        ended(runs[id])
    return results
