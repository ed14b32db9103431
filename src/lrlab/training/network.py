"""A network as a pure function of its tensors, and what shows that it is one."""

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
from lrlab.problems.seeds import drawing

Loss = Callable[[Tensor, Tensor], Tensor]
Shapes = tuple[tuple[torch.Size, torch.dtype], ...]

_KEPT = 64


class Itself:
    """A function as a key of a cache: itself and no other, though it may have no hash.

    >>> Itself(len) == Itself(len), Itself(len) == Itself(max)
    (True, False)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Itself) and self.function is other.function

    def __hash__(self) -> int:
        return id(self.function)


@dataclass(frozen=True, eq=False)
class Network:
    """A network as a function of its parameters and buffers.

    Args:
        module: where they are put for a call; its own tell shapes and types alone.
        trained: the names of the parameters that are trained.
        kept: the names of all other parameters and of the buffers.
        device: where it is, by torch's name.
    """

    module: nn.Module
    trained: tuple[str, ...]
    kept: tuple[str, ...]
    device: str

    def call(
        self, trained: Sequence[Tensor], kept: Sequence[Tensor], x: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """The outputs for ``x``, and what ``kept`` has become."""
        held = dict(zip(self.trained, trained, strict=True))
        held |= {name: tensor.clone() for name, tensor in zip(self.kept, kept, strict=True)}
        outputs = functional_call(self.module, held, (x,))
        return outputs, [held[name] for name in self.kept]

    def stirred(self) -> dict[str, Tensor]:
        """The module's own tensors, those that are trained moved off their initial values: a gate
        that begins at 0 would hide what lies behind it.
        """
        held = dict(self.module.named_parameters()) | dict(self.module.named_buffers())
        moved = {name: held[name] + 0.1 * _noise(held[name]) for name in self.trained}
        return held | moved

    def parted(
        self, tensors: Sequence[Tensor], averages: int
    ) -> tuple[list[Tensor], list[Tensor], list[list[Tensor]], list[Tensor]]:
        """Tensors in a row as those of a stack and the rest: trained, kept, so many averages of
        each that is trained.
        """
        row = iter(tensors)
        trained, kept = list(islice(row, len(self.trained))), list(islice(row, len(self.kept)))
        return trained, kept, [list(islice(row, averages)) for _ in trained], list(row)


def network_of(problem: Problem, x: Tensor, y: Tensor, device: str) -> Network:
    """The network of a problem as a function, for inputs and targets like these.

    Raises:
        TrainingError: it is more than its tensors, so that it cannot be trained for many runs at
            once, or there is nothing to train.
    """
    model, loss, shapes = problem.model, problem.task.loss, shapes_of((x, y))
    return _network(Itself(model), Itself(loss), shapes, device, _sample(model, loss, shapes))


def shapes_of(tensors: Sequence[Tensor]) -> Shapes:
    """Shapes and types of tensors."""
    return tuple((tensor.shape, tensor.dtype) for tensor in tensors)


def zeros(shapes: Shapes, device: str) -> list[Tensor]:
    """Tensors of these shapes, which no loss refuses and no embedding either."""
    return [torch.zeros(shape, dtype=dtype, device=device) for shape, dtype in shapes]


def _sample(model: Callable[[], nn.Module], loss: Loss, shapes: Shapes) -> str:
    """Numbers by which it shows that either is no more what it was, by what they look up."""
    x, y = zeros(shapes, "cpu")
    with drawing(0), torch.enable_grad():
        module = model().train()
        trained = [loss(module(x), y), module(x + _noise(x))]
    with drawing(0), torch.no_grad():
        trained.append(module.eval()(x + _noise(x)))
    return repr([one.detach().double().sum().item() for one in trained])


@lru_cache(_KEPT)
def _network(
    model_itself: Itself, loss_itself: Itself, shapes: Shapes, device: str, sample: str
) -> Network:
    model, loss = model_itself.function, loss_itself.function
    with drawing(0), torch.enable_grad():
        module = model()
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise TrainingError(
                "a network must have a parameter to train, got one without; give it a layer."
            )
        x, y = zeros(shapes, "cpu")
        loss(module(x), y).backward()
    parameters, buffers = dict(module.named_parameters()), dict(module.named_buffers())
    # One without a gradient is left alone by torch's optimizers, and so it is here.
    trained = tuple(name for name, p in parameters.items() if p.grad is not None)
    types = {parameters[name].dtype for name in trained}
    if types not in ({torch.float32}, {torch.float64}):
        raise TrainingError(
            "runs can be trained together only where all their parameters are float32 or all are "
            f"float64, got {', '.join(sorted(map(str, types)))}: their rates are numbers of the "
            "same type; use the loop (--engine loop)."
        )
    kept = tuple(name for name in (*parameters, *buffers) if name not in trained)
    network = Network(module.to(device).requires_grad_(False), trained, kept, device)
    with drawing(1):
        other = model().to(device).requires_grad_(False)
    if _is_more(network, other, x.to(device) + _noise(x).to(device)):
        raise TrainingError(
            "this network cannot be trained for many runs at once, because it is more than its "
            "parameters and buffers: it remembers something from batch to batch, holds a number "
            "that differs from seed to seed, or has hooks on gradients; use the loop (--engine "
            "loop)."
        )
    return network


def _is_more(network: Network, other: nn.Module, x: Tensor) -> bool:
    """Whether something beside its tensors changes what the network does.

    Args:
        network: in question.
        other: with other initial weights, which are given those of the network.
        x: inputs.
    """
    hooks = ("_backward_hooks", "_post_accumulate_grad_hooks")
    parameters = network.module.parameters()
    if any(getattr(p, hook, None) for p in parameters for hook in hooks):
        return True
    held = network.stirred()
    before = _remarks(network.module)
    for training in (True, False):
        outputs = []
        for module in (network.module, network.module, other):
            with drawing(0), torch.set_grad_enabled(training):
                own = {
                    name: tensor.clone().requires_grad_(training and name in network.trained)
                    for name, tensor in held.items()
                }
                outputs.append(functional_call(module.train(training), own, (x,)).detach())
        if not all(torch.allclose(outputs[0], one, equal_nan=True) for one in outputs):
            return True
    return _remarks(network.module) != before


def _remarks(module: nn.Module) -> list[tuple[str, object]]:
    """What modules keep in plain attributes, such as a count of calls."""
    return [
        (name, value)
        for part in module.modules()
        for name, value in vars(part).items()
        if isinstance(value, bool | int | float | str) and name != "training"
    ]


def _noise(x: Tensor) -> Tensor:
    """Numbers to add to zeros, so that nothing hides behind them; none to whole numbers."""
    with drawing(2):
        return torch.rand_like(x) if x.is_floating_point() else torch.zeros_like(x)
