"""Strategies for random schedulers that torch and lrlab.dialects.torch can both build."""

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st
from torch.optim import Optimizer

from lrlab.dialects import torch as ours
from lrlab.schedules import Schedule
from tests.dialects.foreign_torch import get_torch_class


class SchedulerSpec(NamedTuple):
    """A scheduler: the name of torch's class, its arguments, and the schedulers in it."""

    name: str
    kwargs: dict[str, Any]
    children: tuple["SchedulerSpec", ...] = ()

    def build_torch(self, optimizer: Optimizer) -> Any:
        parts = [part.build_torch(optimizer) for part in self.children]
        if self.name == "ChainedScheduler":
            return get_torch_class(self.name)(parts, optimizer=optimizer)
        children = (parts,) if parts else ()
        return get_torch_class(self.name)(optimizer, *children, **self.kwargs)

    def build_lrlab(self) -> Schedule:
        parts = ([part.build_lrlab() for part in self.children],) if self.children else ()
        return getattr(ours, self.name)(*parts, **self.kwargs)


def make_specs(name: str, **kwargs: st.SearchStrategy[Any]) -> st.SearchStrategy[SchedulerSpec]:
    return st.builds(SchedulerSpec, st.just(name), st.fixed_dictionaries(kwargs), st.just(()))


def make_inverse_time(alpha: float) -> Callable[[int], float]:
    return lambda t: 1 / (1 + alpha * t)


lrs = st.floats(1e-4, 1)
counts = st.integers(1, 60)
gammas = st.floats(0.8, 1)
lr_lambdas = st.builds(make_inverse_time, st.floats(0, 0.5))
anneal_strategies = st.sampled_from(["cos", "linear"])

chainable_specs = st.one_of(
    make_specs("ConstantLR", factor=st.floats(0.1, 1), total_iters=counts),
    make_specs(
        "LinearLR", start_factor=st.floats(0.1, 1), end_factor=st.floats(0, 1), total_iters=counts
    ),
    make_specs("PolynomialLR", total_iters=counts, power=st.floats(0.5, 2)),
    make_specs("ExponentialLR", gamma=gammas),
    make_specs("StepLR", step_size=counts, gamma=gammas),
    make_specs("MultiStepLR", milestones=st.lists(counts, max_size=4), gamma=gammas),
    make_specs("MultiplicativeLR", lr_lambda=lr_lambdas),
)
simple_specs = st.one_of(
    chainable_specs,
    make_specs("LambdaLR", lr_lambda=lr_lambdas),
    make_specs("CosineAnnealingLR", T_max=st.integers(60, 90), eta_min=st.floats(0, 0.01)),
    make_specs(
        "CosineAnnealingWarmRestarts",
        T_0=counts,
        T_mult=st.integers(1, 3),
        eta_min=st.floats(0, 0.01),
    ),
    make_specs(
        "SWALR", swa_lr=st.floats(0, 0.1), anneal_epochs=counts, anneal_strategy=anneal_strategies
    ),
)
chained_specs = st.builds(
    SchedulerSpec,
    st.just("ChainedScheduler"),
    st.just({}),
    st.lists(chainable_specs, min_size=1, max_size=4).map(tuple),
)


@st.composite
def sequential_specs(draw: st.DrawFn) -> SchedulerSpec:
    # Two SWALR share their rate in torch.
    unique = st.lists(simple_specs, min_size=1, max_size=4).filter(
        lambda parts: sum(part.name == "SWALR" for part in parts) <= 1
    )
    parts = draw(unique)
    ends = st.lists(st.integers(0, 60), min_size=len(parts) - 1, max_size=len(parts) - 1)
    return SchedulerSpec("SequentialLR", {"milestones": sorted(draw(ends))}, tuple(parts))
