"""Networks with special weights or a special forward pass, by name."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 4))
        self.head = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x + self.inner(x))


class Tied(nn.Module):
    """One matrix under two names, used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Linear(4, 4, bias=False)
        self.back = nn.Linear(4, 4)
        self.back.weight = self.into.weight
        self.head = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.back(self.into(x).tanh()))


class Shared(nn.Module):
    """One layer under two names."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.Linear(4, 4)
        self.layers = nn.ModuleList([layer, layer])
        self.head = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x).relu()
        return self.head(x)


def build_frozen() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1))
    model[0].requires_grad_(False)
    return model


class Unused(nn.Module):
    """Has a weight without a gradient, which weight decay must not change."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(4, 3)
        self.head = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x)


class Scaled(nn.Module):
    """Has a scalar parameter, parameters in a list, and an empty one."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.7))
        self.parts = nn.ParameterList([torch.ones(4), torch.zeros(1)])
        self.empty = nn.Parameter(torch.zeros(0))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.parts[0]).sum(1, keepdim=True) * self.scale + self.parts[1]


class Buffered(nn.Module):
    """Has a buffer that is not saved, one that is replaced, and one that changes in place."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 1)
        self.register_buffer("table", torch.arange(4.0), persistent=False)
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("average", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.count = self.count + 1
            self.average.mul_(0.9).add_(0.1 * x.mean(0) * self.head.weight[0].detach())
        return self.head(x + self.table / 10 - self.average) / (1 + 0.1 * self.count)


class Chunked(nn.Module):
    """Uses chunks of a tensor after the last use of the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Linear(4, 4)
        self.head = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        whole = self.into(x)
        first, second = whole.unsafe_chunk(2, 1)
        rest = (whole * 3).sum(1, keepdim=True)
        return self.head((first * 2 + second).tanh()) + rest * self.head.bias


class ModeDependent(nn.Module):
    """Has another output in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x) * (1.5 if self.training else 1.0)


def _chain(*layers: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(*(layer() for layer in layers))


def _linear(inputs: int, outputs: int, bias: bool = True) -> Callable[[], nn.Module]:
    return partial(nn.Linear, inputs, outputs, bias)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (_linear(4, 1), (4,)),
    "no bias": (_linear(4, 1, bias=False), (4,)),
    "deep": (_chain(_linear(4, 8), nn.GELU, _linear(8, 8), nn.ELU, _linear(8, 1)), (4,)),
    "nested": (
        _chain(_chain(_linear(4, 3), nn.ReLU), nn.Identity, _linear(3, 1)),
        (4,),
    ),
    "trainable activations": (
        _chain(_linear(4, 3), partial(nn.PReLU, 3), _linear(3, 3), nn.PReLU, _linear(3, 1)),
        (4,),
    ),
    "in place": (_chain(_linear(4, 3), partial(nn.ReLU, inplace=True), _linear(3, 1)), (4,)),
    "batch norm": (
        _chain(_linear(4, 5, bias=False), partial(nn.BatchNorm1d, 5), nn.ReLU, _linear(5, 1)),
        (4,),
    ),
    "batch norm without statistics": (
        _chain(partial(nn.BatchNorm1d, 4, track_running_stats=False), _linear(4, 1)),
        (4,),
    ),
    "layer norm": (_chain(_linear(4, 5), partial(nn.LayerNorm, 5), _linear(5, 1)), (4,)),
    "group norm": (
        _chain(
            partial(nn.Conv1d, 2, 4, 3),
            partial(nn.GroupNorm, 2, 4),
            nn.ReLU,
            nn.Flatten,
            _linear(16, 1),
        ),
        (2, 6),
    ),
    "instance norm": (
        _chain(
            partial(nn.Conv1d, 2, 4, 3, bias=False),
            partial(nn.InstanceNorm1d, 4),
            nn.Flatten,
            _linear(16, 1),
        ),
        (2, 6),
    ),
    "convolutions": (
        _chain(
            partial(nn.Conv2d, 2, 4, 3, padding=1, groups=2),
            nn.SiLU,
            partial(nn.AvgPool2d, 2),
            partial(nn.Conv2d, 4, 3, 2, stride=2, padding_mode="circular", padding=1),
            partial(nn.AdaptiveAvgPool2d, 1),
            nn.Flatten,
            _linear(3, 1),
        ),
        (2, 6, 6),
    ),
    "linear on 3-d inputs": (_chain(_linear(2, 3), nn.Flatten, _linear(9, 1)), (3, 2)),
    "residual": (Residual, (4,)),
    "tied weights": (Tied, (4,)),
    "shared layer": (Shared, (4,)),
    "frozen weights": (build_frozen, (4,)),
    "unused weight": (Unused, (4,)),
    "odd parameters": (Scaled, (4,)),
    "buffers": (Buffered, (4,)),
    "chunks": (Chunked, (4,)),
    "training mode": (ModeDependent, (4,)),
}
"""The function that builds each network, and the shape of its inputs; it has one output."""
