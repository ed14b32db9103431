"""Plots of schedules by matplotlib: `lrlab.plot` on given axes, and the figure of `lrlab show`."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lrlab.errors import ViewError, require_extra
from lrlab.schedules import Schedule
from lrlab.views.line_styles import get_line_style
from lrlab.views.preview import Preview, compute_preview, label_schedules, select_steps_to_draw

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
    """Draw the rates of schedules, step by step, and return the axes.

    Args:
        schedules: one, several, or several by their labels; by default their texts are the labels.
        ax: matplotlib axes to draw on; new ones by default.
        total_steps: number of steps, 1 or more; by default until the longest schedule ends, if all
            have an end.
        base: the base rate; by default factors of it are drawn, or rates at base 0.1 if a level is
            ``Absolute``.
        steps_per_epoch: needed if a duration counts epochs.

    Raises:
        ViewError: there are no schedules or too many, or ``total_steps`` or ``steps_per_epoch`` is
            missing.
        ScheduleError: a schedule cannot be bound or evaluated.
        MissingExtra: matplotlib is not installed.

    >>> from matplotlib.figure import Figure
    >>> from lrlab import Cosine, Linear
    >>> axes = plot([Cosine(), Linear(1, 0)], Figure().subplots(), total_steps=50)
    >>> [line.get_label() for line in axes.lines]
    ['Cosine()', 'Linear(1.0, 0.0)']
    """
    preview = compute_preview(label_schedules(schedules), total_steps, base, steps_per_epoch)
    if ax is not None and not hasattr(ax, "plot"):
        raise ViewError(f"ax must be matplotlib axes, got {ax!r}; omit it for new ones.")
    if ax is None:
        with require_extra("lab"):
            from matplotlib import pyplot

        ax = pyplot.subplots()[1]
    draw_lines(preview, ax)
    _disable_math_text(ax.legend(*_wrap_legend_labels(ax, width=50), frameon=False))
    return ax


def draw_lines(preview: Preview, ax: "Axes") -> None:
    """Draw lines and axes without a legend."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    for i, line in enumerate(preview.lines, start=len(ax.lines)):
        style = get_line_style(i)
        steps = select_steps_to_draw(line.rates)
        # The last rate is used until the next step would begin.
        times, rates = [*steps, preview.total_steps], [*line.rates[steps], line.summary.last]
        ax.step(
            times, rates, where="post", label=line.label, color=style.color,
            linestyle=style.linestyle, linewidth=1.6,
        )  # fmt: skip
    ax.set_xlabel("step")
    ax.set_ylabel(preview.unit)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    # Lines that were on the axes before stay visible.
    ax.set_xlim(0, ax.dataLim.x1)
    ax.set_ylim(0, 1.05 * max(ax.dataLim.y1, 0) or 1)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def create_figure(preview: Preview) -> "Figure":
    """Return a figure with title, and with the legend below the axes."""
    with require_extra("lab"):
        from matplotlib.figure import Figure

    longest = max(len(line.label) for line in preview.lines)
    columns = max(1, min(len(preview.lines), 3, 120 // (min(longest, 100) + 8)))
    lines = len(preview.lines) / columns * (1 + longest // 100)
    figure = Figure(figsize=(9, 4.6 + 0.22 * lines), layout="constrained")
    ax = figure.subplots()
    draw_lines(preview, ax)
    ax.set_title(preview.title, loc="left")
    handles, labels = _wrap_legend_labels(ax, width=100)
    _disable_math_text(
        figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False)
    )
    return figure


def _wrap_legend_labels(ax: "Axes", width: int) -> "tuple[list[Artist], list[str]]":
    handles, labels = ax.get_legend_handles_labels()
    return handles, [textwrap.fill(label, width) for label in labels]


def _disable_math_text(legend: "Legend") -> None:
    """Keep matplotlib from reading text between dollar signs as formulas."""
    for text in legend.get_texts():
        text.set_parse_math(False)
