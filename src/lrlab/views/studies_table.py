"""The studies of a database as text: all in a table, and one with how far it is."""

from collections.abc import Sequence
from datetime import datetime

from lrlab.studies.store.reader import StudySummary
from lrlab.views.text import format_duration, format_timestamp


def format_run_count(count: int) -> str:
    """``1 run``, ``2 runs``."""
    return f"{count} run" if count == 1 else f"{count} runs"


def format_studies(studies: Sequence[StudySummary]) -> str:
    """A line for each study.

    Args:
        studies: one or more.
    """
    rows = [("id", "problem", "engine", "runs", "began", "state")]
    for study in studies:
        runs = f"{study.ended_count}/{study.planned_count}"
        state = "finished" if study.is_finished else "not finished"
        rows.append(
            (study.id, study.problem, study.engine, runs, format_timestamp(study.began_at), state)
        )
    return _align_columns(rows, right_aligned=(3,))


def format_study_status(
    study: StudySummary, runs_per_second: float | None, now: datetime, db_option: str = ""
) -> str:
    """How far a study is, and what to do next.

    Args:
        study: the study.
        runs_per_second: runs that end in a second; None where that is not known.
        now: the time.
        db_option: what a command needs to find its database, such as ``" --db my.db"``.
    """
    progress = "finished, " if study.is_finished else f"{_format_completed_percentage(study)}, "
    rows = [("phase", "planned", "ended", "diverged")]
    for phase in study.phases:
        rows.append(
            (
                phase.name,
                str(phase.planned_count),
                str(phase.ended_count),
                str(phase.diverged_count),
            )
        )
    return "\n".join(
        (
            f"{study.id} · {study.problem} · {study.engine} · {progress}{format_run_count(study.ended_count)} ended",
            *(["", _align_columns(rows, right_aligned=(1, 2, 3))] if study.phases else []),
            "",
            *_format_times(study, runs_per_second, now),
            _suggest_next_command(study, db_option),
        )
    )


def _format_completed_percentage(study: StudySummary) -> str:
    """Never 100 % of what is not finished."""
    percentage = (
        min(99, 100 * study.ended_count // study.planned_count) if study.planned_count else 0
    )
    return f"{percentage} % of {format_run_count(study.planned_count)} planned so far"


def _format_times(study: StudySummary, runs_per_second: float | None, now: datetime) -> list[str]:
    began = f"began {format_timestamp(study.began_at)}"
    if study.last_ended_at is None:
        return [f"{began}, no run has ended yet"]
    ago = format_duration((now - study.last_ended_at).total_seconds())
    lines = [f"{began}, last run ended {ago} ago; {format_duration(study.seconds)} of training"]
    left = study.planned_count - study.ended_count
    if runs_per_second and left:
        rate = (
            f"{runs_per_second:.3g} runs a second"
            if runs_per_second >= 1
            else f"a run every {format_duration(1 / runs_per_second)}"
        )
        lines.append(
            f"about {rate}, so that {format_duration(left / runs_per_second)} are left of what is planned"
        )
    return lines


def _suggest_next_command(study: StudySummary, db_option: str) -> str:
    if study.is_finished:
        return f"its runs as a table: lrlab export {study.id} --csv runs.csv{db_option}"
    if study.source is None:
        return "where it has stopped, the script that began it goes on with it"
    return f"where it has stopped, this goes on with it: lrlab resume {study.id}{db_option}"


def _align_columns(rows: Sequence[Sequence[str]], right_aligned: Sequence[int]) -> str:
    """Columns that line up, some at their right ends."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "   ".join(
            cell.rjust(width) if i in right_aligned else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(f"  {line}".rstrip() for line in lines)
