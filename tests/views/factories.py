"""Studies whose results are given, without a training."""

from collections.abc import Mapping, Sequence

from lrlab.schedules import Schedule
from lrlab.studies import BASELINE, Plan, StudyResult, plan_first_phase, plan_next_phase
from lrlab.training import Curve, Epoch, Result, Settings

Results = Mapping[Schedule, Sequence[Result]]


def study_of(
    plan: Plan,
    finals: Results,
    chosen: Mapping[Schedule, Settings] | None = None,
    elsewhere: Sequence[Result] | None = None,
) -> StudyResult:
    """The study whose final runs have come to these results.

    Args:
        plan: the study.
        finals: of each schedule at the settings chosen for it.
        chosen: those settings; the first of the grid where they are left out.
        elsewhere: the baseline's at all other settings; the same as at those chosen when left out.
    """
    best = dict.fromkeys(plan.schedules, plan.grid[0]) | dict(chosen or {})
    phase, done, results = plan_first_phase(plan), [], {}
    while phase is not None:
        done.append(phase)
        own = []
        for schedule, settings in phase.candidates:
            at_best = settings == best[schedule]
            if phase.name == "final" and (at_best or schedule != BASELINE):
                own += finals[schedule]
            elif phase.name == "final":
                own += elsewhere or finals[schedule]
            else:
                own += [_held_out(0.9 if at_best else 0.5)] * len(phase.seeds)
        results |= dict(zip(phase.runs, own, strict=True))
        phase = plan_next_phase(plan, done, results)
    return StudyResult(plan, tuple(done), results)


def _held_out(score: float) -> Result:
    return Result(0.5, False, Curve.from_epochs([Epoch(0, 0.1, 0.1, 1.0, 0.5, 0.7, score)]), 0.0)
