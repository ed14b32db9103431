"""The networks of all runs of a block, each of their tensors stacked into one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lrlab.problems import Problem, streams
from lrlab.training.loop import fresh
from lrlab.training.network import Network


@dataclass(frozen=True, eq=False)
class Stack:
    """Tensors of shape (seeds, runs of a seed, ...), which training changes in place.

    Args:
        trained: the parameters that are trained.
        kept: all other parameters and the buffers.
        averages: what the optimizer keeps of each trained parameter.
    """

    trained: list[Tensor]
    kept: list[Tensor]
    averages: list[list[Tensor]]

    @classmethod
    def fresh(
        cls, problem: Problem, network: Network, seeds: Sequence[int], runs: int, averages: int
    ) -> "Stack":
        """Networks with the initial weights of their seeds, and ``averages`` zeros of each."""
        models = [fresh(problem, streams(seed).weights) for seed in seeds]
        held = [dict(model.named_parameters()) | dict(model.named_buffers()) for model in models]

        def stacked(name: str) -> Tensor:
            own = torch.stack([tensors[name].detach() for tensors in held]).to(network.device)
            return own[:, None].expand(-1, runs, *own.shape[1:]).contiguous()

        trained = [stacked(name) for name in network.trained]
        kept = [stacked(name) for name in network.kept]
        return cls(trained, kept, [[torch.zeros_like(p) for _ in range(averages)] for p in trained])

    @cached_property
    def row(self) -> tuple[Tensor, ...]:
        """All tensors in a row, as programs take them."""
        return (*self.networks, *(tensor for own in self.averages for tensor in own))

    @property
    def networks(self) -> tuple[Tensor, ...]:
        """Those that the networks are made of."""
        return (*self.trained, *self.kept)

    def each(self, change: Callable[[Tensor], Tensor]) -> "Stack":
        """The stack with every tensor changed."""
        return Stack(
            [change(tensor) for tensor in self.trained],
            [change(tensor) for tensor in self.kept],
            [[change(tensor) for tensor in own] for own in self.averages],
        )

    def finite(self) -> Tensor:
        """Whether all trained parameters of a run are finite, shape (seeds, runs of a seed)."""
        flat = [p.reshape(*p.shape[:2], -1) for p in self.trained if p.numel()]
        # Both ends of a row show whether it is finite, twenty times quicker than every number.
        ends = [end for row in flat for end in (row.amin(2), row.amax(2))]
        return torch.stack(ends).isfinite().all(0)
