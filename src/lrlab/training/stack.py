"""The networks of all runs of a block, each of their tensors stacked into one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lrlab.problems import Problem, derive_seeds
from lrlab.training.loop import init_model
from lrlab.training.network import Network


@dataclass(frozen=True, eq=False)
class Stack:
    """Tensors of shape (seeds, runs of a seed, ...), which training changes in place.

    Args:
        trainable: the parameters that are trained.
        non_trainable: all other parameters and the buffers.
        optimizer_state: what the optimizer keeps of each trained parameter.
    """

    trainable: list[Tensor]
    non_trainable: list[Tensor]
    optimizer_state: list[list[Tensor]]

    @classmethod
    def from_seeds(
        cls, problem: Problem, network: Network, seeds: Sequence[int], runs_per_seed: int, state_count: int
    ) -> "Stack":
        """Networks with the initial weights of their seeds, and ``state_count`` zeros of each."""
        models = [init_model(problem, derive_seeds(seed).weights) for seed in seeds]
        model_tensors = [dict(model.named_parameters()) | dict(model.named_buffers()) for model in models]

        def stack_tensor(name: str) -> Tensor:
            own = torch.stack([tensors[name].detach() for tensors in model_tensors]).to(network.device)
            return own[:, None].expand(-1, runs_per_seed, *own.shape[1:]).contiguous()

        trainable = [stack_tensor(name) for name in network.trainable]
        non_trainable = [stack_tensor(name) for name in network.non_trainable]
        return cls(trainable, non_trainable, [[torch.zeros_like(p) for _ in range(state_count)] for p in trainable])

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors in a row, as programs take them."""
        return (*self.network_tensors, *(tensor for own in self.optimizer_state for tensor in own))

    @property
    def network_tensors(self) -> tuple[Tensor, ...]:
        """Those that the networks are made of."""
        return (*self.trainable, *self.non_trainable)

    def map_tensors(self, function: Callable[[Tensor], Tensor]) -> "Stack":
        """The stack with every tensor changed."""
        return Stack(
            [function(tensor) for tensor in self.trainable],
            [function(tensor) for tensor in self.non_trainable],
            [[function(tensor) for tensor in own] for own in self.optimizer_state],
        )

    def is_finite(self) -> Tensor:
        """Whether all trained parameters of a run are finite, shape (seeds, runs of a seed)."""
        flat = [p.reshape(*p.shape[:2], -1) for p in self.trainable if p.numel()]
        # Both ends of a row show whether it is finite, twenty times quicker than every number.
        ends = [end for row in flat for end in (row.amin(2), row.amax(2))]
        return torch.stack(ends).isfinite().all(0)
