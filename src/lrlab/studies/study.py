"""A study carried out: what is stored is kept, what is missing is trained and stored."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lrlab.errors import StudyError
from lrlab.schedules import Schedule
from lrlab.studies import tables
from lrlab.studies.choosing import Candidate, Tuned
from lrlab.studies.defaults import BASELINE
from lrlab.studies.execution import Block, blocks_of, execute, held
from lrlab.studies.phases import Phase, first, following, tuned_by
from lrlab.studies.places import HERE, Place
from lrlab.studies.plan import Plan
from lrlab.studies.scoring import score_of
from lrlab.studies.statistics import Comparison, judge
from lrlab.studies.store import Member, Store
from lrlab.studies.verdict import answer
from lrlab.training import Result, Run, Settings

Watch = Callable[[Phase, Sequence[Run]], AbstractContextManager[Callable[[Run], None]]]
"""Told of every phase with those of its runs that will be trained; gives what to call at the end of
each of them.
"""


@contextmanager
def unwatched(phase: Phase, missing: Sequence[Run]) -> Iterator[Callable[[Run], None]]:
    """A ``Watch`` that tells nobody."""
    yield lambda run: None


@dataclass(frozen=True, eq=False)
class Study:
    """A study with all its results.

    Args:
        plan: what was compared, and how.
        phases: those it had, the final runs last.
        results: of every run by id.
    """

    plan: Plan
    phases: tuple[Phase, ...]
    results: Mapping[str, Result]

    @cached_property
    def tuned(self) -> dict[Schedule, Tuned]:
        """The settings chosen for each schedule."""
        return tuned_by(self.plan, self.phases, self.results)

    @cached_property
    def finals(self) -> dict[Schedule, list[Result]]:
        """The final runs of each schedule at the settings chosen for it, in the order of the
        seeds.
        """
        return {s: self._final[s, own.settings] for s, own in self.tuned.items()}

    @cached_property
    def rivals(self) -> dict[Settings, list[Result]]:
        """The final runs of the baseline: at every settings that it was tried with, and halfway
        between neighbouring rates.
        """
        return {settings: own for (s, settings), own in self._final.items() if s == BASELINE}

    @cached_property
    def _final(self) -> dict[Candidate, list[Result]]:
        return self.phases[-1].by_candidate(self.results)

    @cached_property
    def comparison(self) -> Comparison:
        """The statistics of the final runs."""
        problem = self.plan.problem
        return judge(
            {schedule: self._scores(own) for schedule, own in self.finals.items()},
            BASELINE,
            problem.metric,
            problem.overlap,
            diverged={s: sum(r.diverged for r in own) for s, own in self.finals.items()},
            tuned=self.tuned if self.plan.tuned else {},
            rivals={settings: self._scores(own) for settings, own in self.rivals.items()},
        )

    def _scores(self, results: Sequence[Result]) -> NDArray[np.float64]:
        problem, score = self.plan.problem, self.plan.protocol.score
        return np.array([score_of(result, problem, score) for result in results])

    @property
    def answer(self) -> str:
        """What the numbers say, in words."""
        return answer(self.comparison)

    @property
    def table(self) -> pd.DataFrame:
        """The comparison: a row for each schedule, by rank."""
        return tables.comparison_frame(self)

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each run of all phases."""
        return tables.runs_frame(self)

    @property
    def epochs(self) -> pd.DataFrame:
        """A row for each epoch of each run."""
        return tables.epochs_frame(self)

    def __repr__(self) -> str:
        return f"Study {self.plan.id} of {self.plan.problem.name}\n{self.answer}"

    def _repr_html_(self) -> str:
        """The answer and the table, for notebooks."""
        return tables.html(self)


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
    with held(place):
        while phase is not None:
            blocks = _blocks(plan, phase, store, place, source)
            results |= _carried_out(plan, phase, blocks, store, place, watch)
            done.append(phase)
            phase = following(plan, done, results)
    return Study(plan, tuple(done), results)


def _carried_out(
    plan: Plan, phase: Phase, blocks: list[Block], store: Store, place: Place, watch: Watch
) -> dict[str, Result]:
    results = store.finished(phase.runs)
    # Of another study when this phase was planned, and deleted with it a moment later.
    lost = phase.runs.keys() - results.keys() - {id for block in blocks for id in block}
    if lost:
        runs = {id: run for id, run in phase.runs.items() if id in lost}
        again = blocks_of(plan.problem, runs, plan.engine, place)
        blocks += [{id: runs[id] for id in ids} for ids in again]
    missing = [block for block in blocks if not results.keys() >= block.keys()]
    new = [run for block in missing for id, run in block.items() if id not in results]
    with (
        watch(phase, new) as ended,
        closing(execute(plan.problem, missing, plan.engine, place)) as training,
    ):
        for together in training:
            store.add(plan.problem, plan.engine, phase.runs, together)
            for id in together:
                if id not in results:
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
