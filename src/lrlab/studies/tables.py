"""A study as pandas frames: its comparison, its runs, their epochs."""

import json
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrlab.schedules import to_text
from lrlab.studies.frames import expand_curves, expand_settings
from lrlab.studies.grid import find_varied_hyperparameters
from lrlab.studies.numbers import HYPERPARAMETER_LABELS, NumberFormat, format_setting
from lrlab.studies.statistics import DifferenceEstimate, ComparisonRow
from lrlab.studies.verdict import describe_verdict

if TYPE_CHECKING:
    from lrlab.studies.study import StudyResult


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
            run_columns.append({"run": run_id, "phase": phase.name, "schedule": text, "seed": run.seed})
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


def _format_row(row: ComparisonRow, hyperparameters: tuple[str, ...], style: NumberFormat) -> dict[str, str]:
    paired, selection = row.vs_baseline, row.selection
    cells = {"rank": f"{row.rank}", "schedule": row.schedule}
    if selection is not None:
        cells |= {HYPERPARAMETER_LABELS.get(name, name): format_setting(selection.settings, name) for name in hyperparameters}
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
