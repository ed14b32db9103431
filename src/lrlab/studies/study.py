"""A study carried out: what is stored is kept, what is missing is trained and stored."""

from collections.abc import Callable
from contextlib import closing

from lrlab.studies.execution import execute
from lrlab.studies.plan import Plan
from lrlab.studies.store import Store
from lrlab.training import Result, Run


def carry_out(
    plan: Plan,
    store: Store,
    workers: int | None = None,
    ended: Callable[[Run], None] = lambda run: None,
    memory: int | None = None,
) -> dict[str, Result]:
    """The results of every run of the plan, by id.

    Args:
        plan: the study.
        store: where runs are looked up, and where they are stored as they end.
        workers: how many processes, one for each core when left out.
        ended: called for each run that was trained and stored.
        memory: bytes that the ensemble may fill, all workers together; half of this machine's
            when left out.

    Raises:
        StudyError: the store cannot be written, or a worker process died.
        TrainingError: the engine of the plan cannot train its problem.
    """
    runs = plan.runs
    results = store.finished(runs)
    missing = {id: run for id, run in runs.items() if id not in results}
    with closing(execute(plan.problem, missing, plan.engine, workers, memory)) as training:
        for together in training:
            store.add(plan, together)
            results |= together
            for id in together:
                ended(runs[id])
    return results
