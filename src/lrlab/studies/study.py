"""The result of a study: the comparison of its final runs, and all its numbers as pandas frames."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lrlab.errors import LrlabError, ScheduleError, StudyError
from lrlab.schedules import Schedule, to_text
from lrlab.studies.frames import build_comparison_frame, build_epochs_frame, build_runs_frame
from lrlab.studies.plan.defaults import BASELINE
from lrlab.studies.plan.grid import find_varied_hyperparameters, label_settings
from lrlab.studies.plan.phases import (
    Phase,
    plan_first_phase,
    plan_next_phase,
    select_tuned_settings,
)
from lrlab.studies.plan.plan import Plan
from lrlab.studies.plan.selection import Candidate, Selection, compute_test_score
from lrlab.studies.statistics import (
    Comparison,
    ComparisonRow,
    PairedComparison,
    Recommendation,
    RecommendationReason,
    TimeToTarget,
    compare_scores,
    compute_times_to_target,
    recommend,
)
from lrlab.studies.store.reader import PlannedRun, ReadableStore, StudySummary
from lrlab.studies.store.rows import RunRow
from lrlab.studies.store.run_results import describe_settings
from lrlab.studies.store.schema import FINAL_PHASE
from lrlab.studies.store.stored_problem import StoredProblem, describe_problem
from lrlab.training import Result, Settings
from lrlab.training.engines import Engine


@dataclass(frozen=True, repr=False)
class BestConfig:
    """The schedule to use, with its settings.

    It is not simply the one with the highest mean, which may be luck: another schedule than the
    baseline must be better than the baseline at all its settings (see ``reason``).

    Args:
        schedule: the schedule.
        settings: those of its runs, selected by their validation score.
        validation_score: the mean validation score by which the settings were selected; None if
            they were not tuned.
        test_score: mean test score of its final runs.
        diverged_count: how many of its final runs diverged.
        vs_baseline: its comparison with the baseline; None if it is the baseline.
        reason: why it is recommended.
    """

    schedule: Schedule
    settings: Settings
    validation_score: float | None
    test_score: float
    diverged_count: int
    vs_baseline: PairedComparison | None
    reason: RecommendationReason

    @property
    def lr(self) -> float:
        """The learning rate, which the schedule multiplies."""
        return self.settings.lr

    @property
    def momentum(self) -> float:
        """The momentum of SGD or RMSprop."""
        return self.settings.momentum

    def __repr__(self) -> str:
        return (
            f"BestConfig(schedule={self.schedule!r}, lr={self.lr!r}, momentum={self.momentum!r}, "
            f"validation_score={self.validation_score!r}, reason={self.reason.value!r})"
        )


@dataclass(frozen=True, eq=False, repr=False)
class StudyResult:
    """A study with the results of all its runs.

    Args:
        plan: what is compared, and how.
        phases: its phases, the final runs last.
        results: results of the finished runs, by id.
        versions: of lrlab, Python and the libraries that began it, by name.
    """

    plan: Plan
    phases: tuple[Phase, ...]
    results: Mapping[str, Result]
    versions: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.plan.problem.name}, study {self.plan.id})"

    @property
    def is_finished(self) -> bool:
        """Whether all runs of all phases are finished."""
        return self._planned_count == len(self.results) and any(
            phase.name == FINAL_PHASE for phase in self.phases
        )

    @property
    def _planned_count(self) -> int:
        return len({run_id for phase in self.phases for run_id in phase.runs})

    def _check_finished(self) -> None:
        if not self.is_finished:
            raise StudyError(
                f"study {self.plan.id} is not finished, only {len(self.results)} of the "
                f"{self._planned_count} runs planned so far; continue it with "
                f'`lrlab.resume_study("{self.plan.id}")`, or repeat the script that started it.'
            )

    @cached_property
    def schedules_by_label(self) -> dict[str, Schedule]:
        """The schedules by their labels in ``comparison``: their texts."""
        return {repr(schedule): schedule for schedule in self.plan.schedules}

    @cached_property
    def selections(self) -> dict[Schedule, Selection]:
        """The tuned settings of each schedule.

        Raises:
            StudyError: the study is not finished; so do all other properties that need all runs.
        """
        self._check_finished()
        return select_tuned_settings(self.plan, self.phases, self.results)

    @property
    def grid_extension_count(self) -> int:
        """How many learning rates were added at an end of the grid, at most, for a schedule."""
        return max(0, len(self.phases) - 2)  # all phases but tuning and the final runs

    @property
    def edge_lrs(self) -> list[float]:
        """The selected learning rates beyond which a better one may lie, in ascending order."""
        return sorted({s.settings.lr for s in self.selections.values() if s.at_grid_edge})

    @cached_property
    def final_results(self) -> dict[Schedule, list[Result]]:
        """The final runs of each schedule at its tuned settings, in the order of the seeds."""
        return {
            schedule: self._final_by_candidate[schedule, selection.settings]
            for schedule, selection in self.selections.items()
        }

    @cached_property
    def baseline_results(self) -> dict[Settings, list[Result]]:
        """The final runs of the baseline: at all settings tried, and halfway between neighboring
        learning rates.
        """
        return {
            settings: results
            for (schedule, settings), results in self._final_by_candidate.items()
            if schedule == BASELINE
        }

    @cached_property
    def baseline_settings(self) -> dict[str, Settings]:
        """The settings of the baseline's final runs by their labels in ``comparison``."""
        return label_settings(self.baseline_results)

    @cached_property
    def _final_by_candidate(self) -> dict[Candidate, list[Result]]:
        self._check_finished()
        return self.phases[-1].group_by_candidate(self.results)

    @cached_property
    def comparison(self) -> Comparison:
        """The statistics of the final runs."""
        problem, schedules = self.plan.problem, self.schedules_by_label
        final_results = {label: self.final_results[s] for label, s in schedules.items()}
        return compare_scores(
            {label: self._compute_scores(results) for label, results in final_results.items()},
            repr(BASELINE),
            greater_is_better=problem.metric.greater_is_better,
            test_train_ratio=problem.test_train_ratio,
            diverged_counts={
                label: sum(result.diverged for result in results)
                for label, results in final_results.items()
            },
            at_grid_edge=[
                label for label, s in schedules.items() if self.selections[s].at_grid_edge
            ],
            baseline_scores={
                label: self._compute_scores(self.baseline_results[settings])
                for label, settings in self.baseline_settings.items()
            },
        )

    @cached_property
    def recommendation(self) -> Recommendation:
        """Which schedule to use, by its label in ``comparison``, and why."""
        return recommend(self.comparison)

    @property
    def best(self) -> BestConfig:
        """The schedule to use with its settings: one that is better than the constant rate at all
        settings of the constant rate; otherwise the constant rate.

        Raises:
            StudyError: every run of the constant rate diverged, and no other schedule can be
                recommended.
        """
        row = self.recommendation.row
        if row is None:
            raise StudyError(
                f"study {self.plan.id} has no best schedule, since every run of the constant rate "
                "diverged and no other schedule can be recommended; use a lower `lr`."
            )
        schedule = self.schedules_by_label[row.label]
        selection = self.selections[schedule]
        return BestConfig(
            schedule=schedule,
            settings=selection.settings,
            validation_score=selection.validation_score,
            test_score=row.mean,
            diverged_count=row.diverged_count,
            vs_baseline=row.vs_baseline,
            reason=self.recommendation.reason,
        )

    def compute_times_to_target(
        self, target_score: float | None = None
    ) -> tuple[TimeToTarget, ...]:
        """Return the number of epochs that each schedule takes to reach a score on test rows.

        Args:
            target_score: the score to reach; the mean score of the baseline by default.

        Raises:
            StudyError: the target score is not a finite number.
        """
        return compute_times_to_target(
            {
                label: [_get_test_curve(result) for result in self.final_results[schedule]]
                for label, schedule in self.schedules_by_label.items()
            },
            self.comparison.baseline_row.mean if target_score is None else target_score,
            greater_is_better=self.plan.problem.metric.greater_is_better,
        )

    def _compute_scores(self, results: Sequence[Result]) -> NDArray[np.float64]:
        metric, score = self.plan.problem.metric, self.plan.protocol.score
        return np.array([compute_test_score(result, metric, score) for result in results])

    @property
    def table(self) -> pd.DataFrame:
        """The comparison: a row for each schedule, by rank; see ``build_comparison_frame``."""
        hyperparameters = find_varied_hyperparameters(self.plan.grid)
        selected_settings = {
            label: {
                name: getattr(self.selections[schedule].settings, name) for name in hyperparameters
            }
            for label, schedule in self.schedules_by_label.items()
        }
        return build_comparison_frame(
            self.comparison, selected_settings if self.plan.is_tuned else {}
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the study and what it found as JSON types, for scripts; None for missing numbers.

        Keys:
            ``id``, ``engine``: of the study.
            ``problem``: the facts of the problem; see ``Trainable``.
            ``plan``: ``schedules``, ``grid`` and ``protocol``.
            ``versions``: of lrlab, Python, NumPy and torch that began the study.
            ``schedules``: a list by rank. Each has ``schedule`` (its text), ``settings``,
            ``validation_score`` (by which they were selected; None without tuning),
            ``hardest_baseline`` (the settings of the constant rate that it beats least, with
            ``settings``, ``mean``, ``is_beaten`` and ``is_beaten_for_new_data``; None if there is
            only one), and the numbers of ``ComparisonRow.to_dict``, among them ``rank``, ``mean``
            and ``verdict``.
            ``best``: what to use: ``schedule``, ``settings``, ``validation_score``, ``test_score``
            and ``diverged_count``; None if nothing can be recommended.
            ``reason``: why, or why nothing; a value of ``RecommendationReason``.

        Raises:
            StudyError: the study is not finished.
        """
        facts = {
            "id": self.plan.id,
            "engine": str(self.plan.engine),
            "problem": describe_problem(self.plan.problem),
            "plan": self.plan.to_dict(),
            "versions": dict(self.versions),
            "schedules": [self._describe_row(row) for row in self.comparison.rows],
            "best": None if self.recommendation.row is None else self._describe_best(),
            "reason": self.recommendation.reason.value,
        }
        plain: dict[str, Any] = json.loads(json.dumps(facts, allow_nan=False))  # no tuples
        return plain

    def _describe_row(self, row: ComparisonRow) -> dict[str, Any]:
        numbers = row.to_dict()
        selection = self.selections[self.schedules_by_label[row.label]]
        hardest = row.hardest_baseline and asdict(row.hardest_baseline)
        if hardest:
            hardest["settings"] = self.baseline_settings[hardest.pop("label")].to_dict()
        return {
            "schedule": numbers.pop("label"),
            "settings": selection.settings.to_dict(),
            "validation_score": selection.validation_score,
            "hardest_baseline": hardest,
            **numbers,
        }

    def _describe_best(self) -> dict[str, Any]:
        best = self.best
        return {
            "schedule": to_text(best.schedule),
            "settings": best.settings.to_dict(),
            "validation_score": best.validation_score,
            "test_score": best.test_score,
            "diverged_count": best.diverged_count,
        }

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each finished run of all phases; see ``build_runs_frame``."""
        return build_runs_frame(self._run_rows)

    @property
    def epochs(self) -> pd.DataFrame:
        """A row for each epoch of each finished run; see ``build_epochs_frame``."""
        return build_epochs_frame(self._run_rows)

    @property
    def _run_rows(self) -> list[RunRow]:
        """The rows that the database has of the finished runs, in the order of the plan."""
        return [row for phase in self.phases for row in self._build_phase_rows(phase)]

    def _build_phase_rows(self, phase: Phase) -> Iterator[RunRow]:
        runs = iter(phase.runs.items())
        for schedule, settings in phase.candidates:
            schedule_text, settings_text = to_text(schedule), describe_settings(settings)
            for run_id, run in islice(runs, len(phase.seeds)):
                if run_id not in self.results:
                    continue
                result = self.results[run_id]
                yield RunRow(
                    study=self.plan.id,
                    phase=phase.name,
                    run=run_id,
                    problem=self.plan.problem.name,
                    schedule=schedule_text,
                    settings=settings_text,
                    seed=run.seed,
                    engine=str(self.plan.engine),
                    test_score=result.test_score,
                    diverged=result.diverged,
                    diverged_at_step=result.diverged_at_step,
                    seconds=result.seconds,
                    ended_at=result.ended_at,
                    curve=(result.curve.values, result.curve.columns),
                )


def load_study_result(store: ReadableStore, text: str | None = None) -> StudyResult:
    """Return a stored study with the results of its finished runs, from the database alone.

    Its problem has the facts of the one that was trained, but neither data nor code, and no code of
    the user is imported.

    Args:
        store: where it is stored.
        text: its id or the beginning of it, or the name of a problem that only one study has; None
            if the database has only one study.

    Raises:
        StudyError: no study matches, several do, or what is stored of it cannot be read.
    """
    summary = store.find_study(text)
    plan = restore_plan(summary)
    phases: list[Phase] = []
    results: dict[str, Result] = {}
    phase: Phase | None = plan_first_phase(plan)
    while phase is not None:
        planned_runs = store.load_phase(plan.id, phase.name)
        if planned_runs is None:
            break
        check_planned_runs(plan, phase, planned_runs)
        phase_results = store.load_results(phase.runs)
        results |= phase_results
        phases.append(phase)
        if len(phase_results) < len(phase.runs):
            break
        phase = plan_next_phase(plan, phases, results)
    return StudyResult(plan, tuple(phases), results, store.load_versions(plan.id))


def check_planned_runs(plan: Plan, phase: Phase, planned_runs: Sequence[PlannedRun]) -> None:
    """Check that the stored runs of a phase are those that this version of lrlab plans.

    Raises:
        StudyError: they are not.
    """
    if {run_id for run_id, _ in planned_runs} != phase.runs.keys():
        raise StudyError(
            f"another version of lrlab began study {plan.id}, since it planned other runs for the "
            f'phase {phase.name}; delete the study with `lrlab.delete_study("{plan.id}")` and '
            "start it again."
        )


def restore_plan(summary: StudySummary) -> Plan:
    """Return the plan of a stored study, whose problem has the facts of the one that was trained.

    Raises:
        StudyError: the plan cannot be read, or another version of lrlab made it.
    """
    try:
        plan_data = json.loads(summary.plan)
        plan = Plan.from_dict(
            plan_data,
            StoredProblem.from_facts(json.loads(summary.problem_facts)),
            Engine.from_text(summary.engine),
            plan_data.get("classes", {}),
        )
    except ScheduleError as error:
        reason = str(error).splitlines()[-1].strip(" ^")
        raise StudyError(
            f"study {summary.id} has a schedule that cannot be read here: {reason}"
        ) from None
    except (LrlabError, ValueError, TypeError, KeyError, AttributeError):
        raise StudyError(
            f"the plan of study {summary.id} cannot be read, the database is damaged; restore a "
            "copy of it."
        ) from None
    if plan.id != summary.id:
        raise StudyError(
            f"another version of lrlab planned study {summary.id}, or the database is damaged; "
            f'delete the study with `lrlab.delete_study("{summary.id}")` and start it again.'
        )
    return plan


def _get_test_curve(result: Result) -> NDArray[np.float64]:
    """Return the test score after each epoch; none for a diverged run, which reaches no score."""
    return np.empty(0) if result.diverged else result.curve.get_column("test_score")
