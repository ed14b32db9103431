"""The plots of a study, by kind: what is drawn is computed apart from the drawing.

A new kind is a function that draws a study on an empty figure, and its entry in ``STUDY_PLOTS``.
"""

import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lrlab.dialects.parser import ScheduleInput, parse_schedules
from lrlab.errors import ViewError, format_suggestion, pluralize
from lrlab.schedules import Schedule
from lrlab.studies import (
    BASELINE,
    ComparisonRow,
    StudyResult,
    compute_confidence_interval,
    find_varied_hyperparameters,
)
from lrlab.studies.plan.selection import compute_test_score
from lrlab.training import Result, Settings
from lrlab.views.files import atomic_write
from lrlab.views.line_styles import get_line_style
from lrlab.views.number_format import NumberFormat
from lrlab.views.settings_text import format_settings
from lrlab.views.study_table import format_verdict
from lrlab.views.text import format_paired_seeds

LineOptions = dict[str, Any]
"""The look of a line, as keyword arguments of ``Axes.plot``."""

STUDY_PLOT_EXTENSIONS = (".png",)

MAX_LINES = 5
"""Number of lines with bands that can be told apart in one panel; more get a panel each."""

_FIGURE_SIZE = (12.0, 8.0)
_DPI = 120
_LABEL_WIDTH = 36
"""Number of characters in a line of a label beside or above a panel."""

_INTERVALS = {3.5: "95 % interval on this data", 1.2: "95 % interval for new data like it"}
"""Labels of the intervals of a difference, by the widths of their lines."""

_SEED_OPTIONS: LineOptions = {"markersize": 4, "alpha": 0.6}

_SELECTED_OPTIONS: LineOptions = {
    "marker": "o", "markersize": 12, "markerfacecolor": "none", "markeredgecolor": "#000000",
    "linestyle": "none", "clip_on": False,
}  # fmt: skip
_GRID_EDGE_OPTIONS: LineOptions = {"color": "#999999", "linestyle": ":", "linewidth": 1.2}

_LOG_AXIS_RATIO = 10
"""Ratio of the highest to the lowest peak rate that makes the axis logarithmic."""

_FAR_RATIO = 4
"""Far behind is a worse schedule this many times as far from the baseline as all before it."""

StudyPlot = Callable[[StudyResult, Sequence[Schedule], Figure], None]
"""Draws schedules of a study, the baseline among them, on an empty figure."""


def plot_study(
    study: StudyResult,
    kind: str = "summary",
    *,
    schedules: ScheduleInput | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw a plot of a study.

    Outside notebooks the figure belongs to ``matplotlib.pyplot``, whose ``show()`` shows it. A
    notebook shows the figure if it is the value of a cell; otherwise use ``display(figure)``.

    Args:
        study: the study, with the results of all its runs.
        kind: a key of ``STUDY_PLOTS``.
        schedules: the schedules to draw, or their texts, next to the baseline; all by default.
        figsize: width and height in inches.

    Raises:
        ViewError: there is no such kind or schedule, or this study has nothing to draw of that
            kind.
    """
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=figsize or _FIGURE_SIZE, layout="constrained")
    try:
        draw_study(study, kind, schedules, figure)
    except BaseException:
        pyplot.close(figure)
        raise
    if "inline" in mpl.get_backend():  # such a notebook draws all open figures, and values of cells
        pyplot.close(figure)
    return figure


def save_study_plot(
    study: StudyResult,
    path: Path,
    kind: str = "summary",
    schedules: ScheduleInput | None = None,
) -> None:
    """Write a plot of a study as PNG.

    Args:
        study: the study, with the results of all its runs.
        path: of the file; see ``check_output``.
        kind, schedules: as in ``plot_study``.

    Raises:
        ViewError: as in ``plot_study``, or the file cannot be written.
    """
    figure = Figure(figsize=_FIGURE_SIZE, layout="constrained")
    draw_study(study, kind, schedules, figure)
    with atomic_write(path) as temporary_path:
        figure.savefig(temporary_path, format="png", dpi=_DPI)


def draw_study(
    study: StudyResult,
    kind: str,
    schedules: ScheduleInput | None,
    figure: Figure,
) -> None:
    """Draw a plot of a study on an empty figure; see ``plot_study``."""
    if not isinstance(kind, str) or kind not in STUDY_PLOTS:
        hint = format_suggestion(str(kind), STUDY_PLOTS) or "."
        raise ViewError(
            f"`kind` of a plot must be one of {', '.join(STUDY_PLOTS)}, got {kind!r}{hint}"
        )
    STUDY_PLOTS[kind](study, select_schedules(study, schedules), figure)


def select_schedules(
    study: StudyResult, schedules: ScheduleInput | None = None
) -> tuple[Schedule, ...]:
    """Return some schedules of a study and its baseline, in the order of the plan.

    Args:
        study: the study.
        schedules: schedules or their texts; all by default.

    Raises:
        ViewError: the study has no such schedule.
        ScheduleError: something is neither a schedule nor the text of one.
    """
    if schedules is None:
        return study.plan.schedules
    selected = set(parse_schedules(schedules))
    texts = [repr(schedule) for schedule in study.plan.schedules]
    for schedule in selected:
        if schedule not in study.plan.schedules:
            hint = format_suggestion(repr(schedule), texts) or f"; it has {', '.join(texts)}."
            raise ViewError(f"study {study.plan.id} has no schedule {schedule}{hint}")
    return tuple(s for s in study.plan.schedules if s in {BASELINE, *selected})


# What is drawn.


@dataclass(frozen=True, eq=False)
class Band:
    """A mean over seeds and its 95 % interval: numbers, or arrays with one for each epoch.

    With one seed, low and high are the mean.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rates:
    """The learning rates of a schedule as trained.

    Args:
        times: in epochs, from 0 to the end of the training.
        lrs: the rate from each of these times to the next, the last one repeated.
    """

    times: NDArray[np.float64]
    lrs: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SeedScores:
    """The scores of a schedule's final runs.

    Args:
        scores: on test rows, one for each seed; a diverged run has the dummy score.
        diverged: whether each run diverged.
        band: the mean of the scores.
    """

    scores: NDArray[np.float64]
    diverged: NDArray[np.bool_]
    band: Band


@dataclass(frozen=True, eq=False)
class TuningLine:
    """The mean validation scores of a schedule by learning rate, at the same other settings.

    Args:
        label: the other settings that vary; empty if none do.
        lrs: the learning rates tried, in ascending order.
        scores: one for each of them.
        selected_index: where the selected settings are; None if they are on another line.
    """

    label: str
    lrs: NDArray[np.float64]
    scores: NDArray[np.float64]
    selected_index: int | None


def compute_rates(study: StudyResult, schedules: Iterable[Schedule]) -> dict[Schedule, Rates]:
    """Compute the rates of schedules at their selected settings, step by step.

    Of a metric-driven schedule, the rates that its runs used at the start of each epoch, on
    average; if every run diverged, those before any metric.
    """
    rows = study.plan.problem.train_rows
    rates = {}
    for schedule in schedules:
        rates[schedule] = _compute_rates(schedule, study.selections[schedule].settings, rows)
        curves = [result.curve for result in study.final_results[schedule] if not result.diverged]
        if schedule.needs_metric and curves:
            lrs = np.mean([curve.get_column("lr_start") for curve in curves], axis=0)
            rates[schedule] = Rates(np.arange(len(lrs) + 1.0), np.append(lrs, lrs[-1]))
    return rates


def compute_scores(study: StudyResult, schedules: Iterable[Schedule]) -> dict[Schedule, SeedScores]:
    """Compute the scores of the final runs of schedules."""
    metric, score = study.plan.problem.metric, study.plan.protocol.score
    scores = {}
    for schedule in schedules:
        results = study.final_results[schedule]
        values = np.array([compute_test_score(result, metric, score) for result in results])
        diverged = np.array([result.diverged for result in results])
        scores[schedule] = SeedScores(values, diverged, _compute_band(values))
    return scores


def compute_curves(study: StudyResult, schedules: Iterable[Schedule]) -> dict[Schedule, Band]:
    """Compute the learning curves of schedules: the score on test rows after each epoch.

    A diverged run has its final score from the epoch in which it diverged.
    """
    return {schedule: _compute_band(_collect_scores(study, schedule)) for schedule in schedules}


def compute_difference_curves(
    study: StudyResult, schedules: Iterable[Schedule]
) -> dict[Schedule, Band]:
    """Compute the paired difference to the baseline after each epoch, positive if better.

    The baseline itself is left out.
    """
    sign = 1 if study.plan.problem.metric.greater_is_better else -1
    baseline_scores = _collect_scores(study, BASELINE)
    return {
        schedule: _compute_band(sign * (_collect_scores(study, schedule) - baseline_scores))
        for schedule in schedules
        if schedule != BASELINE
    }


def compute_tuning(
    study: StudyResult, schedules: Iterable[Schedule]
) -> dict[Schedule, list[TuningLine]]:
    """Compute the scores by which the settings of schedules were selected.

    Raises:
        ViewError: the study is not tuned.
    """
    if not study.plan.is_tuned:
        raise ViewError(
            f"study {study.plan.id} is not tuned, so it has no validation scores to plot; compare "
            "with `tune=True`."
        )
    names = [name for name in find_varied_hyperparameters(study.plan.grid) if name != "lr"]
    tuning = {}
    for schedule in schedules:
        selection = study.selections[schedule]
        groups: dict[str, list[Settings]] = {}
        for settings in sorted(selection.scores_tried, key=lambda settings: settings.lr):
            groups.setdefault(", ".join(format_settings(settings, names)), []).append(settings)
        tuning[schedule] = [
            TuningLine(
                label,
                np.array([settings.lr for settings in group]),
                np.array([selection.scores_tried[settings] for settings in group]),
                group.index(selection.settings) if selection.settings in group else None,
            )
            for label, group in sorted(groups.items())
        ]
    return tuning


def _compute_rates(schedule: Schedule, settings: Settings, train_rows: int) -> Rates:
    steps_per_epoch = settings.count_steps_per_epoch(train_rows)
    steps = np.arange(settings.epochs * steps_per_epoch + 1)
    lrs = settings.bind(schedule, train_rows)(steps[:-1], base=settings.lr)
    return Rates(steps / steps_per_epoch, np.append(lrs, lrs[-1]))


def _collect_scores(study: StudyResult, schedule: Schedule) -> NDArray[np.float64]:
    """Return scores, shape (runs, epochs); a diverged run has its final score from then on."""
    epochs = study.selections[schedule].settings.epochs

    def extend_curve(result: Result) -> NDArray[np.float64]:
        missing = [result.test_score] * (epochs - len(result.curve))
        return np.append(result.curve.get_column("test_score"), missing)

    return np.array([extend_curve(result) for result in study.final_results[schedule]])


def _compute_band(values: NDArray[np.float64]) -> Band:
    mean = values.mean(axis=0)
    return Band(mean, *(compute_confidence_interval(values) if len(values) > 1 else (mean, mean)))


# How it is drawn.


def draw_summary(study: StudyResult, schedules: Sequence[Schedule], figure: Figure) -> None:
    """Draw learning rates, learning curves, and final differences to the baseline."""
    panels = figure.subplot_mosaic(
        [["lr", "differences"], ["curves", "differences"]], width_ratios=[1, 1.1]
    )
    rates, curves = compute_rates(study, schedules), compute_curves(study, schedules)
    _draw_rates(dict.fromkeys(rates, panels["lr"]), rates, study)
    _draw_curves(dict.fromkeys(curves, panels["curves"]), curves, study)
    has_bands = len(schedules) <= MAX_LINES
    near = set(schedules) - _find_far_behind(_rank_rows(study, schedules))
    lines = [line for s in near for line in _list_lines(curves[s])[: 3 if has_bands else 1]]
    _fit_to_second_half([panels["curves"]], lines, study)
    panels["lr"].set(xlabel="epoch", ylabel="learning rate")
    panels["curves"].set(xlabel="epoch", ylabel=_describe_score(study))
    _draw_differences(panels["differences"], study, schedules)
    figure.suptitle(_write_title(study, interval="band" if has_bands else ""))


def draw_differences(study: StudyResult, schedules: Sequence[Schedule], figure: Figure) -> None:
    """Draw the paired differences to the baseline with their intervals, by rank."""
    _draw_differences(figure.subplots(), study, schedules)
    figure.suptitle(_write_title(study, "final differences"))


def draw_difference_curves(
    study: StudyResult, schedules: Sequence[Schedule], figure: Figure
) -> None:
    """Draw the paired difference to the baseline after each epoch."""
    curves = compute_difference_curves(study, schedules)
    if not curves:
        raise ViewError("there is nothing to compare with the baseline; name another schedule.")
    panels = _create_panels(figure, study, list(curves))
    for axes in dict.fromkeys(panels.values()):
        axes.axhline(0, color=get_line_style(0).color, linewidth=1.2)
    _draw_curves(panels, curves, study)
    lines = [line for band in curves.values() for line in _list_lines(band)]
    _fit_to_second_half(panels.values(), [np.zeros(1), *lines], study)
    figure.supylabel(_describe_difference(study))
    figure.suptitle(_write_title(study, "differences by epoch", "band"))


def draw_scores(study: StudyResult, schedules: Sequence[Schedule], figure: Figure) -> None:
    """Draw the final score of every seed, and the mean with its interval, by rank."""
    scores, scale = compute_scores(study, schedules), _get_scale(study)
    rows, axes = _rank_rows(study, schedules), figure.subplots()
    _label_rows(axes, study, list(rows))
    for y, schedule in enumerate(rows):
        values, diverged = scale * scores[schedule].scores, scores[schedule].diverged
        options = _get_line_options(study, schedule)
        band, color = scores[schedule].band, options["color"]
        low, high = scale * float(band.low), scale * float(band.high)
        axes.plot([low, high], [y, y], color=color, linewidth=3, solid_capstyle="butt")
        axes.plot(scale * band.mean, y, "D", color=color, markersize=7)
        # A seed is at the same height in every row, so that pairs can be followed.
        heights = y - np.linspace(0.38, 0.12, len(values))
        axes.plot(values[~diverged], heights[~diverged], "o", **_SEED_OPTIONS, color=color)
        axes.plot(values[diverged], heights[diverged], "x", **_SEED_OPTIONS, color=color)
    handles = [
        _make_handle("one seed", marker="o", **_SEED_OPTIONS),
        _make_handle(
            "mean" if study.plan.protocol.seeds == 1 else "mean, 95 % interval",
            marker="D", markersize=7, linestyle="-", linewidth=3,
        ),
    ]  # fmt: skip
    if any(seed_scores.diverged.any() for seed_scores in scores.values()):
        handles.append(_make_handle("diverged: has the dummy score", marker="x", **_SEED_OPTIONS))
    _add_legend(figure, handles)
    axes.set_xlabel(_describe_score(study))
    figure.suptitle(_write_title(study, "final scores"))


def draw_curves(study: StudyResult, schedules: Sequence[Schedule], figure: Figure) -> None:
    """Draw the score on test rows after each epoch; each panel of many shows the baseline too."""
    curves = compute_curves(study, schedules)
    panels = _create_panels(figure, study, schedules)
    _draw_curves(panels, curves, study)
    lines = [line for band in curves.values() for line in _list_lines(band)]
    _fit_to_second_half(panels.values(), lines, study)
    if len(set(panels.values())) > 1:
        options = _get_line_options(study, BASELINE) | {"linewidth": 0.9}
        for axes in panels.values():
            _draw_band(axes, curves[BASELINE], options, _get_scale(study), alpha=0)
        label = _label_schedule(study, BASELINE).replace("\n", ", ")
        _add_legend(figure, [Line2D([], [], label=label, **options)])
    figure.supylabel(_describe_score(study))
    figure.suptitle(_write_title(study, "learning curves", "band"))


def draw_lr(study: StudyResult, schedules: Sequence[Schedule], figure: Figure) -> None:
    """Draw the learning rate of every step as trained."""
    panels = _create_panels(figure, study, schedules)
    _draw_rates(panels, compute_rates(study, schedules), study)
    figure.supylabel("learning rate")
    figure.suptitle(f"{study.plan.problem.name} · learning rates as trained")


def draw_tuning(study: StudyResult, schedules: Sequence[Schedule], figure: Figure) -> None:
    """Draw the validation scores of all settings tried; the selected ones have a ring."""
    tuning, scale = compute_tuning(study, schedules), _get_scale(study)
    panels = _create_grid(figure, study, schedules, "learning rate")
    grid_lrs = [settings.lr for settings in study.plan.grid]
    handles: dict[str, Line2D] = {}
    for schedule, axes in panels.items():
        for edge in (min(grid_lrs), max(grid_lrs)):
            axes.axvline(edge, **_GRID_EDGE_OPTIONS)
        for i, line in enumerate(tuning[schedule]):
            style = get_line_style(4 + i)
            (handle,) = axes.plot(
                line.lrs, scale * line.scores, color=style.color, marker="os^Dv"[i % 5],
                markersize=5, linestyle=get_line_style(8 * i).linestyle, label=line.label,
            )  # fmt: skip
            if line.label:
                handles[line.label] = handle
            if line.selected_index is not None:
                j = line.selected_index
                axes.plot(line.lrs[j], scale * line.scores[j], **_SELECTED_OPTIONS)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    handles["selected"] = Line2D([], [], label="selected", **_SELECTED_OPTIONS)
    handles["edge"] = Line2D([], [], label="edge of the grid", **_GRID_EDGE_OPTIONS)
    _add_legend(figure, list(handles.values()))
    figure.supylabel(_describe_score(study, "validation rows"))
    seeds = pluralize(study.plan.protocol.tuning_seeds, "seed")
    figure.suptitle(f"{study.plan.problem.name} · tuning · mean over {seeds}")


def _draw_rates(
    panels: Mapping[Schedule, Axes], rates: Mapping[Schedule, Rates], study: StudyResult
) -> None:
    peaks = [schedule_rates.lrs.max() for schedule_rates in rates.values()]
    is_logarithmic = max(peaks) >= _LOG_AXIS_RATIO * min(peaks) > 0
    for schedule, axes in panels.items():
        schedule_rates = rates[schedule]
        axes.step(
            schedule_rates.times,
            schedule_rates.lrs,
            where="post",
            label=_label_schedule(study, schedule),
            **_get_line_options(study, schedule),
        )
        _format_epoch_axis(axes)
        if is_logarithmic:
            axes.set(yscale="log", ylim=(min(peaks) / 30, 1.5 * max(peaks)))
            axes.yaxis.set_major_formatter("{x:g}")
        else:
            axes.set_ylim(0, 1.05 * max(peaks))


def _draw_curves(
    panels: Mapping[Schedule, Axes], curves: Mapping[Schedule, Band], study: StudyResult
) -> None:
    """Draw curves, with their bands unless a panel has too many."""
    scale = _get_scale(study)
    for schedule, axes in panels.items():
        is_crowded = list(panels.values()).count(axes) > MAX_LINES
        options = _get_line_options(study, schedule)
        _draw_band(axes, curves[schedule], options, scale, alpha=0 if is_crowded else 0.15)
        _format_epoch_axis(axes)


def _list_lines(band: Band) -> tuple[NDArray[np.float64], ...]:
    return band.mean, band.low, band.high


def _fit_to_second_half(
    panels: Iterable[Axes], lines: Iterable[NDArray[np.float64]], study: StudyResult
) -> None:
    """Fit the height to the second half of some lines; their first half may lie outside."""
    halves = [line[len(line) // 2 :] for line in lines]
    for axes in panels:
        axes.set_ylim(_add_margin(_get_scale(study) * np.concatenate(halves)))


def _add_margin(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of an axis for some values."""
    margin = 0.05 * float(np.ptp(values)) or 1.0
    return float(values.min()) - margin, float(values.max()) + margin


def _draw_band(axes: Axes, band: Band, options: LineOptions, scale: int, alpha: float) -> None:
    epochs = np.arange(1, len(band.mean) + 1)
    axes.plot(epochs, scale * band.mean, **options)
    if alpha:
        axes.fill_between(
            epochs, scale * band.low, scale * band.high, color=options["color"], alpha=alpha,
            linewidth=0,
        )  # fmt: skip


def _draw_differences(axes: Axes, study: StudyResult, schedules: Sequence[Schedule]) -> None:
    rows, scale = _rank_rows(study, schedules), _get_scale(study)
    number_format = NumberFormat.from_study(study)
    _label_rows(axes, study, list(rows))
    axes.axvline(0, color=get_line_style(0).color, linewidth=1.2)
    near = set(rows) - _find_far_behind(rows)
    low, high = _add_margin(
        scale * np.array([end for s in near for end in _list_difference_ends(rows[s])])
    )
    for y, (schedule, row) in enumerate(rows.items()):
        notes, paired = [format_verdict(row)], row.vs_baseline
        if paired is not None:
            color = _get_line_options(study, schedule)["color"]
            for estimate, width in zip(paired.estimates, _INTERVALS, strict=False):
                if estimate.ci_low is not None and estimate.ci_high is not None:
                    ends = [scale * estimate.ci_low, scale * estimate.ci_high]
                    axes.plot(ends, [y, y], color=color, linewidth=width, solid_capstyle="butt")
            is_outside = scale * paired.difference < low
            point = (low, "<") if is_outside else (scale * paired.difference, "D")
            axes.plot(point[0], y, point[1], color=color, markersize=7, clip_on=False)
            notes.insert(0, number_format.format_difference(paired.difference))
        axes.annotate(
            "\n".join(notes), (1, y), (8, 0), ("axes fraction", "data"), "offset points",
            va="center", fontsize="small",
        )  # fmt: skip
    axes.set(xlim=(low, high), xlabel=_describe_difference(study))
    if study.plan.protocol.seeds > 1:
        count = 1 if study.comparison.test_train_ratio is None else 2
        intervals = list(_INTERVALS.items())[:count]
        handles = [_make_handle(text, linestyle="-", linewidth=width) for width, text in intervals]
        _add_legend(axes.figure, handles)


def _find_far_behind(rows: Mapping[Schedule, ComparisonRow]) -> set[Schedule]:
    """Return the schedules that are worse by far, which would leave no room for the others.

    Args:
        rows: of schedules, the best first.
    """
    far_behind, extent = set(), 0.0
    for schedule, row in rows.items():
        own_extent = max(map(abs, _list_difference_ends(row)))
        if row.verdict.is_worse and own_extent > _FAR_RATIO * extent > 0:
            far_behind.add(schedule)
        else:
            extent = max(extent, own_extent)
    return far_behind


def _list_difference_ends(row: ComparisonRow) -> list[float]:
    """Return zero, the difference of a row to the baseline, and the ends of its intervals."""
    if row.vs_baseline is None:
        return [0.0]
    ends = [end for e in row.vs_baseline.estimates for end in (e.ci_low, e.ci_high)]
    return [0.0, row.vs_baseline.difference, *(end for end in ends if end is not None)]


def _rank_rows(
    study: StudyResult, schedules: Collection[Schedule]
) -> dict[Schedule, ComparisonRow]:
    """Return the rows of the comparison for some schedules, the best first."""
    rows = {study.schedules_by_label[row.label]: row for row in study.comparison.rows}
    return {schedule: row for schedule, row in rows.items() if schedule in schedules}


def _label_rows(axes: Axes, study: StudyResult, schedules: Sequence[Schedule]) -> None:
    """Give each schedule a row, the first on top, named by its label and a piece of its line."""
    for y, schedule in enumerate(schedules):
        axes.annotate(
            "", (0, y), (-26, 0), ("axes fraction", "data"), "offset points",
            arrowprops={
                "arrowstyle": "-", "shrinkA": 0, "shrinkB": 3, **_get_line_options(study, schedule)
            },
        )  # fmt: skip
    labels = [_label_schedule(study, schedule) for schedule in schedules]
    axes.set_yticks(range(len(labels)), labels, fontsize="small")
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.tick_params(axis="y", length=0, pad=32)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _create_panels(
    figure: Figure, study: StudyResult, schedules: Sequence[Schedule]
) -> dict[Schedule, Axes]:
    """Return the axes of each schedule: the same for a few, with a legend; one each for many."""
    if len(schedules) <= MAX_LINES:
        axes = figure.subplots()
        handles = [
            Line2D([], [], label=_label_schedule(study, s), **_get_line_options(study, s))
            for s in schedules
        ]
        _add_legend(figure, handles)
        axes.set_xlabel("epoch")
        return dict.fromkeys(schedules, axes)
    return _create_grid(figure, study, schedules, "epoch")


def _create_grid(
    figure: Figure, study: StudyResult, schedules: Sequence[Schedule], xlabel: str
) -> dict[Schedule, Axes]:
    """Return the axes of each schedule, with its label as title."""
    count = len(schedules)
    narrowest = ceil(np.sqrt(count))
    columns = min(range(narrowest, max(narrowest, 4) + 1), key=lambda n: -count % n)  # few holes
    grid = figure.subplots(
        ceil(count / columns), columns, sharex=True, sharey=True, squeeze=False
    ).flatten()
    for axes in grid[count:]:
        axes.remove()
    for axes, schedule in zip(grid, schedules, strict=False):
        axes.set_title(_label_schedule(study, schedule), fontsize="small", parse_math=False)
    for axes in grid[max(0, count - columns) : count]:  # the lowest of each column
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(xlabel)
    return dict(zip(schedules, grid, strict=False))


def _format_epoch_axis(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _add_legend(figure: Figure | SubFigure, handles: Sequence[Line2D]) -> None:
    legend = figure.legend(
        handles=handles, loc="outside lower center", ncols=min(3, len(handles)), frameon=False
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _make_handle(label: str, **options: Any) -> Line2D:
    return Line2D([], [], label=label, color="#555555", **({"linestyle": "none"} | options))


def _get_line_options(study: StudyResult, schedule: Schedule) -> LineOptions:
    """Return the look of a schedule's lines, the same in every plot of the study."""
    style = get_line_style(study.plan.schedules.index(schedule))
    return {"color": style.color, "linestyle": style.linestyle, "linewidth": 1.6}


def _label_schedule(study: StudyResult, schedule: Schedule) -> str:
    """Return the text of a schedule and, where they were tuned, its settings on another line."""
    names = find_varied_hyperparameters(study.plan.grid)
    settings = ", ".join(format_settings(study.selections[schedule].settings, names))
    lines = [*textwrap.wrap(repr(schedule), _LABEL_WIDTH), settings]
    return "\n".join(line for line in lines if line)


def _write_title(study: StudyResult, subject: str = "", interval: str = "") -> str:
    seeds = study.plan.protocol.seeds
    note = f"{interval}: 95 % interval of the mean" if interval and seeds > 1 else ""
    parts = (study.plan.problem.name, subject, format_paired_seeds(seeds), note)
    return " · ".join(part for part in parts if part)


def _get_scale(study: StudyResult) -> int:
    return 100 if study.plan.problem.metric.percent else 1


def _describe_score(study: StudyResult, rows: str = "test rows") -> str:
    metric = study.plan.problem.metric
    unit = " [%]" if metric.percent else ""
    direction = "higher" if metric.greater_is_better else "lower"
    return f"{metric.name} on {rows}{unit}, {direction} is better"


def _describe_difference(study: StudyResult) -> str:
    metric = study.plan.problem.metric
    relation = "minus" if metric.greater_is_better else "below"
    unit = " [points]" if metric.percent else ""
    return f"{metric.name} {relation} that of the constant rate{unit}, positive is better"


STUDY_PLOTS: Mapping[str, StudyPlot] = {
    "summary": draw_summary,
    "differences": draw_differences,
    "difference_curves": draw_difference_curves,
    "scores": draw_scores,
    "curves": draw_curves,
    "lr": draw_lr,
    "tuning": draw_tuning,
}
"""What draws each kind of plot."""
