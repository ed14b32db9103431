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

from lrlab.problems.tasks import Metric
from lrlab.schedules import Schedule
from lrlab.studies import BASELINE, Study, interval, varied
from lrlab.studies.numbers import settings_named
from lrlab.training import Result, Settings
from lrlab.views import colours
from lrlab.views.drafts import draft
from lrlab.views.wording import paired_seeds

_DECADE = 10
"""From peak rates so far apart on, rates have a logarithmic axis."""

_LEGEND = 200
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


def curves(study: Study, among: Collection[Schedule] | None = None) -> list[Curve]:
    """The data of all lines.

    Args:
        study: whose final runs they show.
        among: the schedules that are drawn, the baseline among them; all when left out.
    """
    plan, results = study.plan, study.finals
    sign = 1 if plan.problem.metric.more_is_better else -1
    shown = [schedule for schedule in plan.schedules if among is None or schedule in among]
    chosen = {schedule: study.tuned[schedule].settings for schedule in shown}
    scores = {s: _scores(results[s], chosen[s].epochs) for s in shown}
    names, drawn = varied(plan.grid), []
    for schedule, own in scores.items():
        times, rates = _rates(schedule, chosen[schedule], plan.problem.train_rows)
        if schedule.reactive:
            times, rates = _rates_used(results[schedule], times, rates)
        gain = None if schedule == BASELINE else _band(sign * (own - scores[BASELINE]))
        label = ", ".join([repr(schedule), *settings_named(chosen[schedule], names)])
        drawn.append(Curve(label, times, rates, _band(own), gain))
    return drawn


def _rates(
    schedule: Schedule, settings: Settings, rows: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times in epochs and the rates at them, of every step."""
    per_epoch = settings.steps_per_epoch(rows)
    steps = np.arange(settings.epochs * per_epoch + 1)
    return steps / per_epoch, settings.bind(schedule, rows)(steps, base=settings.lr)


def _rates_used(
    results: Sequence[Result], times: NDArray[np.float64], rates: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a schedule that reads a metric came to: the mean over the runs at every epoch's start.

    Where no run has come to an end there is only what it begins with.
    """
    ended = [result.epochs for result in results if not result.diverged]
    if not ended:
        return times, rates
    used = [np.append(own.column("before"), own[-1].after) for own in ended]
    return np.arange(len(used[0]), dtype=np.float64), np.mean(used, axis=0)


def _scores(results: Sequence[Result], epochs: int) -> NDArray[np.float64]:
    """Scores of shape (runs, epochs); a diverged run goes on with what it is scored as."""
    return np.array(
        [
            np.append(result.epochs.column("score"), [result.score] * (epochs - len(result.epochs)))
            for result in results
        ]
    )


def _band(values: NDArray[np.float64]) -> Band:
    mean = values.mean(axis=0)
    return Band(mean, *(interval(values) if len(values) > 1 else (mean, mean)))


def figure(drawn: Sequence[Curve], title: str, metric: Metric) -> Figure:
    """Three panels: rates, scores with bands, and differences to the constant rate with bands."""
    labels = [one.label for one in drawn]
    columns = max(1, min(4, len(drawn), _LEGEND // (max(map(len, labels)) + 7)))
    taller = 0.2 * max(0, ceil(len(drawn) / columns) - 3)
    drawing = Figure(figsize=(15, 5.4 + taller), layout="constrained")
    alpha = min(0.1, 0.6 / len(drawn))  # so that many bands do not hide the lines
    rates, scores, gains = drawing.subplots(1, 3)
    lines = []
    for i, one in enumerate(drawn):
        colour, style = colours.look(i)
        look = {"color": colour, "linestyle": style, "linewidth": 1.6}
        lines += rates.step(one.times, one.rates, where="post", label=one.label, **look)
        _draw(scores, one.score, metric, look, alpha)
        if one.gain is not None:
            _draw(gains, one.gain, metric, look, alpha)
    gains.axhline(0, color=colours.COLOURS[0], linewidth=1.6)
    unit, points = (", %", ", points") if metric.percent else ("", "")
    rates.set(title="rate", xlabel="epochs trained", ylim=(0, None))
    peaks = [one.rates.max() for one in drawn]
    if max(peaks) >= _DECADE * min(peaks) > 0:
        rates.set(yscale="log", ylim=(min(peaks) / 30, 1.5 * max(peaks)))
    scores.set(title=f"{metric.name} on the test rows{unit}", xlabel="epochs trained")
    gains.set(title=f"better than the constant rate by{points}", xlabel="epochs trained")
    _show_second_half(scores, [one.score for one in drawn], metric)
    if metric.percent:
        low, high = scores.get_ylim()
        scores.set_ylim(max(low, -2), min(high, 102))
    zero = np.zeros(len(drawn[0].score.mean))
    others = [one.gain for one in drawn if one.gain is not None]
    _show_second_half(gains, [Band(zero, zero, zero), *others], metric)
    for axes in (rates, scores, gains):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.spines[["top", "right"]].set_visible(False)
    drawing.suptitle(title)
    drawing.legend(handles=lines, loc="outside lower center", ncols=columns, frameon=False)
    return drawing


def _unit(metric: Metric) -> int:
    return 100 if metric.percent else 1


def _draw(axes: Axes, band: Band, metric: Metric, look: dict[str, Any], alpha: float) -> None:
    epochs, unit = np.arange(1, len(band.mean) + 1), _unit(metric)
    axes.plot(epochs, unit * band.mean, **look)
    axes.fill_between(
        epochs, unit * band.low, unit * band.high, color=look["color"], alpha=alpha, linewidth=0
    )


def _show_second_half(axes: Axes, bands: Sequence[Band], metric: Metric) -> None:
    """Fits the height to the second half of training, which decides; the first may lie outside."""
    ends = [line[len(line) // 2 :] for band in bands for line in (band.mean, band.low, band.high)]
    values = _unit(metric) * np.concatenate(ends)
    margin = 0.15 * np.ptp(values) or 1.0
    axes.set_ylim(values.min() - margin, values.max() + margin)


def save(study: Study, path: Path, among: Collection[Schedule] | None = None) -> None:
    """Writes the picture of a study as PNG.

    Args:
        study: whose final runs it shows.
        path: the file.
        among: as in ``curves``.

    Raises:
        ViewError: the file cannot be written.
    """
    plan = study.plan
    band = " · band: 95 % interval of the mean" if plan.protocol.seeds > 1 else ""
    title = f"{plan.problem.name} · {paired_seeds(plan.protocol.seeds)}{band}"
    drawing = figure(curves(study, among), title, plan.problem.metric)
    with draft(path) as beside:
        drawing.savefig(beside, format="png", dpi=120)
