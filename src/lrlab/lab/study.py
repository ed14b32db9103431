"""``Study``: the public result of a study, with its answer, tables and plots; loading one."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lrlab.dialects.parser import ScheduleInput
from lrlab.lab.stored_studies import DatabaseFile
from lrlab.studies.store.reader import StoreReader
from lrlab.studies.study import StudyResult, load_study_result
from lrlab.views.answer import write_answer
from lrlab.views.hints import DEFAULT_DB
from lrlab.views.study_table import render_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Study(StudyResult):
    """A study: its answer, its best schedule, and all its numbers.

    ``compare`` and ``load_study`` return it. ``answer`` says in words what it found, ``best`` is
    the schedule to use with its settings, ``table`` compares all schedules; ``runs`` and
    ``epochs`` are frames of everything trained, ``plot`` draws, ``to_dict`` gives JSON types.
    Notebooks show its answer and table.
    """

    @classmethod
    def from_result(cls, result: StudyResult) -> Self:
        """Make the study of a result."""
        return cls(**{field.name: getattr(result, field.name) for field in fields(result)})

    @property
    def id(self) -> str:
        """Eight hex digits, by which ``load_study`` and the command line find it."""
        return self.plan.id

    @property
    def answer(self) -> str:
        """The answer in words, at most four lines."""
        return write_answer(self)

    def plot(
        self,
        kind: str = "summary",
        *,
        schedules: ScheduleInput | None = None,
        figsize: tuple[float, float] | None = None,
    ) -> "Figure":
        """Plot the study by matplotlib, and return the figure.

        Args:
            kind: ``"summary"``, or one thing alone, such as ``"differences"`` (to the constant
                rate, with intervals), ``"curves"`` (of learning) or ``"tuning"``; an error about an
                unknown kind lists all.
            schedules: the schedules to draw, or their texts, beside the constant rate; all if None.
            figsize: width and height in inches.

        Raises:
            ViewError: there is no such kind or schedule, or nothing to draw of that kind.
            StudyError: the study is not finished.
        """
        from lrlab.views.study_plots import plot_study

        return plot_study(self, kind, schedules=schedules, figsize=figsize)

    def __repr__(self) -> str:
        text = self.answer if self.is_finished else "It is not finished."
        return f"Study {self.id} of {self.plan.problem.name}\n{text}"

    def _repr_html_(self) -> str | None:
        """Show the answer and the table in a notebook."""
        return render_html(self) if self.is_finished else None


def load_study(study: str | None = None, db: DatabaseFile = DEFAULT_DB) -> Study:
    """Load a stored study from its database alone: neither its data nor its code is needed.

    Args:
        study: its id or the beginning of it, or the name of a problem that only one study has. None
            if the database has only one study.
        db: the database file.

    Returns:
        The study. One that is not finished has ``runs`` and ``epochs``; its answer, its tables and
        its plots raise a ``StudyError``.

    Raises:
        StudyError: there is no such database or study, or it cannot be read.
    """
    return Study.from_result(load_study_result(StoreReader(Path(db)), study))
