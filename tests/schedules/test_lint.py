"""The linter finds each mistake by one rule, and nothing in correct schedules."""

from collections.abc import Callable, Iterator
from importlib import import_module

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
from lrlab.schedules.lint import LintContext
from tests.raising import raises

rules = import_module("lrlab.schedules.lint")  # the name in the package is the function


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


def test_correct_formulas_pass() -> None:
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
    ("schedule", "rule", "mentions"),
    [
        (Warmup(50, start=0.0) >> Cosine(), rules.find_zero_first_step, ("start above 0",)),
        (Warmup("5%", start=0.0) * Cosine(), rules.find_zero_first_step, ('e.g. Warmup("5%").',)),
        (Linear(0.0, 1.0), rules.find_zero_first_step, ("first step",)),
        (Linear(0.0, 1.0, over=7), rules.find_zero_first_step, ("e.g. Warmup(7).",)),
        (Formula("0.01*t"), rules.find_zero_first_step, ("e.g. Warmup(10).",)),
        (Constant(0.0), rules.find_zero_first_step, ("every step",)),
        (
            Warmup(50) >> Linear(0.5, 0.0),
            rules.find_jumps,
            ("from 0.1 to 0.05 at step 50", "Linear", "change a level"),
        ),
        (
            Warmup(50) >> Exponential(0.99).until(100) >> Cosine(),
            rules.find_jumps,
            ("from 0.0366 to 0.1 at step 150", "Cosine(400)", 'join="continue"'),
        ),
        (
            Warmup(50) >> Cosine(start=0.5),
            rules.find_jumps,
            ("from 0.1 to 0.05", "change a level"),
        ),
        (
            Cosine(100) >> Constant(0.3),
            rules.find_jumps,
            ("from 0 to 0.03 at step 100", "change a level"),
        ),
        (Exponential(0.999).clip(0.1), rules.find_unreached_bound, ("low=0.1", "0.0577")),
        (Exponential(0.999).clip(high=2.0), rules.find_unreached_bound, ("high=2.0",)),
        (Cosine(400), rules.find_early_end, ("step 400", "550", "trains nothing")),
        (Linear(1.0, 0.5, over=300), rules.find_early_end, ("step 300", "rate is 0.05;")),
        (Cosine(600), rules.find_late_end, ("step 600", "550", "0.00177")),
        (Warmup(50) >> Cosine(1000), rules.find_late_end, ("step 1050",)),
        (
            Warmup(600) >> Cosine(),
            rules.find_warmup_longer_than_training,
            ("Warmup(600)", "550 steps"),
        ),
        (
            Linear(1.0, 0.5, over=30),
            rules.find_epochs_taken_as_steps,
            ("step 30", "550 steps in 50 epochs", '"30ep"'),
        ),
        (Cosine(50), rules.find_epochs_taken_as_steps, ("in 50 epochs", '"50ep"')),
        (
            MultiStep([15, 30]),
            rules.find_epochs_taken_as_steps,
            ("step 30", "550 steps in 50 epochs"),
        ),
        (Step(30), rules.find_vanishing_rate, ("1e-19", "550 steps", "Step(30)", 'every="30ep"')),
        (Exponential(0.9), rules.find_vanishing_rate, ("Exponential(0.9)", 'every="1ep"')),
        (Cosine(end=Absolute(0.2)), rules.find_end_above_start, ("its end, 0.2", "0.1")),
        (MultiStep([100, 600]), rules.find_unreached_changes, ("step 600", "550")),
        (Step(600), rules.find_unreached_changes, ("step 600", "550")),
        (Warmup(5) >> Step("15ep"), rules.find_mixed_units, ("Warmup(5)", 'Step("15ep")')),
        (Cosine(100).repeat(), rules.find_end_in_mid_cycle, ("last rate is 0.05",)),
        (Formula("0.1/(1+t)"), rules.find_base_rate_applied_twice, ("0.1/(1+t)", "0.1 * 0.1")),
    ],
    ids=lambda value: getattr(value, "__name__", None) or repr(value),
)
def test_each_mistake_is_found_by_one_rule(
    schedule: Schedule, rule: Callable[[LintContext], Iterator[str]], mentions: tuple[str, ...]
) -> None:
    (finding,) = lint(schedule, 0.1, total_steps=550, steps_per_epoch=11)
    bound = schedule.bind(total_steps=550, steps_per_epoch=11)
    assert list(rule(LintContext(bound, schedule, 0.1, 550, 11))) == [finding]
    assert [mention for mention in mentions if mention not in finding] == []


def test_epochs_taken_as_steps_are_found_without_knowing_epochs() -> None:
    (finding,) = lint(Cosine(30), total_steps=550)
    assert "Cosine(30) ends at step 30" in finding
    assert "550 steps" in finding
    assert 'write "30ep" and give `steps_per_epoch`' in finding
    (finding,) = lint(Warmup(5) >> Cosine(10), total_steps=550)
    assert 'write "5ep", "10ep" and give' in finding
    assert lint(Cosine(550), total_steps=550) == ()
    assert lint(MultiStep([5]), total_steps=50) == ()
    (finding,) = lint(Linear(1.0, 0.5, over=30), total_steps=50, steps_per_epoch=1)
    assert finding.startswith("Linear(1.0, 0.5, over=30) ends at step 30, before ")


def test_nothing_is_compared_to_an_unknown_training() -> None:
    assert lint(Cosine(30)) == ()
    assert lint(Warmup(600) >> Cosine(30)) == ()
    assert lint(Cosine(30, end=Absolute(1e-5))) == ()
    with raises(ScheduleError, '"10%"', "`total_steps`"):
        lint(Warmup("10%") >> Cosine())


@given(over=st.integers(1, 1000), total=st.integers(1, 1000))
def test_a_cosine_is_correct_only_if_it_ends_with_the_training(over: int, total: int) -> None:
    findings = lint(Cosine(over), total_steps=total)
    if over < total - 1:
        assert "before the training" in findings[0] or "epochs" in findings[0]
    elif over > total:
        assert "after the training" in findings[0]
    else:  # it may reach its end at the last step or the first one after it
        assert findings == ()
