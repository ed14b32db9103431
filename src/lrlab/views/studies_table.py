"""What `lrlab studies` and `lrlab status` print: stored studies, and the progress of one."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from lrlab.errors import pluralize
from lrlab.studies.store.reader import NextStep, StudySummary
from lrlab.views.text import (
    Column,
    format_columns,
    format_duration,
    format_timestamp,
)


def format_studies(studies: Sequence[StudySummary]) -> str:
    """Return a table with a row for each study.

    Args:
        studies: one or more.
    """
    return format_columns(
        [
            Column("id", [study.id for study in studies], "left"),
            Column("problem", [study.problem for study in studies], "left"),
            Column("engine", [study.engine for study in studies], "left"),
            Column("runs", [f"{study.ended_count}/{study.planned_count}" for study in studies]),
            Column("started", [format_timestamp(study.began_at) for study in studies], "left"),
            Column(
                "state",
                ["finished" if study.is_finished else "not finished" for study in studies],
                "left",
            ),
        ]
    )


def format_study_status(
    study: StudySummary, runs_per_second: float | None, now: datetime, db_option: str = ""
) -> str:
    """Return the progress of a study and the command to enter next.

    Args:
        study: the study.
        runs_per_second: how many runs finish per second, if known.
        now: the current time.
        db_option: the option that names its database, such as ``" --db my.db"``.
    """
    run_count = pluralize(study.ended_count, "run")
    progress = (
        f"finished, {run_count}"
        if study.is_finished
        else f"{_format_progress(study)}, {run_count} finished"
    )
    lines = [
        f"{study.id} · {study.problem} · {study.engine} · {progress}",
        "",
    ]
    if study.phases:
        lines += [_format_phases(study), ""]
    lines += [*_describe_times(study, runs_per_second, now), _suggest_command(study, db_option)]
    return "\n".join(lines)


def _format_phases(study: StudySummary) -> str:
    return format_columns(
        [
            Column("phase", [phase.name for phase in study.phases], "left"),
            Column("planned", [f"{phase.planned_count}" for phase in study.phases]),
            Column("finished", [f"{phase.ended_count}" for phase in study.phases]),
            Column("diverged", [f"{phase.diverged_count}" for phase in study.phases]),
        ]
    )


def _format_progress(study: StudySummary) -> str:
    planned = pluralize(study.planned_count, "run")
    return f"{study.percent_finished} % of {planned} planned so far"


def _describe_times(
    study: StudySummary, runs_per_second: float | None, now: datetime
) -> Iterator[str]:
    started = f"started {format_timestamp(study.began_at)}"
    if study.last_ended_at is None:
        yield f"{started}, no run has finished yet"
        return
    ago = format_duration((now - study.last_ended_at).total_seconds())
    total = format_duration(study.seconds)
    yield f"{started}, last run finished {ago} ago; training time, summed over runs: {total}"
    seconds_left = study.estimate_seconds_left(runs_per_second)
    if runs_per_second is not None and seconds_left is not None:
        rate = (
            f"{runs_per_second:.3g} runs per second"
            if runs_per_second >= 1
            else f"one run every {format_duration(1 / runs_per_second)}"
        )
        yield f"about {rate}; {format_duration(seconds_left)} left for the runs planned so far"


def _suggest_command(study: StudySummary, db_option: str) -> str:
    match study.next_step:
        case NextStep.SHOW_RESULTS:
            return f"show its results: lrlab results {study.id}{db_option}"
        case NextStep.RUN_SCRIPT:
            return "if it has stopped, run the script that started it again to continue"
        case NextStep.RESUME:
            return f"if it has stopped, continue it: lrlab resume {study.id}{db_option}"
