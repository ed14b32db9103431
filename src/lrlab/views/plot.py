"""Schedules drawn with matplotlib: on anyone's axes, or as a picture of their own."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lrlab.errors import ViewError, needs_extra
from lrlab.schedules import Schedule
from lrlab.views.colours import look
from lrlab.views.facts import kept
from lrlab.views.preview import Preview, labelled, preview
from lrlab.views.summary import title

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend


def plot(
    schedules: "Schedule | Iterable[Schedule] | Mapping[str, Schedule]",
    ax: "Axes | None" = None,
    *,
    steps: float | None = None,
    base: float | None = None,
    epoch: float | None = None,
) -> "Axes":
    """Draws the rates of schedules, step by step, and returns the axes.

    Args:
        schedules: one, several, or several by their labels; else their texts label them.
        ax: matplotlib axes to draw on; new ones when left out.
        steps: how many steps, 1 or more; left out, until the end of the longest, if every one has
            an end.
        base: the base rate; left out, factors of it are drawn, unless a level is an absolute
            ``Rate``: then it is 0.1.
        epoch: steps per epoch, where a duration counts epochs.

    Raises:
        ViewError: there is nothing to draw or too much, or ``steps`` or ``epoch`` is needed.
        ScheduleError: a schedule cannot be bound or evaluated.
        MissingExtra: matplotlib is not installed.

    >>> from matplotlib.figure import Figure
    >>> from lrlab import Cosine, Linear
    >>> axes = plot([Cosine(), Linear(1, 0)], Figure().subplots(), steps=50)
    >>> [line.get_label() for line in axes.lines]
    ['Cosine()', 'Linear(1.0, 0.0)']
    """
    shown = preview(labelled(schedules), steps, base, epoch)
    if ax is not None and not hasattr(ax, "plot"):
        raise ViewError(f"ax must be matplotlib axes to draw on, got {ax!r}; leave it out.")
    if ax is None:
        with needs_extra("lab"):
            from matplotlib import pyplot

        ax = pyplot.subplots()[1]
    draw(shown, ax)
    _plain(ax.legend(*_entries(ax, width=50), frameon=False))
    return ax


def draw(shown: Preview, ax: "Axes") -> None:
    """Lines and axes, without a legend."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    for i, line in enumerate(shown.lines, start=len(ax.lines)):
        colour, style = look(i)
        steps = kept(line.rates)
        # The last rate is in use until the step after it begins.
        times, rates = [*steps, shown.steps], [*line.rates[steps], line.numbers.last]
        ax.step(
            times, rates, where="post", label=line.label, color=colour, linestyle=style,
            linewidth=1.6,
        )  # fmt: skip
    ax.set_xlabel("step")
    ax.set_ylabel(shown.unit)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    # Whatever else has been drawn on these axes stays in sight.
    ax.set_xlim(0, ax.dataLim.x1)
    ax.set_ylim(0, 1.05 * max(ax.dataLim.y1, 0) or 1)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def picture(shown: Preview) -> "Figure":
    """A picture of its own, with the legend below."""
    with needs_extra("lab"):
        from matplotlib.figure import Figure

    longest = max(len(line.label) for line in shown.lines)
    columns = max(1, min(len(shown.lines), 3, 120 // (min(longest, 100) + 8)))
    lines = len(shown.lines) / columns * (1 + longest // 100)
    figure = Figure(figsize=(9, 4.6 + 0.22 * lines), layout="constrained")
    ax = figure.subplots()
    draw(shown, ax)
    ax.set_title(title(shown), loc="left")
    handles, labels = _entries(ax, width=100)
    _plain(figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False))
    return figure


def _entries(ax: "Axes", width: int) -> "tuple[list[Artist], list[str]]":
    handles, labels = ax.get_legend_handles_labels()
    return handles, [textwrap.fill(label, width) for label in labels]


def _plain(legend: "Legend") -> None:
    """Keeps matplotlib from reading formulas between dollar signs."""
    for text in legend.get_texts():
        text.set_parse_math(False)
