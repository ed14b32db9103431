"""A study carried out: what is stored is kept, what is missing is trained and stored."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager

from lrlab.errors import LrlabError, StudyError
from lrlab.studies.execution import Block, blocks_of, execute, held
from lrlab.studies.phases import Phase, first, following
from lrlab.studies.places import HERE, Place
from lrlab.studies.plan import Plan
from lrlab.studies.store import Member, Store
from lrlab.studies.study import Study
from lrlab.training import Result, Run

Watch = Callable[[Phase, Sequence[Run]], AbstractContextManager[Callable[[Run], None]]]
"""Told of every phase with those of its runs that will be trained; gives what to call at the end of
each of them.
"""


@contextmanager
def unwatched(phase: Phase, missing: Sequence[Run]) -> Iterator[Callable[[Run], None]]:
    """A ``Watch`` that tells nobody."""
    yield lambda run: None


def carry_out(
    plan: Plan,
    store: Store,
    place: Place = HERE,
    watch: Watch = unwatched,
    source: str | None = None,
) -> Study:
    """The study with the results of all its runs, phase after phase.

    Runs that are stored are not trained again; the others are trained in the blocks that were
    recorded when their phase was planned, so that a study which was stopped comes to the same
    numbers as one that was not.

    Args:
        plan: the study.
        store: where runs are looked up, and where they are stored as they end.
        place: where runs are trained.
        watch: told of every phase and of every run that was trained and stored.
        source: how the command line comes to the problem again, as JSON.

    Raises:
        StudyError: the store cannot be written, or a worker process died; or what is stored of this
            study was planned by other rules than this version's.
        TrainingError: the engine of the plan cannot train its problem.
    """
    done: list[Phase] = []
    results: dict[str, Result] = {}
    phase: Phase | None = first(plan)
    begun = store.has(plan.id)
    try:
        with held(place):
            while phase is not None:
                blocks = _blocks(plan, phase, store, place, source)
                results |= _carried_out(plan, phase, blocks, store, place, watch)
                done.append(phase)
                phase = following(plan, done, results)
    except LrlabError:
        # What cannot be trained at all is no study: nothing could go on with it.
        if not begun and store.has(plan.id) and not store.known(first(plan).runs):
            store.delete(plan.id)
        raise
    return Study(plan, tuple(done), results)


def _carried_out(
    plan: Plan, phase: Phase, blocks: list[Block], store: Store, place: Place, watch: Watch
) -> dict[str, Result]:
    known = store.known(phase.runs)
    # Of another study when this phase was planned, and deleted with it a moment later.
    lost = phase.runs.keys() - known - {id for block in blocks for id in block}
    if lost:
        runs = {id: run for id, run in phase.runs.items() if id in lost}
        again = blocks_of(plan.problem, runs, plan.engine, place)
        blocks += [{id: runs[id] for id in ids} for ids in again]
    missing = [block for block in blocks if not known >= block.keys()]
    new = [run for block in missing for id, run in block.items() if id not in known]
    with (
        watch(phase, new) as ended,
        closing(execute(plan.problem, missing, plan.engine, place)) as training,
    ):
        for together in training:
            store.add(plan.problem, plan.engine, phase.runs, together)
            for id in together:
                if id not in known:
                    ended(phase.runs[id])
    # As they are stored: another process may have stored some before this one.
    return store.finished(phase.runs)


def _blocks(
    plan: Plan, phase: Phase, store: Store, place: Place, source: str | None
) -> list[Block]:
    """What is trained together in a phase: as it was recorded, by whoever planned it first.

    With the first phase a study begins: nothing is noted of one that cannot be trained.
    """
    members = store.phase(plan.id, phase.name)
    fresh = _members(plan, phase, store, place) if members is None else None
    store.begin(plan.id, plan.problem, plan.engine, json.dumps(plan.described()), source)
    if fresh is not None:
        store.plan_phase(plan.id, phase.name, fresh)
        members = store.phase(plan.id, phase.name)
    assert members is not None
    if {id for id, _ in members} != phase.runs.keys():
        raise StudyError(
            f"study {plan.id} has planned other runs for its phase {phase.name} than its results "
            "lead to now, so another version of lrlab has begun it; delete it with lrlab delete "
            f"{plan.id} and begin it again."
        )
    grouped: dict[int, dict[str, Run]] = {}
    for id, number in members:
        if number is not None:
            grouped.setdefault(number, {})[id] = phase.runs[id]
    return list(grouped.values())


def _members(plan: Plan, phase: Phase, store: Store, place: Place) -> list[Member]:
    """The runs of a phase that is planned now, each with the number of its block."""
    known = store.known(phase.runs)
    missing = {id: run for id, run in phase.runs.items() if id not in known}
    blocks = blocks_of(plan.problem, missing, plan.engine, place) if missing else []
    numbers = {id: number for number, ids in enumerate(blocks) for id in ids}
    return [(id, numbers.get(id)) for id in phase.runs]
