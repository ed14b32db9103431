"""Every scheduler of torch as a case that both torch and the dialect can build."""

from typing import Any, NamedTuple

from tests.dialects.torch_strategies import SchedulerSpec, make_inverse_time

LAST_STEP = 30
"""The last step at which torch and the dialect agree for all of them."""


class Case(NamedTuple):
    """A scheduler that ends by ``LAST_STEP``, if at all, and a step at which its curve bends."""

    plan: SchedulerSpec
    bend: int

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def needs_metric(self) -> bool:
        """Whether the scheduler reads a metric."""
        return self.name == "ReduceLROnPlateau"


def make_case(name: str, bend: int, *parts: SchedulerSpec, **arguments: Any) -> Case:
    return Case(SchedulerSpec(name, arguments, parts), bend)


CASES = [
    make_case("LambdaLR", 5, lr_lambda=make_inverse_time(0.1)),
    make_case("MultiplicativeLR", 5, lr_lambda=make_inverse_time(0.01)),
    make_case("StepLR", 8, step_size=8, gamma=0.5),
    make_case("MultiStepLR", 9, milestones=[3, 9], gamma=0.3),
    make_case("ConstantLR", 4, factor=0.5, total_iters=4),
    make_case("LinearLR", 6, start_factor=0.2, end_factor=0.9, total_iters=6),
    make_case("ExponentialLR", 5, gamma=0.9),
    make_case("PolynomialLR", 7, total_iters=7, power=2.0),
    make_case("CosineAnnealingLR", LAST_STEP, T_max=LAST_STEP, eta_min=1e-4),
    make_case("CosineAnnealingWarmRestarts", 4, T_0=4, T_mult=2, eta_min=1e-4),
    make_case("CyclicLR", 7, base_lr=0.01, max_lr=0.2, step_size_up=4, step_size_down=3),
    make_case("OneCycleLR", LAST_STEP, max_lr=0.5, total_steps=LAST_STEP + 1, three_phase=True),
    make_case("SWALR", 5, swa_lr=0.02, anneal_epochs=5),
    make_case("ReduceLROnPlateau", 8, factor=0.5, patience=1, cooldown=1, min_lr=1e-3),
    make_case(
        "SequentialLR",
        4,
        SchedulerSpec("LinearLR", {"total_iters": 4}),
        SchedulerSpec("StepLR", {"step_size": 5}),
        SchedulerSpec("CosineAnnealingLR", {"T_max": 12}),
        milestones=[4, 18],
    ),
    make_case(
        "ChainedScheduler",
        5,
        SchedulerSpec("ConstantLR", {"factor": 0.5, "total_iters": 5}),
        SchedulerSpec("ExponentialLR", {"gamma": 0.9}),
    ),
]
