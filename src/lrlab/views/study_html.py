"""A study as HTML for notebooks: its answer and its ranked table."""

from html import escape

import pandas as pd

from lrlab.studies import StudyResult, find_varied_hyperparameters
from lrlab.views.answer import write_answer
from lrlab.views.study_table import create_columns


def to_html(study: StudyResult) -> str:
    """Return the answer and the ranked table of a study as an HTML fragment."""
    title = escape(f"{study.plan.problem.name}, study {study.plan.id}")
    answer = "<br>".join(map(escape, write_answer(study.comparison).splitlines()))
    columns = create_columns(study.comparison, find_varied_hyperparameters(study.plan.grid))
    cells = {column.heading.replace("\n", " "): column.cells for column in columns}
    with pd.option_context("display.max_colwidth", None):  # no schedule is cut short
        table = pd.DataFrame(cells).to_html(index=False, border=0)
    return f"<p><b>{title}</b><br>{answer}</p>\n{table}"
