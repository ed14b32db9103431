"""Results of runs in a database: the row of a finished run, and its result read back."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from lrlab.problems import Trainable
from lrlab.schedules import Schedule, to_text
from lrlab.studies.store.rows import parse_time
from lrlab.studies.store.schema import pack_curve, unpack_curve
from lrlab.studies.store.sqlite_errors import report_damage
from lrlab.training import Curve, Result, Run, Settings
from lrlab.training.engines import Engine

# One parameter for all ids: SQLite limits the number of parameters of a query.
_RESULTS_SQL = """
SELECT id, test_score, diverged, curve, seconds, diverged_at_step, validation_dummy_score, ended_at
FROM run WHERE id IN (SELECT value FROM json_each(?))
"""


def query_results(db: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, Result]:
    """Return the results of the stored ones among some runs, by id.

    Raises:
        sqlite3.DatabaseError: a row is damaged.
    """
    times: dict[str, datetime] = {}  # many runs end in the same second
    results = {}
    for run_id, *values, ended_at in db.execute(_RESULTS_SQL, (json.dumps(list(run_ids)),)):
        if ended_at not in times:
            times[ended_at] = parse_time(ended_at)
        with report_damage(f"run {run_id}"):
            score, diverged, curve, seconds, step, dummy_score = values
            results[run_id] = Result(
                test_score=float(score),
                diverged=bool(diverged),
                curve=Curve(*unpack_curve(curve)),
                seconds=float(seconds),
                diverged_at_step=None if step is None else int(step),
                validation_dummy_score=None if dummy_score is None else float(dummy_score),
                ended_at=times[ended_at],
            )
    return results


def build_result_row(
    problem: Trainable, engine: Engine, run_id: str, run: Run, result: Result
) -> dict[str, Any]:
    """Return the row of a finished run, by the names of its columns."""
    assert run.schedule is not None
    return {
        "id": run_id,
        "problem": problem.name,
        "fingerprint": problem.fingerprint,
        "schedule": to_text(run.schedule),
        "settings": describe_settings(run.settings, run.hyperparameter_schedules),
        "seed": run.seed,
        "engine": str(engine),
        "test_score": result.test_score,
        "diverged": int(result.diverged),
        "curve": pack_curve(result.curve.values, result.curve.columns),
        "seconds": result.seconds,
        "diverged_at_step": result.diverged_at_step,
        "validation_dummy_score": result.validation_dummy_score,
    }


def describe_settings(
    settings: Settings, hyperparameter_schedules: Mapping[str, Schedule] = MappingProxyType({})
) -> str:
    """Return the settings of a run as JSON, with the schedules of other hyperparameters if any."""
    other_schedules = {
        name: to_text(schedule) for name, schedule in hyperparameter_schedules.items()
    }
    facts = settings.to_dict()
    return json.dumps(facts | {"other_schedules": other_schedules} if other_schedules else facts)
