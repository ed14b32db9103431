"""A study as a picture: its rates, and scores and differences epoch by epoch."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lrlab.problems.metrics import Metric
from lrlab.schedules import Schedule
from lrlab.studies import (
    BASELINE,
    StudyResult,
    compute_confidence_interval,
    find_varied_hyperparameters,
)
from lrlab.training import Result, Settings
from lrlab.views import colors
from lrlab.views.answer import format_settings
from lrlab.views.files import atomic_write
from lrlab.views.text import format_paired_seeds

STUDY_PLOT_EXTENSIONS = (".png",)

_LOG_AXIS_RATIO = 10
"""From peak rates so far apart on, rates have a logarithmic axis."""

_LEGEND_CHARACTERS = 200
"""Characters that fit beside each other below the panels."""


@dataclass(frozen=True, eq=False)
class Band:
    """A mean over the seeds and its 95 % interval, after each epoch; shape (epochs,).

    Of one seed there is no interval: low and high are the mean.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """What is drawn of one schedule.

    Args:
        label: its text.
        times: of the rates, in epochs, shape (steps + 1,).
        rates: at those times.
        score: the metric after each epoch.
        gain: how much better than the baseline that is, seed by seed; None for the baseline.
    """

    label: str
    times: NDArray[np.float64]
    rates: NDArray[np.float64]
    score: Band
    gain: Band | None


def compute_curves(
    study: StudyResult, schedules: Collection[Schedule] | None = None
) -> list[Curve]:
    """The data of all lines.

    Args:
        study: whose final runs they show.
        schedules: the schedules that are drawn, the baseline among them; all when left out.
    """
    plan, results = study.plan, study.final_results
    sign = 1 if plan.problem.metric.greater_is_better else -1
    drawn_schedules = [
        schedule for schedule in plan.schedules if schedules is None or schedule in schedules
    ]
    settings_by_schedule = {
        schedule: study.selections[schedule].settings for schedule in drawn_schedules
    }
    scores = {
        s: _collect_scores(results[s], settings_by_schedule[s].epochs) for s in drawn_schedules
    }
    names, curves_to_draw = find_varied_hyperparameters(plan.grid), []
    for schedule, schedule_scores in scores.items():
        times, rates = _compute_rates(
            schedule, settings_by_schedule[schedule], plan.problem.train_rows
        )
        if schedule.needs_metric:
            times, rates = _compute_mean_used_rates(results[schedule], times, rates)
        gain = (
            None
            if schedule == BASELINE
            else _compute_band(sign * (schedule_scores - scores[BASELINE]))
        )
        label = ", ".join([repr(schedule), *format_settings(settings_by_schedule[schedule], names)])
        curves_to_draw.append(Curve(label, times, rates, _compute_band(schedule_scores), gain))
    return curves_to_draw


def _compute_rates(
    schedule: Schedule, settings: Settings, rows: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times in epochs and the rates at them, of every step."""
    steps_per_epoch = settings.count_steps_per_epoch(rows)
    steps = np.arange(settings.epochs * steps_per_epoch + 1)
    return steps / steps_per_epoch, settings.bind(schedule, rows)(steps, base=settings.lr)


def _compute_mean_used_rates(
    results: Sequence[Result], times: NDArray[np.float64], rates: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a schedule that reads a metric came to: the mean over the runs at every epoch's start.

    Where no run has come to an end there is only what it begins with.
    """
    epochs_of_runs = [result.curve for result in results if not result.diverged]
    if not epochs_of_runs:
        return times, rates
    used_rates = [np.append(own.get_column("lr_start"), own[-1].lr_end) for own in epochs_of_runs]
    return np.arange(len(used_rates[0]), dtype=np.float64), np.mean(used_rates, axis=0)


def _collect_scores(results: Sequence[Result], epochs: int) -> NDArray[np.float64]:
    """Scores of shape (runs, epochs); a diverged run goes on with what it is scored as."""
    return np.array(
        [
            np.append(
                result.curve.get_column("test_score"),
                [result.test_score] * (epochs - len(result.curve)),
            )
            for result in results
        ]
    )


def _compute_band(values: NDArray[np.float64]) -> Band:
    mean = values.mean(axis=0)
    return Band(mean, *(compute_confidence_interval(values) if len(values) > 1 else (mean, mean)))


def create_figure(curves: Sequence[Curve], title: str, metric: Metric) -> Figure:
    """Three panels: rates, scores with bands, and differences to the constant rate with bands."""
    labels = [one.label for one in curves]
    columns = max(1, min(4, len(curves), _LEGEND_CHARACTERS // (max(map(len, labels)) + 7)))
    extra_height = 0.2 * max(0, ceil(len(curves) / columns) - 3)
    figure = Figure(figsize=(15, 5.4 + extra_height), layout="constrained")
    alpha = min(0.1, 0.6 / len(curves))  # so that many bands do not hide the lines
    rates, scores, gains = figure.subplots(1, 3)
    lines = []
    for i, one in enumerate(curves):
        color, style = colors.get_line_style(i)
        style_options = {"color": color, "linestyle": style, "linewidth": 1.6}
        lines += rates.step(one.times, one.rates, where="post", label=one.label, **style_options)
        _draw_band(scores, one.score, metric, style_options, alpha)
        if one.gain is not None:
            _draw_band(gains, one.gain, metric, style_options, alpha)
    gains.axhline(0, color=colors.COLORS[0], linewidth=1.6)
    unit, points = (", %", ", points") if metric.percent else ("", "")
    rates.set(title="rate", xlabel="epochs trained", ylim=(0, None))
    peaks = [one.rates.max() for one in curves]
    if max(peaks) >= _LOG_AXIS_RATIO * min(peaks) > 0:
        rates.set(yscale="log", ylim=(min(peaks) / 30, 1.5 * max(peaks)))
    scores.set(title=f"{metric.name} on the test rows{unit}", xlabel="epochs trained")
    gains.set(title=f"better than the constant rate by{points}", xlabel="epochs trained")
    _fit_to_second_half(scores, [one.score for one in curves], metric)
    if metric.percent:
        low, high = scores.get_ylim()
        scores.set_ylim(max(low, -2), min(high, 102))
    zero = np.zeros(len(curves[0].score.mean))
    others = [one.gain for one in curves if one.gain is not None]
    _fit_to_second_half(gains, [Band(zero, zero, zero), *others], metric)
    for axes in (rates, scores, gains):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    figure.legend(handles=lines, loc="outside lower center", ncols=columns, frameon=False)
    return figure


def _get_scale(metric: Metric) -> int:
    return 100 if metric.percent else 1


def _draw_band(
    axes: Axes, band: Band, metric: Metric, style_options: dict[str, Any], alpha: float
) -> None:
    epochs, scale = np.arange(1, len(band.mean) + 1), _get_scale(metric)
    axes.plot(epochs, scale * band.mean, **style_options)
    axes.fill_between(
        epochs,
        scale * band.low,
        scale * band.high,
        color=style_options["color"],
        alpha=alpha,
        linewidth=0,
    )


def _fit_to_second_half(axes: Axes, bands: Sequence[Band], metric: Metric) -> None:
    """Fits the height to the second half of training, which decides; the first may lie outside."""
    ends = [line[len(line) // 2 :] for band in bands for line in (band.mean, band.low, band.high)]
    values = _get_scale(metric) * np.concatenate(ends)
    margin = 0.15 * np.ptp(values) or 1.0
    axes.set_ylim(values.min() - margin, values.max() + margin)


def save_study_plot(
    study: StudyResult, path: Path, schedules: Collection[Schedule] | None = None
) -> None:
    """Writes the picture of a study as PNG.

    Args:
        study: whose final runs it shows.
        path: the file.
        schedules: as in ``compute_curves``.

    Raises:
        ViewError: the file cannot be written.
    """
    plan = study.plan
    band = " · band: 95 % interval of the mean" if plan.protocol.seeds > 1 else ""
    title = f"{plan.problem.name} · {format_paired_seeds(plan.protocol.seeds)}{band}"
    figure = create_figure(compute_curves(study, schedules), title, plan.problem.metric)
    with atomic_write(path) as temporary_path:
        figure.savefig(temporary_path, format="png", dpi=120)
