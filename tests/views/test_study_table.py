"""The report of a study: what stands where, and that its notes are those of this study."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lrlab import Cosine, Linear
from lrlab.problems import TrainingFunction, load_problem
from lrlab.schedules import Schedule
from lrlab.studies import BASELINE, Plan, Protocol, StudyResult, build_grid, build_plan
from lrlab.training import Curve, Epoch, Result, Settings
from lrlab.views.study_table import format_report, format_table, format_title
from tests.views.factories import study_of

COSINE, LINEAR = Cosine(), Linear(1, 0)
RATES = [0.01, 0.1, 1.0]


def tuned(widenings: int = 2, score: str = "final") -> Plan:
    grid = build_grid(Settings(epochs=2, validation_size=0.2), RATES, [0, 0.9])
    return build_plan(
        load_problem("iris"), [COSINE, LINEAR], grid, Protocol(6, 4, widenings, score)
    )


def untuned(**settings: object) -> Plan:
    return build_plan(
        load_problem("iris"), [COSINE, LINEAR], Settings(epochs=2, **settings), Protocol(6)
    )


def runs(mean: float, seed: int = 0, diverged: int = 0) -> list[Result]:
    """Six runs about a mean, so many of them diverged, which reach it in their second epoch."""
    scores = mean + np.random.default_rng(seed).normal(0, 0.003, 6)
    return [
        Result(
            float(score), i < diverged, Curve.from_epochs([Epoch(e, 1, 1, 1, score * (e + 1) / 2, 1, 0.5)
            for e in range(2)]), 0.0,
        )
        for i, score in enumerate(scores)
    ]  # fmt: skip


def finals(**diverged: int) -> dict[Schedule, list[Result]]:
    return {
        BASELINE: runs(0.9, 0, diverged.get("constant", 0)),
        COSINE: runs(0.95, 1, diverged.get("cosine", 0)),
        LINEAR: runs(0.8, 2),
    }


def notes(study: StudyResult) -> str:
    """The third part."""
    return format_report(study).split("\n\n")[2]


def inside(which: Plan) -> Mapping[Schedule, Settings]:
    return dict.fromkeys(which.schedules, which.grid[2])


def test_the_answer_first_then_tables_with_notes_between() -> None:
    which = tuned()
    study = study_of(which, finals(), inside(which))
    head, ranked, told, times = format_report(study).split("\n\n")
    first, *answer = head.splitlines()
    assert first == (
        "iris · 3 schedules · 6 settings each · 6 paired seeds · accuracy on the test rows after "
        "2 epochs"
    )
    assert "\n".join(answer) == study.answer
    assert answer[0].startswith("On this data (6 seeds) Cosine() is better than the constant rate")
    assert ranked == format_table(study.comparison, ("lr", "momentum"))
    assert told.splitlines() == [
        "Differences are paired by seed, in points; positive is better.",
        "Each interval is for one comparison alone: 1 in 20 misses the truth by chance.",
        "Verdicts and ranks are corrected for 2 comparisons (Holm).",
        "sgd; each schedule at its best of 6 settings (3 rates, 2 momenta), chosen",
        "over 4 other seeds by 21 of the 105 training rows held out, never by test rows.",
    ]
    assert times.splitlines()[2].split() == ["1", "Cosine()", "2", "100", "%"]
    assert f"{100 * np.mean([r.test_score for r in finals()[BASELINE]]):.1f} %" in times


def test_the_goal_is_ones_own() -> None:
    study = study_of(untuned(), finals())
    times = format_report(study, target_score=0.85).split("\n\n")[-1].splitlines()
    assert times[1].endswith("85.0 %       by")
    assert [line.split()[-2] for line in times[2:]] == ["100", "100", "0"]


def test_what_is_not_tuned_says_at_what_rate() -> None:
    assert notes(study_of(untuned(), finals())).splitlines()[-1] == (
        "sgd at base rate 0.1 for all, not tuned: a schedule that falls may do better at a higher "
        "one (--tune)."
    )
    adam = study_of(untuned(optimizer="adam", lr=0.002), finals(constant=2, cosine=1))
    assert notes(adam).splitlines()[-1] == (
        "adam at base rate 0.002 for all, not tuned: 3 of 18 runs diverged and score as a guess; "
        "a lower --lr may keep them."
    )
    fast = study_of(untuned(momentum=0.9), finals())
    assert "sgd at base rate 0.1, momentum 0.9 for all" in notes(fast)


def test_an_edge_says_which_rate_and_what_to_do() -> None:
    which = tuned(widenings=0)
    ends = {COSINE: which.grid[-1], BASELINE: which.grid[0]}
    said = notes(study_of(which, finals(constant=1), {**inside(which), **ends})).splitlines()
    assert said[-2:] == [
        "1 of 18 runs diverged and score as a guess.",
        "At the edge (0.01 and 1) a better rate may lie beyond: change --lr, or --widen.",
    ]


def test_rates_that_were_tried_beyond_the_grid_are_counted() -> None:
    which = tuned()
    # The rate beyond the last is worse, so that the last is no edge any more.
    study = study_of(which, finals(), {**inside(which), COSINE: which.grid[-1]})
    assert notes(study).splitlines()[-1] == (
        "Where a best rate was the last of the grid, the study tried up to 1 rate beyond it."
    )


def test_the_best_epoch_of_each_run() -> None:
    which = tuned(score="best")
    assert format_title(study_of(which, finals(), inside(which))).endswith(
        "accuracy on the test rows at each run's best epoch"
    )


def test_one_pair_needs_no_correction_and_one_seed_has_no_interval() -> None:
    one = build_plan(load_problem("iris"), [COSINE], Settings(epochs=2), Protocol(1))
    scores = {schedule: own[:1] for schedule, own in finals().items() if schedule != LINEAR}
    assert "1 seed · " in format_title(study_of(one, scores))
    said = notes(study_of(one, scores))
    assert "Holm" not in said
    assert "interval" not in said


def test_an_error_is_in_units_of_the_target() -> None:
    which = replace(untuned(), problem=load_problem("diabetes"))
    said = format_report(study_of(which, finals()))
    assert "Differences are paired by seed; positive is better." in said
    assert "RMSE on the test rows" in said


def test_of_a_training_function_rows_are_not_counted() -> None:
    function = TrainingFunction(print, metric="accuracy", fingerprint="0")
    grid = build_grid(Settings(epochs=2, validation_size=0.25), RATES, [0])
    which = build_plan(function, [COSINE, LINEAR], grid, Protocol(6, 4, 2))
    said = notes(study_of(which, finals(), dict.fromkeys(which.schedules, grid[1])))
    assert "best of 3 settings (3 rates), chosen\n" in said
    assert "by a share of 0.25 of its rows held out, never by test rows." in said
