"""The linter finds each mistake and nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Constant,
    Cosine,
    Custom,
    Exponential,
    Formula,
    InverseSqrt,
    Linear,
    MultiStep,
    PiecewiseConstant,
    Plateau,
    Schedule,
    Step,
    Warmup,
    flat_cosine,
    infinite,
    lint,
    noam,
    one_cycle,
    restarts,
    slanted_triangular,
    tri_stage,
    wsd,
)


def test_a_base_rate_applied_twice() -> None:
    for schedule in (
        Formula("0.1/(1+0.01*t)"),
        Custom(lambda t: 0.1 / (1 + 0.01 * t)),
        Warmup(5) >> Constant(0.1, over=20) >> Formula("0.1 - 0.001*t"),
        (Warmup(5) * Formula("0.1*(1 - p)")).bind(total_steps=50),
        Formula("0.1 * min(1, (t + 1) / 5)"),
        Warmup(5) * Formula("0.1/(1+0.01*t)"),
    ):
        finding = lint(schedule, base=0.1)[-1]
        assert "the base rate is applied twice" in finding
        assert "the rate peaks at 0.1 * 0.1 = 0.01" in finding
        assert not any("twice" in found for found in lint(schedule))


def test_right_schedules_pass() -> None:
    for schedule in (
        Formula("1/(1+0.01*t)"),
        Constant(0.1),
        Custom(lambda t: 0.5),
        10 * Formula("0.1/(1+t)"),
    ):
        assert lint(schedule, base=0.1) == ()
    assert lint(Formula("1/(1+0.01*t)"), base=1.0) == ()


@pytest.mark.parametrize(
    "schedule",
    [
        Constant(1.0),
        Cosine(),
        Linear(1.0, 0.0),
        Warmup(50) >> Cosine(),
        Warmup("10%") >> InverseSqrt("10%"),
        Warmup(20) * Exponential(0.99),
        Exponential(0.99),
        Step("10ep"),
        MultiStep(["30%", "60%"]),
        Warmup(50),
        Plateau(),
        Warmup(50) >> Plateau(),
        wsd(),
        noam("10%"),
        one_cycle(),
        flat_cosine(),
        slanted_triangular(),
        tri_stage("10%", "40%"),
        infinite("10%", "30%", "30%"),
        restarts(["30%", "70%"], [1.0, 0.5]),
        Cosine("10%").repeat(),
        Exponential(0.99).clip(Absolute(0.01)),
        Constant(0.5, over=100) >> Constant(1.0),
        Constant(1 / 3, over=100) >> Exponential(0.99),
        Linear(1.0, 0.0, over=549),
        Cosine(100, start=0.04, end=1.0) >> Cosine(449, end=4e-6),
        PiecewiseConstant([20], [0.1, 1.0]),
        MultiStep([20], 2.0),
        Exponential(0.99).until(100).then(Cosine(), join="continue"),
    ],
    ids=repr,
)
def test_common_schedules_pass(schedule: Schedule) -> None:
    assert lint(schedule, 0.1, total_steps=550, steps_per_epoch=11) == ()


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (Warmup(50, start=0.0) >> Cosine(), "first step has rate 0 .* without start=0.0 counts"),
        (Linear(0.0, 1.0), "first step has rate 0"),
        (Warmup(50) >> Linear(0.5, 0.0), "jumps from 0.1 to 0.05 at step 50, where Linear"),
        (
            Warmup(50) >> Exponential(0.99).until(100) >> Cosine(),
            r"jumps from 0.0366 to 0.1 at step 150, where Cosine\(400\).*continue",
        ),
        (Exponential(0.999).clip(0.1), r"bound low=0.1 of .* never reached: .* comes to 0.0577"),
        (Exponential(0.999).clip(high=2.0), "bound high=2.0 of .* never reached"),
        (Cosine(400), "ends at step 400, before training does at 550: .* trains nothing"),
        (Linear(1.0, 0.5, over=300), "ends at step 300, before .* the rate is 0.05; leave"),
        (Cosine(600), "ends at step 600, after training does at 550: the last rate is 0.00177"),
        (Warmup(50) >> Cosine(1000), "ends at step 1050, after training"),
        (Warmup(600) >> Cosine(), r"Warmup\(600\) is longer than the training of 550 steps"),
        (Linear(1.0, 0.5, over=30), "by step 30, and training has 550 steps in 50 epochs.*30ep"),
        (Cosine(50), 'in 50 epochs: if epochs are meant, .* "50ep"'),
        (MultiStep([15, 30]), "by step 30, and training has 550 steps in 50 epochs"),
        (Step(30), r"falls to 1e-19 by the last of 550 steps: if Step\(30\) .* count epochs"),
        (Exponential(0.9), r"falls to .* Exponential\(0.9\) is meant to count epochs"),
        (Constant(0.0), "has rate 0 at every step, which trains nothing"),
        (Cosine(end=Absolute(0.2)), "rises: its end, 0.2, is above the base rate, 0.1"),
        (MultiStep([100, 600]), "would change at step 600, after training ends at 550"),
        (Step(600), "would change at step 600, after training"),
        (
            Warmup(5) >> Step("15ep"),
            r"Warmup\(5\) counts steps beside Step\(\"15ep\"\)",
        ),
        (Warmup(50) >> Cosine(start=0.5), "jumps from 0.1 to 0.05 .* change a level"),
        (
            Cosine(100) >> Constant(0.3),
            "jumps from 0 to 0.03 at step 100, .* change a level",
        ),
        (Cosine(100).repeat(), "ends in the middle of a repetition .* last rate is 0.05"),
        (Formula("0.1/(1+t)"), "applied twice"),
    ],
    ids=repr,
)
def test_each_mistake_is_found_alone(schedule: Schedule, said: str) -> None:
    findings = lint(schedule, 0.1, total_steps=550, steps_per_epoch=11)
    assert len(findings) == 1

    assert re.search(said, findings[0])


def test_epochs_taken_as_steps_are_found_without_knowing_epochs() -> None:
    (finding,) = lint(Cosine(30), total_steps=550)
    assert finding == (
        "Cosine(30) has done all it does by step 30, and training has 550 steps: if epochs are "
        'meant, give its durations the unit, as in "30ep".'
    )
    assert lint(Cosine(550), total_steps=550) == ()
    assert lint(MultiStep([5]), total_steps=50) == ()
    assert lint(Linear(1.0, 0.5, over=30), total_steps=50, steps_per_epoch=1)[0].startswith(
        "Linear(1.0, 0.5, over=30) ends at step 30, before training does at 50"
    )


def test_nothing_is_compared_to_an_unknown_training() -> None:
    assert lint(Cosine(30)) == ()
    assert lint(Warmup(600) >> Cosine(30)) == ()
    assert lint(Cosine(30, end=Absolute(1e-5))) == ()
    with pytest.raises(ScheduleError, match=r"bind\(total="):
        lint(Warmup("10%") >> Cosine())


@given(over=st.integers(1, 1000), total=st.integers(1, 1000))
def test_a_cosine_is_right_just_where_it_ends_with_the_training(over: int, total: int) -> None:
    findings = lint(Cosine(over), total_steps=total)
    if over < total - 1:
        assert "before training" in findings[0] or "epochs" in findings[0]
    elif over > total:
        assert "after training" in findings[0]
    else:  # it may reach its end with the last step or at the first step after it
        assert findings == ()
