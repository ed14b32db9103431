"""The plot of a study: rates, scores and differences to the constant rate, epoch by epoch."""

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
from lrlab.views.answer import format_settings
from lrlab.views.files import atomic_write
from lrlab.views.line_styles import get_line_style
from lrlab.views.text import format_paired_seeds

STUDY_PLOT_EXTENSIONS = (".png",)

_LOG_AXIS_RATIO = 10
"""Ratio of the highest to the lowest peak rate that makes the axis logarithmic."""

_LEGEND_WIDTH = 200
"""Number of characters that fit below the panels."""


def save_study_plot(
    study: StudyResult, path: Path, schedules: Collection[Schedule] | None = None
) -> None:
    """Write the plot of a study as PNG.

    Args:
        study: the study, with its final runs.
        path: of the file; see ``check_output``.
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


@dataclass(frozen=True, eq=False)
class Band:
    """The mean over seeds and its 95 % interval after each epoch, shape (epochs,).

    With one seed, low and high are the mean.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScheduleCurves:
    """The data of one schedule's lines.

    Args:
        label: its text, and its settings where they were tuned.
        times: times in epochs, shape (steps + 1,).
        rates: the learning rates at these times.
        score: the metric after each epoch.
        gain: paired difference to the baseline, positive if better; None for the baseline.
    """

    label: str
    times: NDArray[np.float64]
    rates: NDArray[np.float64]
    score: Band
    gain: Band | None


def compute_curves(
    study: StudyResult, schedules: Collection[Schedule] | None = None
) -> list[ScheduleCurves]:
    """Compute the data of all lines from a study's final runs.

    Args:
        study: the study.
        schedules: the schedules to draw, including the baseline; all by default.
    """
    plan, results = study.plan, study.final_results
    sign = 1 if plan.problem.metric.greater_is_better else -1
    names = find_varied_hyperparameters(plan.grid)
    settings = {
        schedule: study.selections[schedule].settings
        for schedule in plan.schedules
        if schedules is None or schedule in schedules
    }
    scores = {s: _collect_scores(results[s], settings[s].epochs) for s in settings}
    curves = []
    for schedule, schedule_scores in scores.items():
        times, rates = _compute_rates(schedule, settings[schedule], plan.problem.train_rows)
        if schedule.needs_metric:
            times, rates = _compute_mean_used_rates(results[schedule], times, rates)
        gain = (
            None
            if schedule == BASELINE
            else _compute_band(sign * (schedule_scores - scores[BASELINE]))
        )
        label = ", ".join([repr(schedule), *format_settings(settings[schedule], names)])
        curves.append(ScheduleCurves(label, times, rates, _compute_band(schedule_scores), gain))
    return curves


def _compute_rates(
    schedule: Schedule, settings: Settings, rows: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rate of every step, and its time in epochs."""
    steps_per_epoch = settings.count_steps_per_epoch(rows)
    steps = np.arange(settings.epochs * steps_per_epoch + 1)
    return steps / steps_per_epoch, settings.bind(schedule, rows)(steps, base=settings.lr)


def _compute_mean_used_rates(
    results: Sequence[Result], times: NDArray[np.float64], rates: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rates that a metric-driven schedule used at the start of each epoch, on average.

    If every run diverged, return the given rates, those before any metric.
    """
    curves = [result.curve for result in results if not result.diverged]
    if not curves:
        return times, rates
    used_rates = [np.append(curve.get_column("lr_start"), curve[-1].lr_end) for curve in curves]
    return np.arange(len(used_rates[0]), dtype=np.float64), np.mean(used_rates, axis=0)


def _collect_scores(results: Sequence[Result], epochs: int) -> NDArray[np.float64]:
    """Return scores, shape (runs, epochs); a diverged run has its final score from then on."""
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


def create_figure(curves: Sequence[ScheduleCurves], title: str, metric: Metric) -> Figure:
    """Draw three panels: rates, scores, and differences to the constant rate."""
    labels = [curve.label for curve in curves]
    columns = max(1, min(4, len(curves), _LEGEND_WIDTH // (max(map(len, labels)) + 7)))
    extra_height = 0.2 * max(0, ceil(len(curves) / columns) - 3)
    figure = Figure(figsize=(15, 5.4 + extra_height), layout="constrained")
    alpha = min(0.1, 0.6 / len(curves))  # so that many bands do not hide the lines
    rates, scores, gains = figure.subplots(1, 3)
    lines = []
    for i, curve in enumerate(curves):
        style = get_line_style(i)
        style_options = {"color": style.color, "linestyle": style.linestyle, "linewidth": 1.6}
        lines += rates.step(
            curve.times, curve.rates, where="post", label=curve.label, **style_options
        )
        _draw_band(scores, curve.score, metric, style_options, alpha)
        if curve.gain is not None:
            _draw_band(gains, curve.gain, metric, style_options, alpha)
    gains.axhline(0, color=get_line_style(0).color, linewidth=1.6)
    unit, points = (" [%]", " [points]") if metric.percent else ("", "")
    rates.set(title="learning rate", xlabel="epoch", ylim=(0, None))
    peaks = [curve.rates.max() for curve in curves]
    if max(peaks) >= _LOG_AXIS_RATIO * min(peaks) > 0:
        rates.set(yscale="log", ylim=(min(peaks) / 30, 1.5 * max(peaks)))
    scores.set(title=f"{metric.name} on test rows{unit}", xlabel="epoch")
    gains.set(title=_format_gain_title(metric) + points, xlabel="epoch")
    _fit_to_second_half(scores, [curve.score for curve in curves], metric)
    if metric.percent:
        low, high = scores.get_ylim()
        scores.set_ylim(max(low, -2), min(high, 102))
    zero = np.zeros(len(curves[0].score.mean))
    other_gains = [curve.gain for curve in curves if curve.gain is not None]
    _fit_to_second_half(gains, [Band(zero, zero, zero), *other_gains], metric)
    for axes in (rates, scores, gains):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    figure.legend(handles=lines, loc="outside lower center", ncols=columns, frameon=False)
    return figure


def _format_gain_title(metric: Metric) -> str:
    relation = "minus" if metric.greater_is_better else "below"
    return f"{metric.name} {relation} that of the constant rate"


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
    """Fit the height to the second half of training; the first half may lie outside."""
    halves = [line[len(line) // 2 :] for band in bands for line in (band.mean, band.low, band.high)]
    values = _get_scale(metric) * np.concatenate(halves)
    margin = 0.15 * np.ptp(values) or 1.0
    axes.set_ylim(values.min() - margin, values.max() + margin)
