"""The plan as text: every number is the plan's or the estimate's, with its unit."""

import pytest
from pytest_regressions.file_regression import FileRegressionFixture

from lrlab import Constant, Cosine
from lrlab.problems import TrainingFunction, load_problem
from lrlab.studies import CostEstimate, Plan, Protocol, build_grid, build_plan
from lrlab.training import Settings
from lrlab.training.engines import LoopEngine
from lrlab.training.probing import EngineChoice, EngineReason, EngineTimes
from lrlab.views.plan_report import format_engine, format_plan


def make_plan(**protocol: object) -> Plan:
    grid = build_grid(Settings(epochs=5, validation_size=0.2), [0.01, 0.1], [0, 0.9])
    return build_plan(load_problem("wine"), [Cosine()], grid, Protocol(**protocol))


def make_estimate(**changes: object) -> CostEstimate:
    numbers = {
        "tuning_runs": 160,
        "max_extension_runs": 72,
        "final_runs": 150,
        "seconds": (200.0, 340.0),
        "database_bytes": (310_000, 372_000),
    }
    return CostEstimate(**numbers | changes)


def test_a_tuned_study(file_regression: FileRegressionFixture) -> None:
    text = format_plan(make_plan(), make_estimate(), stored_run_count=0)
    file_regression.check(text, extension=".txt")


def test_a_study_without_tuning(file_regression: FileRegressionFixture) -> None:
    plan = build_plan(load_problem("wine"), [Cosine()], Settings(epochs=1), Protocol(seeds=1))
    estimate = make_estimate(
        tuning_runs=0, max_extension_runs=0, final_runs=2, seconds=(3.04, 3.04)
    )
    file_regression.check(format_plan(plan, estimate, stored_run_count=1), extension=".txt")


def test_settings_selected_at_the_best_epoch() -> None:
    plan = make_plan(score="best", tuning_seeds=1)
    text = format_plan(plan, make_estimate(), stored_run_count=0)
    assert "x 1 seed;\n" in text
    assert "best epoch" in text


def test_millions_of_runs_have_all_their_digits() -> None:
    estimate = make_estimate(
        tuning_runs=2_400_000, max_extension_runs=1_620_000, final_runs=1_234_567
    )
    text = format_plan(make_plan(), estimate, stored_run_count=0)
    assert "3634567 to 5254567 runs of 5 epochs" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        ((3.0, 3.0), "about 3 s"),
        ((31.4, 119.0), "about 31 s to 2 min"),
        ((31.4, 121.0), "about 31 s to 2 min"),
        ((3600.0, 7200.0), "about 1 h to 2 h"),
        ((40_000.0, 180_000.0), "about 11 h to 2.1 d"),
    ],
)
def test_times_have_a_fitting_unit(seconds: tuple[float, float], text: str) -> None:
    estimate = make_estimate(seconds=seconds)
    assert f"{text} on this machine" in format_plan(make_plan(), estimate, stored_run_count=0)


def test_the_time_of_a_training_function_is_unknown() -> None:
    function = TrainingFunction(print, fingerprint="0")
    plan = build_plan(function, [Constant(0.5)], make_plan().grid)
    text = format_plan(plan, make_estimate(seconds=None), stored_run_count=0)
    assert "20 % of its training rows" in text
    assert "unknown" in text
    assert "on this machine" not in text


@pytest.mark.parametrize(
    ("reason", "mentions"),
    [
        (EngineReason.REQUESTED, []),
        (EngineReason.STUDY_BEGAN, []),
        (EngineReason.RUNS_STORED, ["4"]),
        (EngineReason.FASTER, ["1.7 ms", "80.5 µs", "45 runs"]),
        (EngineReason.LOOP_ONLY, ["it draws random numbers"]),
        (EngineReason.LOSS_DIFFERS, ["loss"]),
    ],
)
def test_the_engine_is_explained(reason: EngineReason, mentions: list[str]) -> None:
    choice = EngineChoice(
        LoopEngine(),
        reason,
        times=EngineTimes(1.7e-3, 80.5e-6, "ensemble", 45),
        obstacle="it draws random numbers",
        stored_count=4,
    )
    text = format_engine(choice)
    assert text.startswith("engine: loop (")
    assert all(mention in text for mention in mentions)
