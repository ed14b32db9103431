"""A study as pandas frames: its comparison, its runs, their epochs."""

import json
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrlab.schedules import to_text
from lrlab.studies.frames import with_curves, with_settings
from lrlab.studies.grid import varied
from lrlab.studies.numbers import NAMES, Style, setting
from lrlab.studies.statistics import Reading, Row
from lrlab.studies.verdict import verdict

if TYPE_CHECKING:
    from lrlab.studies.study import Study


def comparison_frame(study: "Study") -> pd.DataFrame:
    """A row for each schedule, by rank; columns as in ``Row``, ``Versus`` and ``Reading``."""
    names = varied(study.plan.grid)
    rows = [_compared(row, names) for row in study.comparison.rows]
    return pd.DataFrame(rows).set_index("schedule")


def runs_frame(study: "Study") -> pd.DataFrame:
    """A row for each run of all phases, in the order in which they were planned; columns as in
    ``frames.runs``, but for ``study``, ``problem`` and ``ended``.
    """
    rows = []
    for phase in study.phases:
        for id, run in phase.runs.items():
            result = study.results[id]
            rows.append(
                {
                    "phase": phase.name,
                    "run": id,
                    "schedule": to_text(run.schedule) if run.schedule else "",
                    "settings": json.dumps(run.settings.described()),
                    "seed": run.seed,
                    "engine": str(study.plan.engine),
                    "score": result.score,
                    "diverged": result.diverged,
                    "left_at": result.left_at,
                    "seconds": result.seconds,
                }
            )
    return with_settings(pd.DataFrame(rows))


def epochs_frame(study: "Study") -> pd.DataFrame:
    """A row for each epoch of each run; columns as in ``frames.epochs``."""
    whose, curves = [], []
    for phase in study.phases:
        for id, run in phase.runs.items():
            text = to_text(run.schedule) if run.schedule else ""
            whose.append({"run": id, "phase": phase.name, "schedule": text, "seed": run.seed})
            curve = study.results[id].epochs
            curves.append((curve.values, curve.names))
    return with_curves(pd.DataFrame(whose), curves)


def html(study: "Study") -> str:
    """The answer and the table of a study as a piece of a page."""
    style = Style.of(study.comparison)
    names = varied(study.plan.grid)
    rows = [_shown(row, names, style) for row in study.comparison.rows]
    answer = "<br>".join(map(escape, study.answer.splitlines()))
    table = pd.DataFrame(rows).to_html(index=False, na_rep="", border=0)
    what = escape(f"{study.plan.problem.name}, study {study.plan.id}")
    return f"<p><b>{what}</b><br>{answer}</p>\n{table}"


def _shown(row: Row, names: tuple[str, ...], style: Style) -> dict[str, str]:
    against, tuned = row.to_baseline, row.tuned
    found = {"rank": f"{row.rank}", "schedule": row.schedule}
    if tuned is not None:
        found |= {NAMES.get(name, name): setting(tuned.settings, name) for name in names}
    found |= {"mean": style.score(row.mean), "± sd": style.spread(row.sd)}
    if against is not None:
        found["difference"] = style.difference(against.mean)
        readings = {"on this data": against.on_this_data, "for new data": against.for_new_data}
        for name, reading in readings.items():
            if reading is not None:
                found[f"95 % {name}"] = style.interval(reading.low, reading.high)
    return found | {"verdict": verdict(row)}


def _compared(row: Row, names: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {"schedule": row.schedule, "rank": row.rank}
    if row.tuned:
        found |= {name: getattr(row.tuned.settings, name) for name in names}
        found["edge"] = row.edge
    found |= {"mean": row.mean, "sd": row.sd, "diverged": row.diverged}
    against = row.to_baseline
    if against is not None:
        found |= {
            "difference": against.mean,
            "probability": against.probability,
            "correlation": against.correlation,
        }
        found |= dict(_reading(against.on_this_data, ""))
        if against.for_new_data is not None:
            found |= dict(_reading(against.for_new_data, "new_"))
    return found | {"verdict": verdict(row)}


def _reading(reading: Reading, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in vars(reading).items():
        yield f"{prefix}{name}", value
