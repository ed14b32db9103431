"""A study as HTML for notebooks: its answer and its table."""

from html import escape

import pandas as pd

from lrlab.studies import ComparisonRow, StudyResult, find_varied_hyperparameters
from lrlab.views.answer import (
    NumberFormat,
    describe_verdict,
    format_setting,
    write_answer,
)


def to_html(study: StudyResult) -> str:
    """Return the answer and the table of a study as an HTML fragment."""
    number_format = NumberFormat.from_comparison(study.comparison)
    hyperparameters = find_varied_hyperparameters(study.plan.grid)
    rows = [_format_row(row, hyperparameters, number_format) for row in study.comparison.rows]
    answer = "<br>".join(map(escape, write_answer(study.comparison).splitlines()))
    table = pd.DataFrame(rows).to_html(index=False, na_rep="", border=0)
    title = escape(f"{study.plan.problem.name}, study {study.plan.id}")
    return f"<p><b>{title}</b><br>{answer}</p>\n{table}"


def _format_row(
    row: ComparisonRow, hyperparameters: tuple[str, ...], number_format: NumberFormat
) -> dict[str, str]:
    paired, selection = row.vs_baseline, row.selection
    cells = {"rank": f"{row.rank}", "schedule": row.schedule}
    if selection is not None:
        cells |= {name: format_setting(selection.settings, name) for name in hyperparameters}
    cells |= {
        "mean": number_format.format_score(row.mean),
        "± sd": number_format.format_sd(row.sd),
    }
    if paired is not None:
        cells["difference"] = number_format.format_difference(paired.difference)
        estimates = {"on this data": paired.on_this_data, "for new data": paired.for_new_data}
        for name, estimate in estimates.items():
            if estimate is not None:
                interval = number_format.format_interval(estimate.ci_low, estimate.ci_high)
                cells[f"95 % {name}"] = interval
    return cells | {"verdict": describe_verdict(row)}
