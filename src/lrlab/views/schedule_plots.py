"""Schedules drawn with matplotlib: on anyone's axes, or as a picture of their own."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lrlab.errors import ViewError, require_extra
from lrlab.schedules import Schedule
from lrlab.views.colors import get_line_style
from lrlab.views.preview import Preview, compute_preview, label_schedules, select_steps_to_draw
from lrlab.views.schedule_summary import format_title

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend


def plot(
    schedules: "Schedule | Iterable[Schedule] | Mapping[str, Schedule]",
    ax: "Axes | None" = None,
    *,
    total_steps: float | None = None,
    base: float | None = None,
    steps_per_epoch: float | None = None,
) -> "Axes":
    """Draws the rates of schedules, step by step, and returns the axes.

    Args:
        schedules: one, several, or several by their labels; else their texts label them.
        ax: matplotlib axes to draw on; new ones when left out.
        total_steps: how many steps, 1 or more; left out, until the end of the longest, if every one has
            an end.
        base: the base rate; left out, factors of it are drawn, unless a level is an absolute
            ``Rate``: then it is 0.1.
        steps_per_epoch: steps per epoch, where a duration counts epochs.

    Raises:
        ViewError: there is nothing to draw or too much, or ``total_steps`` or ``steps_per_epoch`` is needed.
        ScheduleError: a schedule cannot be bound or evaluated.
        MissingExtra: matplotlib is not installed.

    >>> from matplotlib.create_figure import Figure
    >>> from lrlab import Cosine, Linear
    >>> axes = plot([Cosine(), Linear(1, 0)], Figure().subplots(), steps=50)
    >>> [line.get_label() for line in axes.lines]
    ['Cosine()', 'Linear(1.0, 0.0)']
    """
    preview = compute_preview(label_schedules(schedules), total_steps, base, steps_per_epoch)
    if ax is not None and not hasattr(ax, "plot"):
        raise ViewError(f"ax must be matplotlib axes to draw on, got {ax!r}; leave it out.")
    if ax is None:
        with require_extra("lab"):
            from matplotlib import pyplot

        ax = pyplot.subplots()[1]
    draw_lines(preview, ax)
    _disable_math_text(ax.legend(*_wrap_legend_labels(ax, width=50), frameon=False))
    return ax


def draw_lines(preview: Preview, ax: "Axes") -> None:
    """Lines and axes, without a legend."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    for i, line in enumerate(preview.lines, start=len(ax.lines)):
        color, style = get_line_style(i)
        steps = select_steps_to_draw(line.rates)
        # The last rate is in use until the step after it begins.
        times, rates = [*steps, preview.total_steps], [*line.rates[steps], line.summary.last]
        ax.step(
            times, rates, where="post", label=line.label, color=color, linestyle=style,
            linewidth=1.6,
        )  # fmt: skip
    ax.set_xlabel("step")
    ax.set_ylabel(preview.unit)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    # Whatever else has been drawn on these axes stays in sight.
    ax.set_xlim(0, ax.dataLim.x1)
    ax.set_ylim(0, 1.05 * max(ax.dataLim.y1, 0) or 1)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def create_figure(preview: Preview) -> "Figure":
    """A picture of its own, with the legend below."""
    with require_extra("lab"):
        from matplotlib.figure import Figure

    longest = max(len(line.label) for line in preview.lines)
    columns = max(1, min(len(preview.lines), 3, 120 // (min(longest, 100) + 8)))
    lines = len(preview.lines) / columns * (1 + longest // 100)
    figure = Figure(figsize=(9, 4.6 + 0.22 * lines), layout="constrained")
    ax = figure.subplots()
    draw_lines(preview, ax)
    ax.set_title(format_title(preview), loc="left")
    handles, labels = _wrap_legend_labels(ax, width=100)
    _disable_math_text(
        figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False)
    )
    return figure


def _wrap_legend_labels(ax: "Axes", width: int) -> "tuple[list[Artist], list[str]]":
    handles, labels = ax.get_legend_handles_labels()
    return handles, [textwrap.fill(label, width) for label in labels]


def _disable_math_text(legend: "Legend") -> None:
    """Keeps matplotlib from reading formulas between dollar signs."""
    for text in legend.get_texts():
        text.set_parse_math(False)
