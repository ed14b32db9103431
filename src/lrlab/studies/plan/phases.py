"""The phases of a study and their runs: tuning, grid extensions, final runs.

The runs of a phase follow from the plan and the results of earlier phases alone, so that a stopped
study resumes where it was.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from lrlab.schedules import Schedule
from lrlab.studies.plan.defaults import BASELINE
from lrlab.studies.plan.grid import build_midpoints, compute_extension_lr, list_lrs
from lrlab.studies.plan.plan import Plan, hash_json
from lrlab.studies.plan.selection import Candidate, Selection, select_settings
from lrlab.studies.store.schema import FINAL_PHASE
from lrlab.training import Result, Run, Settings
from lrlab.training.settings import FLOAT32_MAX


@dataclass(frozen=True, eq=False)
class Phase:
    """A phase: some candidates, each trained with all seeds of the phase.

    Args:
        name: ``"tuning"``, ``"grid extension 1"`` and so on, ``"final"``.
        candidates: schedules with settings.
        seeds: of the runs of each candidate; runs of one seed form a pair.
        runs: by id, candidate after candidate.
    """

    name: str
    candidates: tuple[Candidate, ...]
    seeds: tuple[int, ...]
    runs: Mapping[str, Run]

    @classmethod
    def from_plan(
        cls, plan: Plan, name: str, candidates: Sequence[Candidate], seeds: Sequence[int]
    ) -> "Phase":
        """Build a phase with its runs."""
        runs = dict(_build_runs(plan, candidates, seeds))
        return cls(name, tuple(candidates), tuple(seeds), runs)

    def group_by_candidate(self, results: Mapping[str, Result]) -> dict[Candidate, list[Result]]:
        """Return the results of this phase by candidate, in the order of the seeds."""
        ids = iter(self.runs)
        return {
            candidate: [results[next(ids)] for _ in self.seeds] for candidate in self.candidates
        }


def plan_first_phase(plan: Plan) -> Phase:
    """Return the first phase of a study."""
    if plan.is_tuned:
        candidates = list(product(plan.schedules, plan.grid))
        return Phase.from_plan(plan, "tuning", candidates, plan.tuning_seeds)
    return _plan_final_phase(
        plan, {schedule: Selection(plan.grid[0]) for schedule in plan.schedules}
    )


def plan_next_phase(
    plan: Plan, finished_phases: Sequence[Phase], results: Mapping[str, Result]
) -> Phase | None:
    """Return the phase after the finished ones; None after the last.

    Args:
        plan: the study.
        finished_phases: one or more.
        results: of all their runs.
    """
    if finished_phases[-1].name == FINAL_PHASE:
        return None
    selections = select_tuned_settings(plan, finished_phases, results)
    extensions = list(_extend_grid(plan, finished_phases, selections))
    if extensions:
        return Phase.from_plan(
            plan, f"grid extension {len(finished_phases)}", extensions, plan.tuning_seeds
        )
    tried_candidates = (candidate for phase in finished_phases for candidate in phase.candidates)
    baseline_settings = [
        settings for schedule, settings in tried_candidates if schedule == BASELINE
    ]
    return _plan_final_phase(
        plan, selections, [*baseline_settings, *build_midpoints(baseline_settings)]
    )


def select_tuned_settings(
    plan: Plan, phases: Sequence[Phase], results: Mapping[str, Result]
) -> dict[Schedule, Selection]:
    """Return the settings selected for each schedule by the phases before the final runs."""
    results_by_candidate: dict[Candidate, list[Result]] = {}
    for phase in phases:
        if phase.name != FINAL_PHASE:
            results_by_candidate |= phase.group_by_candidate(results)
    if not results_by_candidate:
        return {schedule: Selection(plan.grid[0]) for schedule in plan.schedules}
    return select_settings(plan.problem.metric, results_by_candidate, plan.protocol.score)


def _plan_final_phase(
    plan: Plan, selections: Mapping[Schedule, Selection], baseline_settings: Iterable[Settings] = ()
) -> Phase:
    """Plan each schedule at its best settings, and the baseline at all that a winner must beat."""
    selected = [(schedule, selections[schedule].settings) for schedule in plan.schedules]
    baseline_candidates = [(BASELINE, settings) for settings in baseline_settings]
    return Phase.from_plan(
        plan, FINAL_PHASE, list(dict.fromkeys([*selected, *baseline_candidates])), plan.final_seeds
    )


def _extend_grid(
    plan: Plan, finished_phases: Sequence[Phase], selections: Mapping[Schedule, Selection]
) -> Iterator[Candidate]:
    """Yield candidates with one more learning rate for each schedule that is best at the edge."""
    lrs = list_lrs(plan.grid)
    tried_lrs: dict[Schedule, set[float]] = {}
    for schedule, settings in (
        candidate for phase in finished_phases for candidate in phase.candidates
    ):
        tried_lrs.setdefault(schedule, set()).add(settings.lr)
    for schedule, selection in selections.items():
        if not selection.at_grid_edge:
            continue
        edge_lr = lrs[-1] if selection.edge_side > 0 else lrs[0]
        added_count = sum((lr - edge_lr) * selection.edge_side > 0 for lr in tried_lrs[schedule])
        if added_count == plan.protocol.grid_extensions:
            continue
        lr = compute_extension_lr(lrs, selection.edge_side, added_count + 1)
        if lr <= FLOAT32_MAX:
            yield from ((schedule, replace(s, lr=lr)) for s in plan.grid if s.lr == edge_lr)


def _build_runs(
    plan: Plan, candidates: Sequence[Candidate], seeds: Sequence[int]
) -> Iterator[tuple[str, Run]]:
    """Yield runs with their ids; an id is a hash of all that the numbers of the run depend on."""
    schedule_contents = {schedule: plan.describe_schedule(schedule) for schedule, _ in candidates}
    settings_dicts = {settings: settings.to_dict() for _, settings in candidates}
    shared_content = {"problem": plan.problem.fingerprint, "engine": str(plan.engine)}
    for schedule, settings in candidates:
        candidate_content = {**schedule_contents[schedule], "settings": settings_dicts[settings]}
        for seed in seeds:
            content = {**shared_content, **candidate_content, "seed": seed}
            yield hash_json(content)[:32], Run(schedule, settings, seed)
