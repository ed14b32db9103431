"""``Network``: a model as a pure function of its parameters and buffers, checked to be one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lrlab.errors import TrainingError
from lrlab.problems import Problem
from lrlab.problems.seeds import fork_seeded_rng

Criterion = Callable[[Tensor, Tensor], Tensor]
Shapes = tuple[tuple[torch.Size, torch.dtype], ...]

_CACHE_SIZE = 64


class IdentityKey:
    """A cache key that equals that of the same function only; the function may have no hash.

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
    """A model as a function of its parameters and buffers.

    Args:
        module: the model; its own tensors serve only for their shapes and types.
        trainable: names of the parameters that are trained.
        non_trainable: names of all other parameters and of the buffers.
        device: its device, as torch names it.
    """

    module: nn.Module
    trainable: tuple[str, ...]
    non_trainable: tuple[str, ...]
    device: str

    def call(
        self, trainable: Sequence[Tensor], non_trainable: Sequence[Tensor], x: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs for ``x``, and the new values of ``non_trainable``."""
        tensors = dict(zip(self.trainable, trainable, strict=True))
        tensors |= {
            name: tensor.clone()
            for name, tensor in zip(self.non_trainable, non_trainable, strict=True)
        }
        outputs = functional_call(self.module, tensors, (x,))
        return outputs, [tensors[name] for name in self.non_trainable]

    def perturb(self) -> dict[str, Tensor]:
        """Return the tensors of the module, with noise added to the trainable ones.

        Without it, a parameter that is 0 at first would hide what it multiplies.
        """
        tensors = dict(self.module.named_parameters()) | dict(self.module.named_buffers())
        perturbed = {
            name: tensors[name] + 0.1 * _make_noise(tensors[name]) for name in self.trainable
        }
        return tensors | perturbed

    def split_tensors(
        self, tensors: Sequence[Tensor], state_count: int
    ) -> tuple[list[Tensor], list[Tensor], list[list[Tensor]], list[Tensor]]:
        """Split a list of tensors into those of a stack and the rest.

        Returns:
            trainable, non-trainable, ``state_count`` optimizer states per trainable tensor, rest.
        """
        iterator = iter(tensors)
        trainable = list(islice(iterator, len(self.trainable)))
        non_trainable = list(islice(iterator, len(self.non_trainable)))
        return (
            trainable,
            non_trainable,
            [list(islice(iterator, state_count)) for _ in trainable],
            list(iterator),
        )


def get_network(problem: Problem, x: Tensor, y: Tensor, device: str) -> Network:
    """Return the network of a problem, for inputs and targets like these.

    Raises:
        TrainingError: the network has no trainable parameter, or cannot be trained in the
            ensemble because it keeps state outside its parameters and buffers.
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
    """Return the shapes and types of tensors."""
    return tuple((tensor.shape, tensor.dtype) for tensor in tensors)


def make_zeros(shapes: Shapes, device: str) -> list[Tensor]:
    """Make zeros of these shapes; every loss and every embedding accepts them."""
    return [torch.zeros(shape, dtype=dtype, device=device) for shape, dtype in shapes]


def _fingerprint_behavior(model: Callable[[], nn.Module], loss: Criterion, shapes: Shapes) -> str:
    """Return text that changes if model or loss behave differently, as when globals change."""
    x, y = make_zeros(shapes, "cpu")
    with fork_seeded_rng(0), torch.enable_grad():
        module = model().train()
        outputs = [loss(module(x), y), module(x + _make_noise(x))]
    with fork_seeded_rng(0), torch.no_grad():
        outputs.append(module.eval()(x + _make_noise(x)))
    return repr([output.detach().double().sum().item() for output in outputs])


@lru_cache(_CACHE_SIZE)
def _create_network(
    model_key: IdentityKey, loss_key: IdentityKey, shapes: Shapes, device: str, fingerprint: str
) -> Network:
    model, loss = model_key.function, loss_key.function
    with fork_seeded_rng(0), torch.enable_grad():
        module = model()
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise TrainingError(
                "a network must have a trainable parameter, but this one has none; add a layer."
            )
        x, y = make_zeros(shapes, "cpu")
        loss(module(x), y).backward()
    parameters, buffers = dict(module.named_parameters()), dict(module.named_buffers())
    # Like torch's optimizers, skip parameters without a gradient.
    trainable = tuple(name for name, p in parameters.items() if p.grad is not None)
    types = {parameters[name].dtype for name in trainable}
    if types not in ({torch.float32}, {torch.float64}):
        raise TrainingError(
            "the parameters of a network in the ensemble must be all float32 or all float64, got "
            + ", ".join(sorted(map(str, types)))
            + '; use `engine="loop"`.'
        )
    non_trainable = tuple(name for name in (*parameters, *buffers) if name not in trainable)
    network = Network(module.to(device).requires_grad_(False), trainable, non_trainable, device)
    with fork_seeded_rng(1):
        reinitialized = model().to(device).requires_grad_(False)
    if _has_hidden_state(network, reinitialized, x.to(device) + _make_noise(x).to(device)):
        raise TrainingError(
            "this network cannot be trained in the ensemble, because it keeps state outside its "
            "parameters and buffers, differs between seeds in more than these, or has hooks on "
            'gradients; use `engine="loop"`.'
        )
    return network


def _has_hidden_state(network: Network, reinitialized: nn.Module, x: Tensor) -> bool:
    """Check whether anything but its tensors affects the outputs of a network.

    Args:
        network: the network to check.
        reinitialized: the model built with another seed, which gets the network's tensors.
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
        if not all(torch.allclose(outputs[0], other, equal_nan=True) for other in outputs):
            return True
    return _collect_plain_attributes(network.module) != before


def _collect_plain_attributes(module: nn.Module) -> list[tuple[str, object]]:
    """Return the numbers and strings in plain attributes of modules, such as a call counter."""
    return [
        (name, value)
        for part in module.modules()
        for name, value in vars(part).items()
        if isinstance(value, bool | int | float | str) and name != "training"
    ]


def _make_noise(x: Tensor) -> Tensor:
    """Return noise to add to ``x``; zeros if ``x`` holds integers."""
    with fork_seeded_rng(2):
        return torch.rand_like(x) if x.is_floating_point() else torch.zeros_like(x)
