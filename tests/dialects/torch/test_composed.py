"""Schedulers of schedulers against torch's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch.optim import Optimizer, lr_scheduler

from lrlab.dialects import parse
from lrlab.dialects import torch as ours
from lrlab.errors import ScheduleError
from tests.dialects.stepping import collect_rates
from tests.dialects.torch.plans import SchedulerSpec, chained_specs, sequential_specs

COSINE_STEPS = 61  # as far as a cosine of the plans falls


@settings(max_examples=100)
@given(base=st.floats(0.01, 10), plan=sequential_specs())
def test_sequential(base: float, plan: SchedulerSpec) -> None:
    expected = collect_rates(plan.build_torch, base, COSINE_STEPS)
    schedule = plan.build_lrlab()
    assert_allclose(
        schedule(range(COSINE_STEPS), base=base), expected, rtol=1e-9, atol=1e-12 * base
    )


@settings(max_examples=60)
@given(base=st.floats(0.01, 10), plan=chained_specs)
def test_chained(base: float, plan: SchedulerSpec) -> None:
    expected = collect_rates(plan.build_torch, base, COSINE_STEPS)
    schedule = plan.build_lrlab()
    assert_allclose(
        schedule(range(COSINE_STEPS), base=base), expected, rtol=1e-9, atol=1e-12 * base
    )


def test_two_of_weight_averaging_share_a_rate_in_torch_only() -> None:
    first, second = (SchedulerSpec("SWALR", {"swa_lr": x, "anneal_epochs": 1}) for x in (0.2, 0.4))
    plan = SchedulerSpec("SequentialLR", {"milestones": [2]}, (first, second))
    assert_allclose(plan.build_lrlab()(range(4), base=1.0), [1.0, 0.2, 0.2, 0.4])
    assert_allclose(collect_rates(plan.build_torch, 1.0, 4), [1.0, 0.4, 0.4, 0.4])


def test_an_exponential_restarts_and_a_multiplicative_goes_on() -> None:
    first = ours.ConstantLR(0.5, 100)
    restarted = ours.SequentialLR([first, ours.ExponentialLR(0.9)], [3])
    continued = ours.SequentialLR([first, ours.MultiplicativeLR(lambda t: 0.9)], [3])
    assert_allclose(restarted([2, 3, 4]), [0.5, 1.0, 0.9])
    assert_allclose(continued([2, 3, 4]), [0.5, 0.45, 0.405])


def test_sequences_have_short_texts() -> None:
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


def test_texts_nest_schedulers() -> None:
    text = "torch.SequentialLR([torch.LinearLR(0.2), torch.CosineAnnealingLR(45)], [5])"
    assert repr(parse(text)) == "Linear(0.2, 1.0, over=5) >> Cosine(45)"
    text = "torch.ChainedScheduler([torch.StepLR(3), torch.ExponentialLR(0.9)])"
    assert repr(parse(text)) == "Step(3) * Exponential(0.9)"


def list_unchainable_specs() -> list[SchedulerSpec]:
    functions = {"lr_lambda": lambda t: 0.9**t}
    return [
        SchedulerSpec("LambdaLR", functions),
        SchedulerSpec("CosineAnnealingWarmRestarts", {"T_0": 7}),
        SchedulerSpec("CosineAnnealingLR", {"T_max": 19, "eta_min": 0.2}),
        SchedulerSpec("SWALR", {"swa_lr": 0.5}),
        SchedulerSpec(
            "SequentialLR", {"milestones": [3]}, (SchedulerSpec("StepLR", {"step_size": 2}),) * 2
        ),
    ]


@pytest.mark.parametrize("plan", list_unchainable_specs(), ids=lambda plan: plan.name)
@pytest.mark.parametrize("last", [False, True])
def test_chains_that_torch_does_not_multiply_are_refused(plan: SchedulerSpec, last: bool) -> None:
    other = SchedulerSpec("ExponentialLR", {"gamma": 0.9})
    chain = SchedulerSpec("ChainedScheduler", {}, (other, plan) if last else (plan, other))
    product = collect_rates(plan.build_torch, 1.0, 20) * collect_rates(other.build_torch, 1.0, 20)
    assert abs(collect_rates(chain.build_torch, 1.0, 20) - product).max() > 0.01
    with pytest.raises(ScheduleError, match=r"must all multiply the rate, but .* outright"):
        chain.build_lrlab()


def test_a_chain_of_one_takes_any_schedule() -> None:
    assert ours.ChainedScheduler([ours.CosineAnnealingLR(9, 0.1)]) == ours.CosineAnnealingLR(9, 0.1)


def test_a_schedule_with_momentum_contributes_its_learning_rate() -> None:
    cycle = ours.CyclicLR(0.1, 0.2, 4)
    assert ours.SequentialLR([cycle, ours.StepLR(3)], [8]) == cycle.lr.until(8) >> ours.StepLR(3)


# torch counts the first step of what is nested as one that came before the optimizer's.
ignore_step_order_warning = pytest.mark.filterwarnings(
    "ignore:Detected call of `lr_scheduler.step:UserWarning"
)


@ignore_step_order_warning
def test_a_sequence_in_a_sequence_is_stepped_wrongly_by_torch_only() -> None:
    halves = SchedulerSpec("ConstantLR", {"factor": 0.5, "total_iters": 100})
    inner = SchedulerSpec(
        "SequentialLR", {"milestones": [3]}, (halves, halves._replace(words={"factor": 1.0}))
    )
    outer = SchedulerSpec("SequentialLR", {"milestones": [6]}, (inner, halves))
    assert list(outer.build_lrlab()(range(7))) == [0.5] * 3 + [1.0] * 3 + [0.5]
    assert list(collect_rates(outer.build_torch, 1.0, 7)) == [0.5] * 2 + [1.0] * 4 + [0.5]


@ignore_step_order_warning
def test_a_chain_in_a_sequence_is_stepped_wrongly_by_torch_only() -> None:
    halving = SchedulerSpec(
        "ChainedScheduler", {}, (SchedulerSpec("ExponentialLR", {"gamma": 0.5}),)
    )
    rest = SchedulerSpec("ConstantLR", {"factor": 1.0})
    first = SchedulerSpec("SequentialLR", {"milestones": [2]}, (halving, rest))
    assert list(first.build_lrlab()(range(3))) == [1.0, 0.5, 1.0]
    assert list(collect_rates(first.build_torch, 1.0, 3)) == [0.5, 0.25, 1.0]
    second = SchedulerSpec("SequentialLR", {"milestones": [2]}, (rest, halving))
    assert list(second.build_lrlab()(range(4))) == [1.0, 1.0, 1.0, 0.5]
    with pytest.raises(NotImplementedError):
        collect_rates(second.build_torch, 1.0, 4)


def test_a_later_constant_of_no_steps_is_over_at_once_in_torch_only() -> None:
    none = SchedulerSpec("ConstantLR", {"factor": 0.5, "total_iters": 0})
    plan = SchedulerSpec(
        "SequentialLR", {"milestones": [3]}, (SchedulerSpec("StepLR", {"step_size": 9}), none)
    )
    assert plan.build_lrlab()([2, 3, 4]).tolist() == [1.0, 0.5, 0.5]
    assert collect_rates(plan.build_torch, 1.0, 5)[2:].tolist() == [1.0, 1.0, 1.0]
    for name in ("LinearLR", "PolynomialLR"):
        later = SchedulerSpec(name, {"total_iters": 0})
        plan = SchedulerSpec("SequentialLR", {"milestones": [3]}, (none, later))
        with pytest.raises(ZeroDivisionError):
            collect_rates(plan.build_torch, 1.0, 5)
        assert plan.build_lrlab()(3) == later.build_lrlab()(0)


def test_one_cycle_sets_the_base_rate_of_others_in_torch_only() -> None:
    parts = (
        SchedulerSpec("StepLR", {"step_size": 9}),
        SchedulerSpec("OneCycleLR", {"max_lr": 0.5, "total_steps": 50}),
    )
    plan = SchedulerSpec("SequentialLR", {"milestones": [3]}, parts)
    assert plan.build_lrlab()([0, 3], base=1.0) == pytest.approx([1.0, 0.02])
    assert collect_rates(plan.build_torch, 1.0, 4)[[0, 3]] == pytest.approx([0.02, 0.02])


def test_a_plateau_in_a_sequence_is_refused_by_torch_only() -> None:
    schedule = ours.SequentialLR([ours.LinearLR(), ours.ReduceLROnPlateau(patience=0)], [5])
    assert schedule.needs_metric

    def theirs(optimizer: Optimizer) -> object:
        parts = [lr_scheduler.LinearLR(optimizer), lr_scheduler.ReduceLROnPlateau(optimizer)]
        return lr_scheduler.SequentialLR(optimizer, parts, [5])

    with pytest.raises(ValueError, match="does not support `ReduceLROnPlateau`"):
        collect_rates(theirs, 0.1, 2)


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
