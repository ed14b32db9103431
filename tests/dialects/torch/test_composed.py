"""Schedulers of schedulers against torch's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch.optim import Optimizer, lr_scheduler

from lrlab.dialects import parse
from lrlab.dialects import torch as ours
from lrlab.errors import ScheduleError
from tests.dialects.stepping import rates
from tests.dialects.torch.plans import Plan, chains, sequences

STEPS = 61  # as far as a cosine of the plans falls


@settings(max_examples=100)
@given(base=st.floats(0.01, 10), plan=sequences())
def test_sequential(base: float, plan: Plan) -> None:
    expected = rates(plan.theirs, base, STEPS)
    schedule = plan.ours()
    assert_allclose(schedule(range(STEPS), base=base), expected, rtol=1e-9, atol=1e-12 * base)


@settings(max_examples=60)
@given(base=st.floats(0.01, 10), plan=chains)
def test_chained(base: float, plan: Plan) -> None:
    expected = rates(plan.theirs, base, STEPS)
    schedule = plan.ours()
    assert_allclose(schedule(range(STEPS), base=base), expected, rtol=1e-9, atol=1e-12 * base)


def test_two_of_weight_averaging_share_a_rate_in_torch_only() -> None:
    first, second = (Plan("SWALR", {"swa_lr": x, "anneal_epochs": 1}) for x in (0.2, 0.4))
    plan = Plan("SequentialLR", {"milestones": [2]}, (first, second))
    assert_allclose(plan.ours()(range(4), base=1.0), [1.0, 0.2, 0.2, 0.4])
    assert_allclose(rates(plan.theirs, 1.0, 4), [1.0, 0.4, 0.4, 0.4])


def test_an_exponential_restarts_and_a_multiplicative_goes_on() -> None:
    first = ours.ConstantLR(0.5, 100)
    restarted = ours.SequentialLR([first, ours.ExponentialLR(0.9)], [3])
    continued = ours.SequentialLR([first, ours.MultiplicativeLR(lambda t: 0.9)], [3])
    assert_allclose(restarted([2, 3, 4]), [0.5, 1.0, 0.9])
    assert_allclose(continued([2, 3, 4]), [0.5, 0.45, 0.405])


def test_sequences_print_in_few_words() -> None:
    warm = ours.LinearLR(0.2, total_iters=5)
    assert repr(ours.SequentialLR([warm, ours.CosineAnnealingLR(45)], [5])) == (
        "Linear(0.2, 1.0, over=5) >> Cosine(45)"
    )
    constant = ours.ConstantLR(0.5, 10)
    for at, text in [
        (4, "Constant(0.5, over=4) >> Step(9)"),
        (10, "Constant(0.5, over=10) >> Step(9)"),
        (12, "Constant(0.5, over=10) >> Constant(1.0, over=2) >> Step(9)"),
        (0, "Step(9)"),
    ]:
        assert repr(ours.SequentialLR([constant, ours.StepLR(9)], [at])) == text


def test_a_text_nests_them() -> None:
    text = "torch.SequentialLR([torch.LinearLR(0.2), torch.CosineAnnealingLR(45)], [5])"
    assert repr(parse(text)) == "Linear(0.2, 1.0, over=5) >> Cosine(45)"
    text = "torch.ChainedScheduler([torch.StepLR(3), torch.ExponentialLR(0.9)])"
    assert repr(parse(text)) == "Step(3) * Exponential(0.9)"


def outright() -> list[Plan]:
    functions = {"lr_lambda": lambda t: 0.9**t}
    return [
        Plan("LambdaLR", functions),
        Plan("CosineAnnealingWarmRestarts", {"T_0": 7}),
        Plan("CosineAnnealingLR", {"T_max": 19, "eta_min": 0.2}),
        Plan("SWALR", {"swa_lr": 0.5}),
        Plan("SequentialLR", {"milestones": [3]}, (Plan("StepLR", {"step_size": 2}),) * 2),
    ]


@pytest.mark.parametrize("plan", outright(), ids=lambda plan: plan.name)
@pytest.mark.parametrize("last", [False, True])
def test_what_is_no_product_in_torch_is_refused(plan: Plan, last: bool) -> None:
    other = Plan("ExponentialLR", {"gamma": 0.9})
    chain = Plan("ChainedScheduler", {}, (other, plan) if last else (plan, other))
    product = rates(plan.theirs, 1.0, 20) * rates(other.theirs, 1.0, 20)
    assert abs(rates(chain.theirs, 1.0, 20) - product).max() > 0.01
    with pytest.raises(ScheduleError, match=r"must all multiply the rate, but .* outright"):
        chain.ours()


def test_alone_in_a_chain_anything_may_set_the_rate() -> None:
    assert ours.ChainedScheduler([ours.CosineAnnealingLR(9, 0.1)]) == ours.CosineAnnealingLR(9, 0.1)


def test_of_a_schedule_with_momentum_the_rate_is_taken() -> None:
    cycle = ours.CyclicLR(0.1, 0.2, 4)
    assert ours.SequentialLR([cycle, ours.StepLR(3)], [8]) == cycle.lr.until(8) >> ours.StepLR(3)


# torch counts the first step of what is nested as one that came before the optimizer's.
nested = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step:UserWarning")


@nested
def test_a_sequence_in_a_sequence_is_stepped_wrongly_by_torch_only() -> None:
    halves = Plan("ConstantLR", {"factor": 0.5, "total_iters": 100})
    inner = Plan(
        "SequentialLR", {"milestones": [3]}, (halves, halves._replace(words={"factor": 1.0}))
    )
    outer = Plan("SequentialLR", {"milestones": [6]}, (inner, halves))
    assert list(outer.ours()(range(7))) == [0.5] * 3 + [1.0] * 3 + [0.5]
    assert list(rates(outer.theirs, 1.0, 7)) == [0.5] * 2 + [1.0] * 4 + [0.5]


@nested
def test_a_chain_in_a_sequence_is_stepped_wrongly_by_torch_only() -> None:
    halving = Plan("ChainedScheduler", {}, (Plan("ExponentialLR", {"gamma": 0.5}),))
    rest = Plan("ConstantLR", {"factor": 1.0})
    first = Plan("SequentialLR", {"milestones": [2]}, (halving, rest))
    assert list(first.ours()(range(3))) == [1.0, 0.5, 1.0]
    assert list(rates(first.theirs, 1.0, 3)) == [0.5, 0.25, 1.0]
    second = Plan("SequentialLR", {"milestones": [2]}, (rest, halving))
    assert list(second.ours()(range(4))) == [1.0, 1.0, 1.0, 0.5]
    with pytest.raises(NotImplementedError):
        rates(second.theirs, 1.0, 4)


def test_a_later_constant_of_no_steps_is_over_at_once_in_torch_only() -> None:
    none = Plan("ConstantLR", {"factor": 0.5, "total_iters": 0})
    plan = Plan("SequentialLR", {"milestones": [3]}, (Plan("StepLR", {"step_size": 9}), none))
    assert plan.ours()([2, 3, 4]).tolist() == [1.0, 0.5, 0.5]
    assert rates(plan.theirs, 1.0, 5)[2:].tolist() == [1.0, 1.0, 1.0]
    for name in ("LinearLR", "PolynomialLR"):
        later = Plan(name, {"total_iters": 0})
        plan = Plan("SequentialLR", {"milestones": [3]}, (none, later))
        with pytest.raises(ZeroDivisionError):
            rates(plan.theirs, 1.0, 5)
        assert plan.ours()(3) == later.ours()(0)


def test_one_cycle_sets_the_base_rate_of_others_in_torch_only() -> None:
    parts = Plan("StepLR", {"step_size": 9}), Plan("OneCycleLR", {"max_lr": 0.5, "total_steps": 50})
    plan = Plan("SequentialLR", {"milestones": [3]}, parts)
    assert plan.ours()([0, 3], base=1.0) == pytest.approx([1.0, 0.02])
    assert rates(plan.theirs, 1.0, 4)[[0, 3]] == pytest.approx([0.02, 0.02])


def test_a_plateau_in_a_sequence_is_refused_by_torch_only() -> None:
    schedule = ours.SequentialLR([ours.LinearLR(), ours.ReduceLROnPlateau(patience=0)], [5])
    assert schedule.needs_metric

    def theirs(optimizer: Optimizer) -> object:
        parts = [lr_scheduler.LinearLR(optimizer), lr_scheduler.ReduceLROnPlateau(optimizer)]
        return lr_scheduler.SequentialLR(optimizer, parts, [5])

    with pytest.raises(ValueError, match="does not support `ReduceLROnPlateau`"):
        rates(theirs, 0.1, 2)


@pytest.mark.parametrize(
    ("schedulers", "milestones", "rule"),
    [
        ([], [], "schedulers must be a list of one or more schedules"),
        (ours.StepLR(3), [], "schedulers must be"),
        ([ours.StepLR(3), "StepLR"], [3], "schedulers must be"),
        ([ours.StepLR(3)] * 2, [], "one fewer than the 2 schedulers"),
        ([ours.StepLR(3)] * 3, [5, 3], "ascending order"),
        ([ours.StepLR(3)] * 2, [2.5], "milestones must be a whole number of 0 or more"),
        ([ours.StepLR(3)] * 2, 5, "one fewer"),
    ],
)
def test_sequences_that_are_refused(schedulers: list, milestones: list, rule: str) -> None:
    with pytest.raises(ScheduleError, match=rule):
        ours.SequentialLR(schedulers, milestones)
