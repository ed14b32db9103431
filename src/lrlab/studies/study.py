"""A study as pandas frames: its comparison, its runs, their epochs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lrlab.schedules import Schedule, to_text
from lrlab.studies.plan.defaults import BASELINE
from lrlab.studies.plan.grid import find_varied_hyperparameters
from lrlab.studies.plan.phases import Phase, select_tuned_settings
from lrlab.studies.plan.plan import Plan
from lrlab.studies.plan.selection import Candidate, Selection, compute_test_score
from lrlab.studies.statistics import Comparison, ComparisonRow, DifferenceEstimate, compare_scores
from lrlab.studies.store.frames import expand_curves, expand_settings
from lrlab.training import Result, Settings
from lrlab.views.answer import (
    HYPERPARAMETER_LABELS,
    NumberFormat,
    describe_verdict,
    format_setting,
    write_answer,
)


def build_comparison_frame(study: "StudyResult") -> pd.DataFrame:
    """A row for each schedule, by rank; columns as in ``Row``, ``PairedComparison`` and ``Reading``."""
    hyperparameters = find_varied_hyperparameters(study.plan.grid)
    rows = [_build_record(row, hyperparameters) for row in study.comparison.rows]
    return pd.DataFrame(rows).set_index("schedule")


def build_runs_frame(study: "StudyResult") -> pd.DataFrame:
    """A row for each run of all phases, in the order in which they were planned; columns as in
    ``frames.runs``, but for ``study``, ``problem`` and ``ended``.
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
                    "score": result.test_score,
                    "diverged": result.diverged,
                    "left_at": result.diverged_at_step,
                    "seconds": result.seconds,
                }
            )
    return expand_settings(pd.DataFrame(rows))


def build_epochs_frame(study: "StudyResult") -> pd.DataFrame:
    """A row for each epoch of each run; columns as in ``frames.epochs``."""
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


def to_html(study: "StudyResult") -> str:
    """The answer and the table of a study as a piece of a page."""
    style = NumberFormat.from_comparison(study.comparison)
    hyperparameters = find_varied_hyperparameters(study.plan.grid)
    rows = [_format_row(row, hyperparameters, style) for row in study.comparison.rows]
    answer = "<br>".join(map(escape, study.answer.splitlines()))
    table = pd.DataFrame(rows).to_html(index=False, na_rep="", border=0)
    title = escape(f"{study.plan.problem.name}, study {study.plan.id}")
    return f"<p><b>{title}</b><br>{answer}</p>\n{table}"


def _format_row(
    row: ComparisonRow, hyperparameters: tuple[str, ...], style: NumberFormat
) -> dict[str, str]:
    paired, selection = row.vs_baseline, row.selection
    cells = {"rank": f"{row.rank}", "schedule": row.schedule}
    if selection is not None:
        cells |= {
            HYPERPARAMETER_LABELS.get(name, name): format_setting(selection.settings, name)
            for name in hyperparameters
        }
    cells |= {"mean": style.format_score(row.mean), "± sd": style.format_sd(row.sd)}
    if paired is not None:
        cells["difference"] = style.format_difference(paired.difference)
        estimates = {"on this data": paired.on_this_data, "for new data": paired.for_new_data}
        for name, estimate in estimates.items():
            if estimate is not None:
                cells[f"95 % {name}"] = style.format_interval(estimate.ci_low, estimate.ci_high)
    return cells | {"verdict": describe_verdict(row)}


def _build_record(row: ComparisonRow, hyperparameters: tuple[str, ...]) -> dict[str, Any]:
    record: dict[str, Any] = {"schedule": row.schedule, "rank": row.rank}
    if row.selection:
        record |= {name: getattr(row.selection.settings, name) for name in hyperparameters}
        record["edge"] = row.at_grid_edge
    record |= {"mean": row.mean, "sd": row.sd, "diverged": row.diverged_count}
    paired = row.vs_baseline
    if paired is not None:
        record |= {
            "difference": paired.difference,
            "probability": paired.prob_better,
            "correlation": paired.correlation,
        }
        record |= dict(_iter_estimate_columns(paired.on_this_data, ""))
        if paired.for_new_data is not None:
            record |= dict(_iter_estimate_columns(paired.for_new_data, "new_"))
    return record | {"verdict": describe_verdict(row)}


def _iter_estimate_columns(estimate: DifferenceEstimate, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in vars(estimate).items():
        yield f"{prefix}{name}", value


@dataclass(frozen=True, eq=False)
class StudyResult:
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
    def selections(self) -> dict[Schedule, Selection]:
        """The settings chosen for each schedule."""
        return select_tuned_settings(self.plan, self.phases, self.results)

    @cached_property
    def final_results(self) -> dict[Schedule, list[Result]]:
        """The final runs of each schedule at the settings chosen for it, in the order of the
        seeds.
        """
        return {s: self._final_by_candidate[s, own.settings] for s, own in self.selections.items()}

    @cached_property
    def baseline_results(self) -> dict[Settings, list[Result]]:
        """The final runs of the baseline: at all settings that it was tried with, and halfway
        between neighbouring rates.
        """
        return {
            settings: own
            for (s, settings), own in self._final_by_candidate.items()
            if s == BASELINE
        }

    @cached_property
    def _final_by_candidate(self) -> dict[Candidate, list[Result]]:
        return self.phases[-1].group_by_candidate(self.results)

    @cached_property
    def comparison(self) -> Comparison:
        """The statistics of the final runs."""
        problem = self.plan.problem
        return compare_scores(
            {schedule: self._compute_scores(own) for schedule, own in self.final_results.items()},
            BASELINE,
            problem.metric,
            problem.test_train_ratio,
            diverged_count={
                s: sum(r.diverged for r in own) for s, own in self.final_results.items()
            },
            selections=self.selections if self.plan.is_tuned else {},
            baseline_scores={
                settings: self._compute_scores(own)
                for settings, own in self.baseline_results.items()
            },
        )

    def _compute_scores(self, results: Sequence[Result]) -> NDArray[np.float64]:
        problem, score = self.plan.problem, self.plan.protocol.score
        return np.array([compute_test_score(result, problem, score) for result in results])

    @property
    def answer(self) -> str:
        """What the numbers say, in words."""
        return write_answer(self.comparison)

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

    def __repr__(self) -> str:
        return f"Study {self.plan.id} of {self.plan.problem.name}\n{self.answer}"

    def _repr_html_(self) -> str:
        """The answer and the table, for notebooks."""
        return to_html(self)
