"""The phases of a study, one after the other: tuning, widening, the final runs.

Which runs a phase has follows from the plan and from the results of the phases before it, and from
nothing else, so that a study which was stopped goes on where it was.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from lrlab.schedules import Schedule, to_text
from lrlab.studies.choosing import Candidate, Tuned, tune
from lrlab.studies.defaults import BASELINE
from lrlab.studies.entries import FINAL
from lrlab.studies.grid import beyond, halfway, rates_of
from lrlab.studies.plan import Plan, hashed
from lrlab.training import Result, Run, Settings
from lrlab.training.settings import HIGHEST_RATE


@dataclass(frozen=True, eq=False)
class Phase:
    """Some candidates, each with every one of some seeds.

    Args:
        name: ``"tuning"``, ``"widening 1"`` and so on, ``"final"``.
        candidates: schedules with settings.
        seeds: of the runs of each; runs of one seed form a pair.
        runs: by their ids, candidate after candidate.
    """

    name: str
    candidates: tuple[Candidate, ...]
    seeds: tuple[int, ...]
    runs: Mapping[str, Run]

    @classmethod
    def of(
        cls, plan: Plan, name: str, candidates: Sequence[Candidate], seeds: Sequence[int]
    ) -> "Phase":
        """The phase with its runs."""
        runs = dict(_runs(plan, candidates, seeds))
        return cls(name, tuple(candidates), tuple(seeds), runs)

    def by_candidate(self, results: Mapping[str, Result]) -> dict[Candidate, list[Result]]:
        """Of results by id, the phase's own: a list per candidate, in the order of the seeds."""
        ids = iter(self.runs)
        return {one: [results[next(ids)] for _ in self.seeds] for one in self.candidates}


def first(plan: Plan) -> Phase:
    """The phase that a study begins with."""
    if plan.tuned:
        every = list(product(plan.schedules, plan.grid))
        return Phase.of(plan, "tuning", every, plan.tuning_seeds)
    return _final(plan, {schedule: Tuned(plan.grid[0]) for schedule in plan.schedules})


def following(plan: Plan, done: Sequence[Phase], results: Mapping[str, Result]) -> Phase | None:
    """The phase after those that are done; None after the last.

    Args:
        plan: the study.
        done: its phases so far, one or more.
        results: of all their runs.
    """
    if done[-1].name == FINAL:
        return None
    tuned = tuned_by(plan, done, results)
    more = list(_widened(plan, done, tuned))
    if more:
        return Phase.of(plan, f"widening {len(done)}", more, plan.tuning_seeds)
    tried = (one for phase in done for one in phase.candidates)
    rivals = [settings for schedule, settings in tried if schedule == BASELINE]
    return _final(plan, tuned, [*rivals, *halfway(rivals)])


def tuned_by(
    plan: Plan, done: Sequence[Phase], results: Mapping[str, Result]
) -> dict[Schedule, Tuned]:
    """The settings chosen for each schedule by the phases before the final runs."""
    trials: dict[Candidate, list[Result]] = {}
    for phase in done:
        if phase.name != FINAL:
            trials |= phase.by_candidate(results)
    if not trials:
        return {schedule: Tuned(plan.grid[0]) for schedule in plan.schedules}
    return tune(plan.problem, trials, plan.tuning_seeds, plan.protocol.score)


def _final(plan: Plan, tuned: Mapping[Schedule, Tuned], rivals: Iterable[Settings] = ()) -> Phase:
    """Each schedule at its best, then the baseline at whatever else a winner has to beat."""
    chosen = [(schedule, tuned[schedule].settings) for schedule in plan.schedules]
    others = [(BASELINE, settings) for settings in rivals]
    return Phase.of(plan, FINAL, list(dict.fromkeys([*chosen, *others])), plan.seeds)


def _widened(
    plan: Plan, done: Sequence[Phase], tuned: Mapping[Schedule, Tuned]
) -> Iterator[Candidate]:
    """One more rate for every schedule that is best at the last one, with all that goes with it."""
    grid = rates_of(plan.grid)
    tried: dict[Schedule, set[float]] = {}
    for schedule, settings in (one for phase in done for one in phase.candidates):
        tried.setdefault(schedule, set()).add(settings.lr)
    for schedule, own in tuned.items():
        if not own.edge:
            continue
        end = grid[-1] if own.side > 0 else grid[0]
        added = sum((rate - end) * own.side > 0 for rate in tried[schedule])
        if added == plan.protocol.widenings:
            continue
        rate = beyond(grid, own.side, added + 1)
        if rate <= HIGHEST_RATE:
            yield from ((schedule, replace(s, lr=rate)) for s in plan.grid if s.lr == end)


def _runs(
    plan: Plan, candidates: Sequence[Candidate], seeds: Sequence[int]
) -> Iterator[tuple[str, Run]]:
    """Runs with their ids, each a hash of all that the numbers of the run depend on."""
    texts = {schedule: to_text(schedule) for schedule, _ in candidates}
    described = {settings: settings.described() for _, settings in candidates}
    same = {"problem": plan.problem.fingerprint, "engine": str(plan.engine)}
    for schedule, settings in candidates:
        own = {"schedule": texts[schedule], "settings": described[settings]}
        for seed in seeds:
            what = {**same, **own, "seed": seed}
            yield hashed(what)[:32], Run(schedule, settings, seed)
