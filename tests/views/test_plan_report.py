"""The forecast of a study: every number is one of the plan's or the estimate's, with its unit."""

import pytest

from lrlab import Constant, Cosine
from lrlab.problems import TrainingFunction, load_problem
from lrlab.studies import CostEstimate, Plan, Protocol, build_grid, build_plan
from lrlab.training import Settings
from lrlab.views.plan_report import format_plan


def study(**protocol: object) -> Plan:
    grid = build_grid(Settings(epochs=5, validation_size=0.2), [0.01, 0.1], [0, 0.9])
    return build_plan(load_problem("wine"), [Cosine()], grid, Protocol(**protocol))


def taken(**more: object) -> CostEstimate:
    words = {"tuning": 160, "widening": 72, "final": 150}
    return CostEstimate(**words | {"seconds": (200.0, 340.0), "bytes": (310_000, 372_000)} | more)


def test_a_tuned_study() -> None:
    assert format_plan(study(), taken(), stored_run_count=0).splitlines() == [
        "tuning       160 runs   2 schedules x 4 settings (rate 0.01, 0.1; momentum 0, 0.9) x 20 "
        "seeds;",
        "                        chosen by mean accuracy after the last epoch on 25 of the 124 "
        "training rows, held out",
        "widening <=   72 runs   a schedule whose best rate is the last of the grid gets up to 3 "
        "more",
        "final        150 runs   each schedule at its best x 30 fresh seeds, scored on test rows",
        "                        and the constant rate at all settings and halfway between the "
        "rates: a",
        "                        winner has to beat them all",
        "",
        "schedules",
        "  Constant(1.0)",
        "  Cosine()",
        "",
        "310 to 382 runs of 5 epochs, loop",
        "about 3.3 min to 5.7 min on this machine",
        "about 0.31 to 0.37 MB in the database",
    ]


def test_a_study_that_tunes_nothing() -> None:
    which = build_plan(load_problem("wine"), [Cosine()], Settings(epochs=1), Protocol(seeds=1))
    text = format_plan(
        which, taken(tuning=0, widening=0, final=2, seconds=(3.04, 3.04)), stored_run_count=1
    )
    assert text.splitlines()[0] == (
        "final          2 runs   each schedule as it is x 1 fresh seed, scored on test rows"
    )
    assert text.splitlines()[-3:] == [
        "2 runs of 1 epoch, loop, 1 of them stored already",
        "about 3 s on this machine",
        "about 0.31 to 0.37 MB in the database",
    ]
    assert "tuning" not in text
    assert "widening" not in text


def test_by_what_settings_are_chosen() -> None:
    which = study(score="best", tuning_seeds=1)
    text = format_plan(which, taken(), stored_run_count=0)
    assert "x 1 seed;\n" in text
    assert "chosen by mean accuracy at its best epoch on 25 of the 124 training rows" in text


def test_millions_of_runs_have_all_their_digits() -> None:
    many = taken(tuning=2_400_000, widening=1_620_000, final=1_234_567)
    assert "3634567 to 5254567 runs of 5 epochs" in format_plan(study(), many, stored_run_count=0)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ((3.0, 3.0), "about 3 s"),
        ((31.4, 119.0), "about 31 s to 2 min"),
        ((31.4, 121.0), "about 31 s to 2 min"),
        ((3600.0, 7200.0), "about 1 h to 2 h"),
        ((40_000.0, 180_000.0), "about 11 h to 2.1 d"),
    ],
)
def test_times_are_in_a_unit_that_suits_them(seconds: tuple[float, float], said: str) -> None:
    assert f"{said} on this machine" in format_plan(
        study(), taken(seconds=seconds), stored_run_count=0
    )


def test_of_a_training_function_nobody_knows_the_time() -> None:
    function = TrainingFunction(print, fingerprint="0")
    which = build_plan(function, [Constant(0.5)], study().grid)
    text = format_plan(which, taken(seconds=None), stored_run_count=0)
    assert "on a share of 0.2 of its rows, held out" in text
    assert "time: as long as the function takes" in text
    assert "on this machine" not in text
