"""Studies with given results, without training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lrlab.problems import load_problem
from lrlab.schedules import Schedule, parse
from lrlab.studies import (
    BASELINE,
    Comparison,
    Plan,
    Selection,
    StudyResult,
    build_plan,
    plan_first_phase,
    plan_next_phase,
)
from lrlab.training import Curve, Epoch, Result, Settings


def make_compared_study(
    comparison: Comparison,
    problem: str = "iris",
    settings: Mapping[str, Settings] | None = None,
    baseline_settings: Mapping[str, Settings] | None = None,
) -> StudyResult:
    """Make a study without runs that has this comparison.

    Args:
        comparison: labels are texts of schedules; the baseline is the constant rate.
        problem: name of the problem that has the metric of the scores.
        settings: selected for each schedule, by its label; by default none were tuned.
        baseline_settings: by the labels of the comparison, if it names any.
    """
    selected = settings or dict.fromkeys((row.label for row in comparison.rows), Settings())
    plan = build_plan(
        load_problem(problem),
        [parse(row.label) for row in comparison.rows],
        [replace(s, validation_size=0.2) for s in selected.values()],
    )
    study = StudyResult(plan, (), {})
    edges = {row.label: int(row.at_grid_edge) for row in comparison.rows}
    vars(study).update(  # what a study computes from its runs
        comparison=comparison,
        selections={parse(text): Selection(s, edges[text]) for text, s in selected.items()},
        schedules_by_label={text: parse(text) for text in selected},
        baseline_settings=dict(baseline_settings or {}),
    )
    return study


def make_study(
    plan: Plan,
    final_results: Mapping[Schedule, Sequence[Result]],
    selected_settings: Mapping[Schedule, Settings] | None = None,
    other_baseline_results: Sequence[Result] | None = None,
) -> StudyResult:
    """Make the study whose final runs have these results.

    Args:
        plan: of the study.
        final_results: of each schedule at its selected settings.
        selected_settings: of each schedule; by default the first of the grid.
        other_baseline_results: of the baseline at each of the other settings; by default the same
            as at the selected ones.
    """
    selected = dict.fromkeys(plan.schedules, plan.grid[0]) | dict(selected_settings or {})
    phase, phases, results = plan_first_phase(plan), [], {}
    while phase is not None:
        phases.append(phase)
        phase_results: list[Result] = []
        for schedule, settings in phase.candidates:
            is_selected = settings == selected[schedule]
            if phase.name != "final":
                phase_results += [_make_tuning_result(0.9 if is_selected else 0.5)] * len(
                    phase.seeds
                )
            elif is_selected or schedule != BASELINE:
                phase_results += final_results[schedule]
            else:
                phase_results += other_baseline_results or final_results[schedule]
        results |= dict(zip(phase.runs, phase_results, strict=True))
        phase = plan_next_phase(plan, phases, results)
    return StudyResult(plan, tuple(phases), results)


def make_results(mean: float, seed: int = 0, diverged: int = 0) -> list[Result]:
    """Make six results around a mean, which the second epoch reaches; the first ones diverged."""
    scores = mean + np.random.default_rng(seed).normal(0, 0.003, 6)
    return [
        Result(float(score), i < diverged, _make_curve(score), 0.0)
        for i, score in enumerate(scores)
    ]


def _make_curve(score: float) -> Curve:
    return Curve.from_epochs(
        [Epoch(epoch, 1, 1, 1, score * (epoch + 1) / 2, 1, 0.5) for epoch in range(2)]
    )


def _make_tuning_result(validation_score: float) -> Result:
    epoch = Epoch(0, 0.1, 0.1, 1.0, 0.5, 0.7, validation_score)
    return Result(0.5, False, Curve.from_epochs([epoch]), 0.0)
