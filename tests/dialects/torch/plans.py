"""Random schedulers, as plans that torch and the dialect both can build."""

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st
from torch.optim import Optimizer

from lrlab.dialects import torch as ours
from lrlab.schedules import Schedule
from tests.dialects.torch.stepping import torchs


class Plan(NamedTuple):
    """A scheduler: torch's class, its arguments, and the schedulers in it."""

    name: str
    words: dict[str, Any]
    parts: tuple["Plan", ...] = ()

    def theirs(self, optimizer: Optimizer) -> Any:
        parts = [part.theirs(optimizer) for part in self.parts]
        if self.name == "ChainedScheduler":
            return torchs(self.name)(parts, optimizer=optimizer)
        children = (parts,) if parts else ()
        return torchs(self.name)(optimizer, *children, **self.words)

    def ours(self) -> Schedule:
        parts = ([part.ours() for part in self.parts],) if self.parts else ()
        return getattr(ours, self.name)(*parts, **self.words)


def drawn(name: str, **words: st.SearchStrategy[Any]) -> st.SearchStrategy[Plan]:
    return st.builds(Plan, st.just(name), st.fixed_dictionaries(words), st.just(()))


def one_over(alpha: float) -> Callable[[int], float]:
    return lambda t: 1 / (1 + alpha * t)


rates = st.floats(1e-4, 1)
counts = st.integers(1, 60)
gammas = st.floats(0.8, 1)
functions = st.builds(one_over, st.floats(0, 0.5))
strategies = st.sampled_from(["cos", "linear"])

multiplying = st.one_of(
    drawn("ConstantLR", factor=st.floats(0.1, 1), total_iters=counts),
    drawn(
        "LinearLR", start_factor=st.floats(0.1, 1), end_factor=st.floats(0, 1), total_iters=counts
    ),
    drawn("PolynomialLR", total_iters=counts, power=st.floats(0.5, 2)),
    drawn("ExponentialLR", gamma=gammas),
    drawn("StepLR", step_size=counts, gamma=gammas),
    drawn("MultiStepLR", milestones=st.lists(counts, max_size=4), gamma=gammas),
    drawn("MultiplicativeLR", lr_lambda=functions),
)
plain = st.one_of(
    multiplying,
    drawn("LambdaLR", lr_lambda=functions),
    drawn("CosineAnnealingLR", T_max=st.integers(60, 90), eta_min=st.floats(0, 0.01)),
    drawn(
        "CosineAnnealingWarmRestarts",
        T_0=counts,
        T_mult=st.integers(1, 3),
        eta_min=st.floats(0, 0.01),
    ),
    drawn("SWALR", swa_lr=st.floats(0, 0.1), anneal_epochs=counts, anneal_strategy=strategies),
)
chains = st.builds(
    Plan,
    st.just("ChainedScheduler"),
    st.just({}),
    st.lists(multiplying, min_size=1, max_size=4).map(tuple),
)


@st.composite
def sequences(draw: st.DrawFn) -> Plan:
    # Those of weight averaging share their rate in torch.
    unique = st.lists(plain, min_size=1, max_size=4).filter(
        lambda parts: sum(part.name == "SWALR" for part in parts) <= 1
    )
    parts = draw(unique)
    ends = st.lists(st.integers(0, 60), min_size=len(parts) - 1, max_size=len(parts) - 1)
    return Plan("SequentialLR", {"milestones": sorted(draw(ends))}, tuple(parts))
