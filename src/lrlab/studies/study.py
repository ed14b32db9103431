"""The result of a study: the comparison of its final runs, and all its numbers as pandas frames."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lrlab.errors import StudyError
from lrlab.schedules import Schedule, to_text
from lrlab.studies.best_config import BestConfig
from lrlab.studies.plan.defaults import BASELINE
from lrlab.studies.plan.grid import find_varied_hyperparameters, label_settings
from lrlab.studies.plan.phases import Phase, select_tuned_settings
from lrlab.studies.plan.plan import Plan
from lrlab.studies.plan.selection import Candidate, Selection, compute_test_score
from lrlab.studies.statistics import (
    Comparison,
    ComparisonRow,
    Recommendation,
    TimeToTarget,
    compare_scores,
    compute_times_to_target,
    recommend,
)
from lrlab.studies.store.frames import expand_curves, expand_settings
from lrlab.training import Result, Settings


@dataclass(frozen=True, eq=False, repr=False)
class StudyResult:
    """A study with the results of all its runs.

    Args:
        plan: what is compared, and how.
        phases: its phases, the final runs last.
        results: results of all runs, by id.
    """

    plan: Plan
    phases: tuple[Phase, ...]
    results: Mapping[str, Result]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.plan.problem.name}, study {self.plan.id})"

    @cached_property
    def schedules_by_label(self) -> dict[str, Schedule]:
        """The schedules by their labels in ``comparison``: their texts."""
        return {repr(schedule): schedule for schedule in self.plan.schedules}

    @cached_property
    def selections(self) -> dict[Schedule, Selection]:
        """The tuned settings of each schedule."""
        return select_tuned_settings(self.plan, self.phases, self.results)

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
            StudyError: every run of the constant rate diverged, and no other schedule is better.
        """
        row = self.recommendation.row
        if row is None:
            raise StudyError(
                f"study {self.plan.id} has no best schedule, since every run of the constant rate "
                "diverged and no other schedule is clearly better; use a lower `lr`."
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
        problem, score = self.plan.problem, self.plan.protocol.score
        return np.array([compute_test_score(result, problem, score) for result in results])

    @property
    def table(self) -> pd.DataFrame:
        """The comparison: a row for each schedule, by rank."""
        return build_comparison_frame(self)

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each run of all phases."""
        return build_runs_frame(self)

    @property
    def epochs(self) -> pd.DataFrame:
        """A row for each epoch of each run."""
        return build_epochs_frame(self)


def _get_test_curve(result: Result) -> NDArray[np.float64]:
    """Return the test score after each epoch; none for a diverged run, which reaches no score."""
    return np.empty(0) if result.diverged else result.curve.get_column("test_score")


def build_comparison_frame(study: StudyResult) -> pd.DataFrame:
    """Return a row for each schedule, by rank.

    Columns are named as the fields of ``ComparisonRow``, ``PairedComparison`` and
    ``DifferenceEstimate``; those of the estimate for new data begin with ``new_``.
    """
    hyperparameters = find_varied_hyperparameters(study.plan.grid)
    rows = [_build_record(study, row, hyperparameters) for row in study.comparison.rows]
    return pd.DataFrame(rows).set_index("schedule")


def build_runs_frame(study: StudyResult) -> pd.DataFrame:
    """Return a row for each run of all phases, in the order of the plan.

    Columns are those of ``store.frames.read_runs`` except ``study``, ``problem`` and ``ended_at``.
    """
    rows = []
    for phase in study.phases:
        for run_id, run in phase.runs.items():
            result = study.results[run_id]
            rows.append(
                {
                    "phase": phase.name,
                    "run": run_id,
                    "schedule": to_text(run.schedule) if run.schedule else "",
                    "settings": json.dumps(run.settings.to_dict()),
                    "seed": run.seed,
                    "engine": str(study.plan.engine),
                    "test_score": result.test_score,
                    "diverged": result.diverged,
                    "diverged_at_step": result.diverged_at_step,
                    "seconds": result.seconds,
                }
            )
    return expand_settings(pd.DataFrame(rows))


def build_epochs_frame(study: StudyResult) -> pd.DataFrame:
    """Return a row for each epoch of each run; columns as in ``store.frames.read_epochs``."""
    run_columns, curves = [], []
    for phase in study.phases:
        for run_id, run in phase.runs.items():
            text = to_text(run.schedule) if run.schedule else ""
            run_columns.append(
                {"run": run_id, "phase": phase.name, "schedule": text, "seed": run.seed}
            )
            curve = study.results[run_id].curve
            curves.append((curve.values, curve.columns))
    return expand_curves(pd.DataFrame(run_columns), curves)


def _build_record(
    study: StudyResult, row: ComparisonRow, hyperparameters: tuple[str, ...]
) -> dict[str, Any]:
    record: dict[str, Any] = {"schedule": row.label, "rank": row.rank}
    if study.plan.is_tuned:
        settings = study.selections[study.schedules_by_label[row.label]].settings
        record |= {name: getattr(settings, name) for name in hyperparameters}
        record["at_grid_edge"] = row.at_grid_edge
    record |= {"mean": row.mean, "sd": row.sd, "diverged_count": row.diverged_count}
    paired = row.vs_baseline
    if paired is not None:
        record |= {
            "difference": paired.difference,
            "prob_better": paired.prob_better,
            "correlation": paired.correlation,
        }
        record |= vars(paired.on_this_data)
        if paired.for_new_data is not None:
            record |= {f"new_{name}": value for name, value in vars(paired.for_new_data).items()}
    return record
