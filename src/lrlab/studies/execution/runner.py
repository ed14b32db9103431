"""A study carried out: what is stored is kept, what is missing is trained and stored."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager

from lrlab.errors import LrlabError, StudyError
from lrlab.studies.execution.backends import THIS_MACHINE, Backend
from lrlab.studies.execution.local import Block, open_backend, plan_blocks, train_blocks
from lrlab.studies.plan.phases import Phase, plan_first_phase, plan_next_phase
from lrlab.studies.plan.plan import Plan
from lrlab.studies.store.sqlite import PlannedRun, Store
from lrlab.studies.study import StudyResult
from lrlab.training import Result, Run

ProgressCallback = Callable[[Phase, Sequence[Run]], AbstractContextManager[Callable[[Run], None]]]
"""Told of every phase with those of its runs that will be trained; gives what to call at the end of
each of them.
"""


@contextmanager
def ignore_progress(phase: Phase, missing_runs: Sequence[Run]) -> Iterator[Callable[[Run], None]]:
    """A ``ProgressCallback`` that tells nobody."""
    yield lambda run: None


def run_study(
    plan: Plan,
    store: Store,
    backend: Backend = THIS_MACHINE,
    progress: ProgressCallback = ignore_progress,
    source: str | None = None,
) -> StudyResult:
    """The study with the results of all its runs, phase after phase.

    Runs that are stored are not trained again; the others are trained in the blocks that were
    recorded when their phase was planned, so that a study which was stopped comes to the same
    numbers as one that was not.

    Args:
        plan: the study.
        store: where runs are looked up, and where they are stored as they end.
        backend: where runs are trained.
        progress: told of every phase and of every run that was trained and stored.
        source: how the command line comes to the problem again, as JSON.

    Raises:
        StudyError: the store cannot be written, or a worker process died; or what is stored of this
            study was planned by other rules than this version's.
        TrainingError: the engine of the plan cannot train its problem.
    """
    finished_phases: list[Phase] = []
    results: dict[str, Result] = {}
    phase: Phase | None = plan_first_phase(plan)
    was_stored = store.has_study(plan.id)
    try:
        with open_backend(backend):
            while phase is not None:
                blocks = _load_or_plan_blocks(plan, phase, store, backend, source)
                results |= _run_phase(plan, phase, blocks, store, backend, progress)
                finished_phases.append(phase)
                phase = plan_next_phase(plan, finished_phases, results)
    except LrlabError:
        # What cannot be trained at all is no study: nothing could go on with it.
        if (
            not was_stored
            and store.has_study(plan.id)
            and not store.find_stored_runs(plan_first_phase(plan).runs)
        ):
            store.delete_study(plan.id)
        raise
    return StudyResult(plan, tuple(finished_phases), results)


def _run_phase(
    plan: Plan,
    phase: Phase,
    blocks: list[Block],
    store: Store,
    backend: Backend,
    progress: ProgressCallback,
) -> dict[str, Result]:
    stored = store.find_stored_runs(phase.runs)
    # Of another study when this phase was planned, and deleted with it a moment later.
    lost = phase.runs.keys() - stored - {run_id for block in blocks for run_id in block}
    if lost:
        runs = {id: run for id, run in phase.runs.items() if id in lost}
        lost_blocks = plan_blocks(plan.problem, runs, plan.engine, backend)
        blocks += [{id: runs[id] for id in ids} for ids in lost_blocks]
    missing = [block for block in blocks if not stored >= block.keys()]
    new = [run for block in missing for id, run in block.items() if id not in stored]
    with (
        progress(phase, new) as on_run_end,
        closing(train_blocks(plan.problem, missing, plan.engine, backend)) as training,
    ):
        for block_results in training:
            store.add_results(plan.problem, plan.engine, phase.runs, block_results)
            for id in block_results:
                if id not in stored:
                    on_run_end(phase.runs[id])
    # As they are stored: another process may have stored some before this one.
    return store.load_results(phase.runs)


def _load_or_plan_blocks(
    plan: Plan, phase: Phase, store: Store, backend: Backend, source: str | None
) -> list[Block]:
    """What is trained together in a phase: as it was recorded, by whoever planned it first.

    With the first phase a study begins: nothing is noted of one that cannot be trained.
    """
    planned_runs = store.load_phase(plan.id, phase.name)
    new_runs = _plan_phase_runs(plan, phase, store, backend) if planned_runs is None else None
    store.add_study(plan.id, plan.problem, plan.engine, json.dumps(plan.to_dict()), source)
    if new_runs is not None:
        store.add_phase(plan.id, phase.name, new_runs)
        planned_runs = store.load_phase(plan.id, phase.name)
    assert planned_runs is not None
    if {run_id for run_id, _ in planned_runs} != phase.runs.keys():
        raise StudyError(
            f"study {plan.id} has planned other runs for its phase {phase.name} than its results "
            "lead to now, so another version of lrlab has begun it; delete it with lrlab delete "
            f"{plan.id} and begin it again."
        )
    grouped: dict[int, dict[str, Run]] = {}
    for id, number in planned_runs:
        if number is not None:
            grouped.setdefault(number, {})[id] = phase.runs[id]
    return list(grouped.values())


def _plan_phase_runs(plan: Plan, phase: Phase, store: Store, backend: Backend) -> list[PlannedRun]:
    """The runs of a phase that is planned now, each with the number of its block."""
    stored = store.find_stored_runs(phase.runs)
    missing = {run_id: run for run_id, run in phase.runs.items() if run_id not in stored}
    blocks = plan_blocks(plan.problem, missing, plan.engine, backend) if missing else []
    block_numbers = {id: number for number, ids in enumerate(blocks) for id in ids}
    return [(id, block_numbers.get(id)) for id in phase.runs]
