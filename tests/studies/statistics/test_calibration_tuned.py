"""Studies with badly tuned baselines name no false winners.

These are the checks of ``benchmarks/calibration.py`` with fewer studies. Margins are four standard
errors.
"""

import math
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from lrlab import Constant
from lrlab.problems import load_problem
from lrlab.studies import (
    BASELINE,
    Phase,
    Protocol,
    build_plan,
    plan_first_phase,
    plan_next_phase,
)
from lrlab.studies.study import StudyResult
from lrlab.training import Curve, Epoch, Result, Run

pytestmark = pytest.mark.slow

STUDIES = 100
MAX_FRACTION = 0.05 + 4 * math.sqrt(0.05 * 0.95 / STUDIES)


@pytest.mark.parametrize("index", range(10))
def test_few_studies_name_a_false_winner(calibration: ModuleType, index: int) -> None:
    world = [*calibration.TUNED_WORLDS.values()][index]
    fractions = calibration.count_false_winners_tuned(world, STUDIES)
    assert fractions["this_data"]["fraction"] <= MAX_FRACTION
    assert "new_data" not in fractions or fractions["new_data"]["fraction"] <= MAX_FRACTION


def test_winners_must_beat_more_than_the_tuned_baseline(calibration: ModuleType) -> None:
    fractions = calibration.count_false_winners_tuned(
        calibration.TUNED_WORLDS["0.5 points"], STUDIES
    )
    assert fractions["tuned_baseline_only"]["fraction"] > 0.08
    sharp = calibration.TUNED_WORLDS["baseline 5 points, others 0.1, off the grid, 12 schedules"]
    fractions = calibration.count_false_winners_tuned(sharp, STUDIES)
    assert fractions["without_midpoints"]["fraction"] > MAX_FRACTION


def test_a_clearly_better_schedule_is_named(calibration: ModuleType) -> None:
    for make_world in calibration.TUNED_POWER_WORLDS.values():
        (power,) = calibration.measure_power_tuned(make_world, 50, gains=[0.02])
        assert power["winner"]["fraction"] > 0.8


@pytest.mark.parametrize("slope", [0.0, 0.05, -0.05])
def test_simulated_studies_are_compared_as_real_ones(calibration: ModuleType, slope: float) -> None:
    """With the same scores, the phases, selection and result of lrlab give the same rows."""
    tuning, rng, extension_count = calibration.tuning, np.random.default_rng(0), 0
    for _ in range(3):
        study = calibration.FavoringRows([0.005] * 3, (0.0, 0.02, -0.02)).draw_study(rng)
        tilted = study.validation_scores + slope * tuning.LR_POSITIONS
        study.validation_scores[:] = tilted.round(2)  # with ties
        simulated = tuning.compare_tuned(study, load_problem("iris").test_train_ratio)
        result = run_with_lrlab(tuning, study)
        labels = [*result.schedules_by_label]
        assert result.comparison.rows == tuple(
            replace(row, label=labels[int(row.label)]) for row in simulated.rows
        )
        extension_count += any(s.settings not in tuning.GRID for s in result.selections.values())
    assert extension_count or slope == 0


def run_with_lrlab(tuning: ModuleType, study) -> StudyResult:
    schedules = [BASELINE, *(Constant(i + 1.0) for i in range(1, len(study.final_scores)))]
    protocol = Protocol(tuning.SEEDS, tuning_seeds=1, grid_extensions=tuning.GRID_EXTENSIONS)
    plan = build_plan(load_problem("iris"), [], tuning.GRID, protocol)
    object.__setattr__(plan, "schedules", tuple(schedules))  # not scaled to a peak of 1

    def make_result(phase: Phase, run: Run) -> Result:
        index = schedules.index(run.schedule), tuning.ALL_SETTINGS.index(run.settings)
        is_final = phase.name == "final"
        test_score = (
            study.final_scores[index][plan.final_seeds.index(run.seed)] if is_final else np.nan
        )
        epochs = [Epoch(0, 0.1, 0.1, 1.0, test_score, 0.7, study.validation_scores[index])]
        return Result(test_score, False, Curve.from_epochs(epochs), 0.0)

    phases, results, phase = [], {}, plan_first_phase(plan)
    while phase is not None:
        results |= {run_id: make_result(phase, run) for run_id, run in phase.runs.items()}
        phases.append(phase)
        phase = plan_next_phase(plan, phases, results)
    return StudyResult(plan, tuple(phases), results)
