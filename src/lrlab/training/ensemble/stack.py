"""``Stack``: the parameters, buffers and optimizer states of all runs of a block, stacked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lrlab.problems import Problem, derive_seeds
from lrlab.training.ensemble.network import Network
from lrlab.training.loop import init_model


@dataclass(frozen=True, eq=False)
class Stack:
    """The stacked tensors of all runs of a block, which training changes in place.

    Each has shape (seeds, runs per seed, ...).

    Args:
        trainable: the parameters that are trained.
        non_trainable: all other parameters and the buffers.
        optimizer_state: the optimizer state of each trained parameter, such as its averages.
    """

    trainable: list[Tensor]
    non_trainable: list[Tensor]
    optimizer_state: list[list[Tensor]]

    @classmethod
    def from_seeds(
        cls,
        problem: Problem,
        network: Network,
        seeds: Sequence[int],
        runs_per_seed: int,
        state_count: int,
    ) -> "Stack":
        """Stack the initial weights of seeds, with ``state_count`` zeros per parameter as state."""
        models = [init_model(problem, derive_seeds(seed).weights) for seed in seeds]
        model_tensors = [
            dict(model.named_parameters()) | dict(model.named_buffers()) for model in models
        ]

        def stack_tensor(name: str) -> Tensor:
            per_seed = torch.stack([tensors[name].detach() for tensors in model_tensors])
            per_seed = per_seed.to(network.device)
            return per_seed[:, None].expand(-1, runs_per_seed, *per_seed.shape[1:]).contiguous()

        trainable = [stack_tensor(name) for name in network.trainable]
        non_trainable = [stack_tensor(name) for name in network.non_trainable]
        return cls(
            trainable,
            non_trainable,
            [[torch.zeros_like(p) for _ in range(state_count)] for p in trainable],
        )

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors, in the order in which programs take them."""
        return (
            *self.network_tensors,
            *(tensor for state in self.optimizer_state for tensor in state),
        )

    @property
    def network_tensors(self) -> tuple[Tensor, ...]:
        """The parameters and buffers, without the optimizer state."""
        return (*self.trainable, *self.non_trainable)

    def map_tensors(self, function: Callable[[Tensor], Tensor]) -> "Stack":
        """Return the stack with ``function`` applied to every tensor."""
        return Stack(
            [function(tensor) for tensor in self.trainable],
            [function(tensor) for tensor in self.non_trainable],
            [[function(tensor) for tensor in state] for state in self.optimizer_state],
        )

    def is_finite(self) -> Tensor:
        """Return whether the parameters of a run are all finite, shape (seeds, runs per seed)."""
        flat = [p.reshape(*p.shape[:2], -1) for p in self.trainable if p.numel()]
        # The extremes of a row show whether it is finite, twenty times faster than isfinite().
        ends = [end for row in flat for end in (row.amin(2), row.amax(2))]
        return torch.stack(ends).isfinite().all(0)
