"""Runs a study phase by phase: trains the runs that are not stored yet, and stores them."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from lrlab.errors import LrlabError
from lrlab.problems import Trainable
from lrlab.studies.execution.backends import THIS_MACHINE, Backend
from lrlab.studies.plan.phases import Phase, plan_first_phase, plan_next_phase
from lrlab.studies.plan.plan import Plan
from lrlab.studies.store.reader import PlannedRun
from lrlab.studies.store.sqlite import Store
from lrlab.studies.study import StudyResult, check_planned_runs
from lrlab.training import Result, Run
from lrlab.training.engines import Engine

Block = Mapping[str, Run]
"""Runs that are trained together and end together, by their ids."""


@dataclass(frozen=True)
class Progress:
    """How far a phase of a study is.

    Args:
        phase: name of the phase: ``"tuning"``, ``"grid extension 1"``, ..., ``"final"``.
        planned: number of its runs.
        stored: number of its runs that were stored when it began.
        trained: number of its runs that have been trained and stored since.
    """

    phase: str
    planned: int
    stored: int
    trained: int = 0


ProgressCallback = Callable[[Progress], object]
"""Called when a phase begins, and whenever some of its runs have been stored."""


def ignore_progress(progress: Progress) -> None:
    """Do nothing; a ``ProgressCallback``."""


def run_study(
    plan: Plan,
    store: Store,
    backend: Backend = THIS_MACHINE,
    progress: ProgressCallback = ignore_progress,
    source: str | None = None,
) -> StudyResult:
    """Return the study with the results of all its runs, trained phase after phase.

    Stored runs are not trained again. The others are trained in the blocks recorded when their
    phase was planned, so that a study that was stopped and resumed gives the same numbers as one
    that was not.

    Args:
        plan: the study.
        store: where runs are looked up, and stored as they end.
        backend: where runs are trained.
        progress: called when a phase begins, and whenever some of its runs have been stored.
        source: how the command line loads the problem again, as JSON.

    Raises:
        StudyError: the store cannot be written, a worker process died, or another version of
            lrlab planned what is stored of this study.
        TrainingError: the engine of the plan cannot train its problem.
    """
    finished_phases: list[Phase] = []
    results: dict[str, Result] = {}
    phase: Phase | None = plan_first_phase(plan)
    was_stored = store.has_study(plan.id)
    try:
        with backend.open():
            while phase is not None:
                blocks = _load_or_plan_blocks(plan, phase, store, backend, source)
                results |= _run_phase(plan, phase, blocks, store, backend, progress)
                finished_phases.append(phase)
                phase = plan_next_phase(plan, finished_phases, results)
    except LrlabError:
        # A study that cannot be trained at all leaves no trace: it could never be resumed.
        if (
            not was_stored
            and store.has_study(plan.id)
            and not store.find_stored_runs(plan_first_phase(plan).runs)
        ):
            store.delete_study(plan.id)
        raise
    return StudyResult(plan, tuple(finished_phases), results, store.load_versions(plan.id))


def plan_blocks(
    problem: Trainable, runs: Mapping[str, Run], engine: Engine, backend: Backend = THIS_MACHINE
) -> list[list[str]]:
    """Return the ids of the runs to train together, block by block; one run each in the loop.

    Digits of float32 depend on which runs are trained together, so that a resumed study uses the
    same blocks.

    Args:
        problem: what is trained.
        runs: by id, one or more.
        engine: what trains them.
        backend: where; it determines how many blocks are trained at a time.

    Raises:
        TrainingError: the engine cannot train this problem.
        StudyError: there is no such cluster.
    """
    run_ids = list(runs)
    blocks = engine.split_into_blocks(
        problem, list(runs.values()), backend.count_workers(engine), backend.memory_bytes
    )
    return [[run_ids[i] for i in block] for block in blocks]


def train_blocks(
    problem: Trainable, blocks: Sequence[Block], engine: Engine, backend: Backend = THIS_MACHINE
) -> Generator[dict[str, Result], None, None]:
    """Train all blocks and yield the results of each when it has ended, by the ids of its runs.

    Args:
        problem: what is trained.
        blocks: they start in this order.
        engine: what trains them.
        backend: where.

    Raises:
        StudyError: a worker process died, the problem cannot be sent to one, or the cluster does
            not exist or was lost.
        TrainingError: the engine cannot train this problem, or not on this machine.
    """
    if not blocks:
        return
    training = backend.train_blocks(problem, [list(block.values()) for block in blocks], engine)
    with closing(training) as trained:
        for i, results in trained:
            yield dict(zip(blocks[i], results, strict=True))


def _run_phase(
    plan: Plan,
    phase: Phase,
    blocks: list[Block],
    store: Store,
    backend: Backend,
    progress: ProgressCallback,
) -> dict[str, Result]:
    stored = store.find_stored_runs(phase.runs)
    # Runs that another study had when this phase was planned, and that were deleted with it since.
    lost = phase.runs.keys() - stored - {run_id for block in blocks for run_id in block}
    if lost:
        runs = {run_id: run for run_id, run in phase.runs.items() if run_id in lost}
        lost_blocks = plan_blocks(plan.problem, runs, plan.engine, backend)
        blocks += [{run_id: runs[run_id] for run_id in run_ids} for run_ids in lost_blocks]
    missing = [block for block in blocks if not stored >= block.keys()]
    progress_so_far = Progress(phase.name, planned=len(phase.runs), stored=len(stored))
    progress(progress_so_far)
    with closing(train_blocks(plan.problem, missing, plan.engine, backend)) as training:
        for block_results in training:
            store.add_results(plan.problem, plan.engine, phase.runs, block_results)
            trained = progress_so_far.trained + len(block_results.keys() - stored)
            progress_so_far = replace(progress_so_far, trained=trained)
            progress(progress_so_far)
    # Read from the store: another process may have stored some of them first.
    return store.load_results(phase.runs)


def _load_or_plan_blocks(
    plan: Plan, phase: Phase, store: Store, backend: Backend, source: str | None
) -> list[Block]:
    """Return the blocks of a phase as recorded by the process that planned it first.

    A study begins with its first phase: nothing is recorded of one that cannot be trained.
    """
    planned_runs = store.load_phase(plan.id, phase.name)
    new_runs = _plan_phase_runs(plan, phase, store, backend) if planned_runs is None else None
    store.add_study(plan.id, plan.problem, plan.engine, json.dumps(plan.to_dict()), source)
    if new_runs is not None:
        store.add_phase(plan.id, phase.name, new_runs)
        planned_runs = store.load_phase(plan.id, phase.name)
    assert planned_runs is not None
    check_planned_runs(plan, phase, planned_runs)
    grouped: dict[int, dict[str, Run]] = {}
    for run_id, block_number in planned_runs:
        if block_number is not None:
            grouped.setdefault(block_number, {})[run_id] = phase.runs[run_id]
    return list(grouped.values())


def _plan_phase_runs(plan: Plan, phase: Phase, store: Store, backend: Backend) -> list[PlannedRun]:
    """Return the runs of a new phase, each with the number of its block."""
    stored = store.find_stored_runs(phase.runs)
    missing = {run_id: run for run_id, run in phase.runs.items() if run_id not in stored}
    blocks = plan_blocks(plan.problem, missing, plan.engine, backend) if missing else []
    block_numbers = {run_id: number for number, run_ids in enumerate(blocks) for run_id in run_ids}
    return [(run_id, block_numbers.get(run_id)) for run_id in phase.runs]
