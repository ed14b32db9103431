"""A network as a pure function of its tensors, and what shows that it is one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lrlab.errors import TrainingError
from lrlab.problems import Problem, derive_seeds
from lrlab.problems.seeds import fork_seeded_rng
from lrlab.training.loop import init_model

Criterion = Callable[[Tensor, Tensor], Tensor]
Shapes = tuple[tuple[torch.Size, torch.dtype], ...]

_CACHE_SIZE = 64


class IdentityKey:
    """A function as a key of a cache: itself and no other, though it may have no hash.

    >>> IdentityKey(len) == IdentityKey(len), IdentityKey(len) == IdentityKey(max)
    (True, False)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdentityKey) and self.function is other.function

    def __hash__(self) -> int:
        return id(self.function)


@dataclass(frozen=True, eq=False)
class Network:
    """A network as a function of its parameters and buffers.

    Args:
        module: where they are put for a call; its own tell shapes and types alone.
        trainable: the names of the parameters that are trained.
        non_trainable: the names of all other parameters and of the buffers.
        device: where it is, by torch's name.
    """

    module: nn.Module
    trainable: tuple[str, ...]
    non_trainable: tuple[str, ...]
    device: str

    def call(
        self, trainable: Sequence[Tensor], non_trainable: Sequence[Tensor], x: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """The outputs for ``x``, and what ``non_trainable`` has become."""
        tensors = dict(zip(self.trainable, trainable, strict=True))
        tensors |= {
            name: tensor.clone()
            for name, tensor in zip(self.non_trainable, non_trainable, strict=True)
        }
        outputs = functional_call(self.module, tensors, (x,))
        return outputs, [tensors[name] for name in self.non_trainable]

    def perturb(self) -> dict[str, Tensor]:
        """The module's own tensors, those that are trained moved off their initial values: a gate
        that begins at 0 would hide what lies behind it.
        """
        tensors = dict(self.module.named_parameters()) | dict(self.module.named_buffers())
        perturbed = {
            name: tensors[name] + 0.1 * _make_noise(tensors[name]) for name in self.trainable
        }
        return tensors | perturbed

    def split_tensors(
        self, tensors: Sequence[Tensor], state_count: int
    ) -> tuple[list[Tensor], list[Tensor], list[list[Tensor]], list[Tensor]]:
        """Tensors in a row as those of a stack and the rest: trained, kept, so many averages of
        each that is trained.
        """
        iterator = iter(tensors)
        trainable, non_trainable = (
            list(islice(iterator, len(self.trainable))),
            list(islice(iterator, len(self.non_trainable))),
        )
        return (
            trainable,
            non_trainable,
            [list(islice(iterator, state_count)) for _ in trainable],
            list(iterator),
        )


def get_network(problem: Problem, x: Tensor, y: Tensor, device: str) -> Network:
    """The network of a problem as a function, for inputs and targets like these.

    Raises:
        TrainingError: it is more than its tensors, so that it cannot be trained for many runs at
            once, or there is nothing to train.
    """
    model, loss, shapes = problem.model, problem.task.loss, get_shapes((x, y))
    return _create_network(
        IdentityKey(model),
        IdentityKey(loss),
        shapes,
        device,
        _fingerprint_behavior(model, loss, shapes),
    )


def get_shapes(tensors: Sequence[Tensor]) -> Shapes:
    """Shapes and types of tensors."""
    return tuple((tensor.shape, tensor.dtype) for tensor in tensors)


def make_zeros(shapes: Shapes, device: str) -> list[Tensor]:
    """Tensors of these shapes, which no loss refuses and no embedding either."""
    return [torch.zeros(shape, dtype=dtype, device=device) for shape, dtype in shapes]


def _fingerprint_behavior(model: Callable[[], nn.Module], loss: Criterion, shapes: Shapes) -> str:
    """Numbers by which it shows that either is no more what it was, by what they look up."""
    x, y = make_zeros(shapes, "cpu")
    with fork_seeded_rng(0), torch.enable_grad():
        module = model().train()
        outputs = [loss(module(x), y), module(x + _make_noise(x))]
    with fork_seeded_rng(0), torch.no_grad():
        outputs.append(module.eval()(x + _make_noise(x)))
    return repr([one.detach().double().sum().item() for one in outputs])


@lru_cache(_CACHE_SIZE)
def _create_network(
    model_key: IdentityKey, loss_key: IdentityKey, shapes: Shapes, device: str, fingerprint: str
) -> Network:
    model, loss = model_key.function, loss_key.function
    with fork_seeded_rng(0), torch.enable_grad():
        module = model()
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise TrainingError(
                "a network must have a parameter to train, got one without; give it a layer."
            )
        x, y = make_zeros(shapes, "cpu")
        loss(module(x), y).backward()
    parameters, buffers = dict(module.named_parameters()), dict(module.named_buffers())
    # One without a gradient is left alone by torch's optimizers, and so it is here.
    trainable = tuple(name for name, p in parameters.items() if p.grad is not None)
    types = {parameters[name].dtype for name in trainable}
    if types not in ({torch.float32}, {torch.float64}):
        raise TrainingError(
            "runs can be trained together only where all their parameters are float32 or all are "
            f"float64, got {', '.join(sorted(map(str, types)))}: their rates are numbers of the "
            "same type; use the loop (--engine loop)."
        )
    non_trainable = tuple(name for name in (*parameters, *buffers) if name not in trainable)
    network = Network(module.to(device).requires_grad_(False), trainable, non_trainable, device)
    with fork_seeded_rng(1):
        reinitialized = model().to(device).requires_grad_(False)
    if _has_hidden_state(network, reinitialized, x.to(device) + _make_noise(x).to(device)):
        raise TrainingError(
            "this network cannot be trained for many runs at once, because it is more than its "
            "parameters and buffers: it remembers something from batch to batch, holds a number "
            "that differs from seed to seed, or has hooks on gradients; use the loop (--engine "
            "loop)."
        )
    return network


def _has_hidden_state(network: Network, reinitialized: nn.Module, x: Tensor) -> bool:
    """Whether something beside its tensors changes what the network does.

    Args:
        network: in question.
        reinitialized: with other initial weights, which are given those of the network.
        x: inputs.
    """
    hooks = ("_backward_hooks", "_post_accumulate_grad_hooks")
    parameters = network.module.parameters()
    if any(getattr(p, hook, None) for p in parameters for hook in hooks):
        return True
    tensors = network.perturb()
    before = _collect_plain_attributes(network.module)
    for training in (True, False):
        outputs = []
        for module in (network.module, network.module, reinitialized):
            with fork_seeded_rng(0), torch.set_grad_enabled(training):
                copies = {
                    name: tensor.clone().requires_grad_(training and name in network.trainable)
                    for name, tensor in tensors.items()
                }
                outputs.append(functional_call(module.train(training), copies, (x,)).detach())
        if not all(torch.allclose(outputs[0], one, equal_nan=True) for one in outputs):
            return True
    return _collect_plain_attributes(network.module) != before


def _collect_plain_attributes(module: nn.Module) -> list[tuple[str, object]]:
    """What modules keep in plain attributes, such as a count of calls."""
    return [
        (name, value)
        for part in module.modules()
        for name, value in vars(part).items()
        if isinstance(value, bool | int | float | str) and name != "training"
    ]


def _make_noise(x: Tensor) -> Tensor:
    """Numbers to add to zeros, so that nothing hides behind them; none to whole numbers."""
    with fork_seeded_rng(2):
        return torch.rand_like(x) if x.is_floating_point() else torch.zeros_like(x)


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
        cls,
        problem: Problem,
        network: Network,
        seeds: Sequence[int],
        runs_per_seed: int,
        state_count: int,
    ) -> "Stack":
        """Networks with the initial weights of their seeds, and ``state_count`` zeros of each."""
        models = [init_model(problem, derive_seeds(seed).weights) for seed in seeds]
        model_tensors = [
            dict(model.named_parameters()) | dict(model.named_buffers()) for model in models
        ]

        def stack_tensor(name: str) -> Tensor:
            own = torch.stack([tensors[name].detach() for tensors in model_tensors]).to(
                network.device
            )
            return own[:, None].expand(-1, runs_per_seed, *own.shape[1:]).contiguous()

        trainable = [stack_tensor(name) for name in network.trainable]
        non_trainable = [stack_tensor(name) for name in network.non_trainable]
        return cls(
            trainable,
            non_trainable,
            [[torch.zeros_like(p) for _ in range(state_count)] for p in trainable],
        )

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
