"""Studies that choose settings name no winner where there is none, whatever was chosen badly.

The same as ``benchmarks/calibration.py``, with fewer studies; margins are four standard errors.
"""

import math
from types import ModuleType

import numpy as np
import pytest

from lrlab import Constant
from lrlab.problems import load_problem
from lrlab.studies import (
    BASELINE,
    Comparison,
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
MOST = 0.05 + 4 * math.sqrt(0.05 * 0.95 / STUDIES)


@pytest.mark.parametrize("number", range(10))
def test_few_studies_name_a_winner_wrongly(calibration: ModuleType, number: int) -> None:
    found = calibration.count_false_winners_tuned([*calibration.TUNED.values()][number], STUDIES)
    assert found["here"]["share"] <= MOST
    assert "new" not in found or found["new"]["share"] <= MOST


def test_without_rivals_they_would_and_without_those_halfway(calibration: ModuleType) -> None:
    badly_tuned = calibration.TUNED["0.5 points"]
    assert calibration.count_false_winners_tuned(badly_tuned, STUDIES)["no rivals"]["share"] > 0.08
    (sharp,) = [world for name, world in calibration.TUNED.items() if "between, 12" in name]
    assert calibration.count_false_winners_tuned(sharp, STUDIES)["no halves"]["share"] > MOST


def test_what_is_better_at_its_best_is_named(calibration: ModuleType) -> None:
    for world in calibration.POWERS_TUNED.values():
        (found,) = calibration.measure_power_tuned(world, 50, gains=[0.02])
        assert found["named"]["share"] > 0.8


@pytest.mark.parametrize("slope", [0.0, 0.05, -0.05])
def test_simulated_studies_are_judged_as_real_ones(calibration: ModuleType, slope: float) -> None:
    """By the phases, the choice and the study of lrlab, given the same scores run by run."""
    tuning, random, beyond = calibration.tuning, np.random.default_rng(0), 0
    for _ in range(3):
        study = calibration.SuitedRows([0.005] * 3, (0.0, 0.02, -0.02)).draw(random)
        study.held_out[:] = (study.held_out + slope * tuning.RATE).round(2)  # with ties
        ours = tuning.compare_tuned(study, load_problem("iris").test_train_ratio)
        assert compare_simulated(tuning, study).rows == ours.rows
        beyond += any(row.selection.settings not in tuning.GRID for row in ours.rows)
    assert beyond or slope == 0


def compare_simulated(tuning: ModuleType, study) -> Comparison:
    schedules = [BASELINE, *(Constant(i + 1.0) for i in range(1, len(study.final)))]
    protocol = Protocol(tuning.SEEDS, tuning_seeds=1, grid_extensions=tuning.WIDENINGS)
    which = build_plan(load_problem("iris"), [], tuning.GRID, protocol)
    object.__setattr__(which, "schedules", tuple(schedules))  # as they are, with peaks of their own

    def result(phase: Phase, run: Run) -> Result:
        at = schedules.index(run.schedule), tuning.EVERY.index(run.settings)
        held_out = study.held_out[at]
        test = (
            study.final[at][which.final_seeds.index(run.seed)] if phase.name == "final" else np.nan
        )
        epochs = [Epoch(0, 0.1, 0.1, 1.0, test, 0.7, held_out)]
        return Result(test, False, Curve.from_epochs(epochs), 0.0)

    done, results, phase = [], {}, plan_first_phase(which)
    while phase is not None:
        results |= {id: result(phase, run) for id, run in phase.runs.items()}
        done.append(phase)
        phase = plan_next_phase(which, done, results)
    return StudyResult(which, tuple(done), results).comparison
