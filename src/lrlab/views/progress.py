"""The progress of a study while it runs: a bar in a terminal or a notebook, else a line now and
then.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from lrlab.errors import pluralize
from lrlab.studies.execution.backends import Backend, ClusterInfo
from lrlab.studies.execution.runner import Progress, ProgressCallback, ignore_progress
from lrlab.views.hints import DEFAULT_DB, format_call
from lrlab.views.text import format_duration

_SECONDS_BETWEEN_LINES = 10
_SECONDS_BETWEEN_UPDATES = 0.2
"""Of a bar in a notebook, where every update is a message to the browser."""


@contextmanager
def show_progress(progress: bool | ProgressCallback) -> Iterator[ProgressCallback]:
    """Give the callback that shows the progress of a study.

    Args:
        progress: True for a bar in the notebook or on stderr, or lines if stderr is not a terminal;
            False for nothing; or a callback that is given as it is.
    """
    if not isinstance(progress, bool):
        yield progress
    elif not progress:
        yield ignore_progress
    elif _is_notebook():
        yield _NotebookBar().show
    elif sys.stderr.isatty():
        with _create_terminal_bar() as bar:
            yield _TerminalBar(bar).show
    else:
        yield _LinePrinter().show


def format_stored_runs(progress: Progress) -> str:
    """Return ``final: 3 of 10 runs are already stored``."""
    return f"{progress.phase}: {progress.stored} of {progress.planned} runs are already stored"


def format_trained_runs(progress: Progress) -> str:
    """Return ``final: 4 of 7 runs``: of those that were not stored before."""
    return f"{progress.phase}: {progress.trained} of {progress.planned - progress.stored} runs"


def describe_cluster(cluster: ClusterInfo) -> str:
    """Return ``training on the Ray cluster at 10.0.0.1:6379: 3 nodes, 24 cores``."""
    nodes = pluralize(cluster.node_count, "node")
    cores = pluralize(cluster.core_count, "core")
    return f"training on the Ray cluster at {cluster.address}: {nodes}, {cores}"


def describe_duration(seconds: tuple[float, float], db: Path | None) -> str:
    """Return a warning of a study that takes long.

    Args:
        seconds: the shortest and the longest forecast.
        db: the database that stores its runs; None for memory.
    """
    shortest, longest = map(format_duration, seconds)
    duration = shortest if shortest == longest else f"{shortest} to {longest}"
    if db is None:
        return (
            f"this study takes about {duration}, and its runs are in memory alone: to keep them if "
            f'it is stopped, name a database file with `db="{DEFAULT_DB}"`.'
        )
    return (
        f"this study takes about {duration}; its runs are stored in {db} as they end, so that it "
        "can be stopped and continued."
    )


def describe_interruption(
    study_id: str, db: Path | None, backend: Backend, has_source: bool
) -> str:
    """Return how to continue a study that was stopped.

    Args:
        study_id: of the study.
        db: the database that stores its runs; None for memory.
        backend: where it was trained.
        has_source: whether its problem can be loaded again.
    """
    if db is None:
        return (
            "stopped; the finished runs were in memory alone and are lost: to keep them, name a "
            f'database file with `db="{DEFAULT_DB}"`.'
        )
    if not has_source:
        return (
            f"stopped; finished runs are stored in {db}. To continue, repeat the same "
            "`lrlab.compare(...)`."
        )
    call = format_call("resume_study", study_id, db=db, **backend.arguments)
    return f"stopped; finished runs are stored in {db}. To continue: {call}"


class _LinePrinter:
    """Prints a line every ten seconds, and one at the end of each phase."""

    def __init__(self) -> None:
        self._last_printed = time.monotonic()

    def show(self, progress: Progress) -> None:
        if not progress.trained:  # the phase begins
            if progress.stored:
                self._print(format_stored_runs(progress))
        elif (
            progress.stored + progress.trained == progress.planned
            or time.monotonic() - self._last_printed >= _SECONDS_BETWEEN_LINES
        ):
            self._print(format_trained_runs(progress))

    def _print(self, line: str) -> None:
        self._last_printed = time.monotonic()
        print(line, file=sys.stderr, flush=True)


def _create_terminal_bar() -> RichProgress:
    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs,"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
        # What a training function prints goes above the bar, but not from a file to the terminal.
        redirect_stdout=sys.stdout.isatty(),
    )


class _TerminalBar:
    """Shows one bar for each phase in turn."""

    def __init__(self, bar: RichProgress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def show(self, progress: Progress) -> None:
        if self._task is not None and progress.trained:
            self._bar.update(self._task, completed=progress.trained)
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
        if progress.stored:
            self._bar.console.print(format_stored_runs(progress), highlight=False)
        if progress.stored < progress.planned:
            missing = progress.planned - progress.stored
            self._task = self._bar.add_task(progress.phase, total=missing)


class _NotebookBar:
    """Shows a bar in the output of a notebook's cell, for each phase in turn."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._began_at = self._last_updated = 0.0

    def show(self, progress: Progress) -> None:
        from IPython.display import display

        now = time.monotonic()
        if not progress.trained:
            self._began_at = self._last_updated = now
            self._handle = display(self._render(progress, now), raw=True, display_id=True)
            return
        is_finished = progress.stored + progress.trained == progress.planned
        if is_finished or now - self._last_updated >= _SECONDS_BETWEEN_UPDATES:
            self._last_updated = now
            self._handle.update(self._render(progress, now), raw=True)

    def _render(self, progress: Progress, now: float) -> dict[str, str]:
        """Return the state of the bar as text and as HTML."""
        missing = progress.planned - progress.stored
        if not missing:
            text = format_stored_runs(progress)
            return {"text/plain": text, "text/html": f"<div>{text}</div>"}
        text = format_trained_runs(progress)
        if 0 < progress.trained < missing:
            seconds_per_run = (now - self._began_at) / progress.trained
            remaining = (missing - progress.trained) * seconds_per_run
            text += f", {format_duration(remaining)} left"
        bar = f'<progress value="{progress.trained}" max="{missing}"></progress>'
        return {"text/plain": text, "text/html": f"<div>{bar} {text}</div>"}


def _is_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return hasattr(shell, "kernel")
