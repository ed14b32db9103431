"""The update rules of torch's optimizers over stacked parameters, one setting per run.

Parameters have shape (seeds, runs of a seed, ...), coefficients (seeds, runs of a seed). A rule
works in place and is made of tensor operations alone, so that it can be traced.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Values = Mapping[str, NDArray[np.float64]]
"""Hyperparameters by name, each of shape (steps, runs)."""

Coefficients = Mapping[str, Tensor]
"""What a step needs of them by name, each of shape (seeds, runs of a seed)."""


@dataclass(frozen=True)
class Kind:
    """In what the optimizers of runs must be alike to follow one rule.

    Args:
        optimizer, nesterov, centered: as in ``Settings``.
        used: the hyperparameters that are not 0 throughout in all of the runs.
        moving: the hyperparameters that a schedule moves in one of them.
    """

    optimizer: str
    nesterov: bool
    centered: bool
    used: frozenset[str]
    moving: frozenset[str]

    def rule(self) -> "Rule":
        """Its rule, before the first step."""
        return RULES[self.optimizer](self)


@dataclass
class Rule(ABC):
    """How a step changes parameters by their gradients."""

    kind: Kind

    @property
    @abstractmethod
    def averages(self) -> int:
        """How many tensors like the parameter it keeps for each, zeros at first."""

    @abstractmethod
    def coefficients(self, values: Values, done: int) -> dict[str, NDArray[np.float64]]:
        """What ``update`` takes, each of shape (steps, runs), for the next steps of all runs.

        Args:
            values: the hyperparameters at those steps.
            done: how many steps have been taken before the first of them.
        """

    @abstractmethod
    def update(
        self, parameter: Tensor, gradient: Tensor, kept: Sequence[Tensor], c: Coefficients
    ) -> None:
        """One step of one parameter, in place."""


@dataclass
class SGD(Rule):
    """``torch.optim.SGD``: with g the gradient plus weight decay, and at the first step b = g::

        b <- momentum * b + (1 - dampening) * g
        parameter <- parameter - lr * b          (Nesterov: g + momentum * b in the place of b)

    While momentum is 0, b rests and g takes its place.
    """

    _begun: NDArray[np.bool_] | None = field(default=None, init=False)

    @property
    def averages(self) -> int:
        return int("momentum" in self.kind.used)

    def coefficients(self, values: Values, done: int) -> dict[str, NDArray[np.float64]]:
        found = {"lr": values["lr"]} | _only_if(self, "weight_decay", values)
        if self.averages:
            momentum = values["momentum"]
            on = np.logical_or.accumulate(momentum != 0)
            begun = np.zeros_like(on[0]) if self._begun is None else self._begun
            before = np.concatenate([begun[None], begun | on[:-1]])
            gain = np.where(before & (momentum != 0), 1 - values["dampening"], 1.0)
            self._begun = begun | on[-1]
            found |= {"momentum": momentum, "gain": gain}
        return found

    def update(
        self, parameter: Tensor, gradient: Tensor, kept: Sequence[Tensor], c: Coefficients
    ) -> None:
        gradient = _with_decay(self, parameter, gradient, c)
        if self.averages:
            momentum = like(c["momentum"], parameter)
            added = gradient
            if "dampening" in self.kind.used:
                added = gradient * like(c["gain"], parameter)
            moved = _moved(self, kept[0], momentum, added)
            gradient = gradient + momentum * moved if self.kind.nesterov else moved
        parameter.addcmul_(gradient, like(c["lr"], parameter), value=-1)


@dataclass
class Adam(Rule):
    """``torch.optim.Adam`` and ``AdamW``: after t steps, with g the gradient::

        m <- m + (1 - beta1) * (g - m);    v <- v + (1 - beta2) * (g^2 - v)
        parameter <- parameter - lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)

    Weight decay is added to g, or for AdamW taken off the parameter before.
    """

    @property
    def averages(self) -> int:
        return 2

    def coefficients(self, values: Values, done: int) -> dict[str, NDArray[np.float64]]:
        beta1, beta2 = values["betas[0]"], values["betas[1]"]
        t = np.arange(done + 1, done + 1 + len(beta1))[:, None]
        root = np.sqrt(1 - beta2**t)
        decay = _only_if(self, "weight_decay", values)
        if decay and self.kind.optimizer == "adamw":
            decay = {"shrink": 1 - values["lr"] * values["weight_decay"]}
        return {
            "1-beta1": 1 - beta1,
            "beta2": beta2,
            "1-beta2": 1 - beta2,
            "eps": values["eps"] * root,
            "size": values["lr"] / (1 - beta1**t) * root,
            **decay,
        }

    def update(
        self, parameter: Tensor, gradient: Tensor, kept: Sequence[Tensor], c: Coefficients
    ) -> None:
        mean, square = kept
        if self.kind.optimizer == "adam":
            gradient = _with_decay(self, parameter, gradient, c)
        elif "weight_decay" in self.kind.used:
            parameter.mul_(like(c["shrink"], parameter))
        mean.lerp_(gradient, like(c["1-beta1"], parameter))
        _average_squares(square, gradient, c["beta2"], c["1-beta2"])
        divisor = square.sqrt().add_(like(c["eps"], parameter))
        parameter.addcdiv_(mean * like(c["size"], parameter), divisor, value=-1)


@dataclass
class RMSprop(Rule):
    """``torch.optim.RMSprop``: with g the gradient plus weight decay::

        v <- v + (1 - alpha) * (g^2 - v);    a <- a + (1 - alpha) * (g - a)
        d = g / (sqrt(v) + eps)              (centered: sqrt(v - a^2))
        b <- momentum * b + d;    parameter <- parameter - lr * b

    While momentum is 0, b rests and d takes its place.
    """

    @property
    def averages(self) -> int:
        return 1 + self.kind.centered + ("momentum" in self.kind.used)

    def coefficients(self, values: Values, done: int) -> dict[str, NDArray[np.float64]]:
        return {
            "lr": values["lr"],
            "alpha": values["alpha"],
            "1-alpha": 1 - values["alpha"],
            "eps": values["eps"],
            **_only_if(self, "momentum", values),
            **_only_if(self, "weight_decay", values),
        }

    def update(
        self, parameter: Tensor, gradient: Tensor, kept: Sequence[Tensor], c: Coefficients
    ) -> None:
        gradient = _with_decay(self, parameter, gradient, c)
        square = kept[0]
        _average_squares(square, gradient, c["alpha"], c["1-alpha"])
        spread = square
        if self.kind.centered:
            kept[1].lerp_(gradient, like(c["1-alpha"], parameter))
            spread = square - kept[1] * kept[1]
        divisor, lr = spread.sqrt().add_(like(c["eps"], parameter)), like(c["lr"], parameter)
        if "momentum" in self.kind.used:
            momentum = like(c["momentum"], parameter)
            parameter.addcmul_(_moved(self, kept[-1], momentum, gradient / divisor), lr, value=-1)
        else:
            parameter.addcdiv_(gradient * lr, divisor, value=-1)


RULES: dict[str, type[Rule]] = {"sgd": SGD, "adam": Adam, "adamw": Adam, "rmsprop": RMSprop}


def clipped(gradients: Sequence[Tensor], most: Tensor) -> list[Tensor]:
    """Gradients shortened run by run, as ``torch.nn.utils.clip_grad_norm_`` does.

    Args:
        gradients: of all parameters, shape (seeds, runs of a seed, ...).
        most: the largest norm of each run, shape (seeds, runs of a seed); infinite for no limit.
    """
    flat = [gradient.reshape(*gradient.shape[:2], -1) for gradient in gradients]
    norms = torch.stack([torch.linalg.vector_norm(row, dim=2) for row in flat])
    factor = (most / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp(max=1.0)
    factor = torch.where(most.isinf(), 1.0, factor)  # a norm may overflow where there is no limit
    return [gradient * like(factor, gradient) for gradient in gradients]


def like(coefficient: Tensor, parameter: Tensor) -> Tensor:
    """A coefficient of every run in a shape that multiplies a parameter."""
    return coefficient.reshape(*coefficient.shape, *[1] * (parameter.dim() - 2))


def _only_if(rule: Rule, name: str, values: Values) -> dict[str, NDArray[np.float64]]:
    return {name: values[name]} if name in rule.kind.used else {}


def _average_squares(square: Tensor, gradient: Tensor, kept: Tensor, added: Tensor) -> None:
    """The average of squares moves on; a square that overflows makes it infinite, as torch's, where
    ``lerp_`` would make it NaN.
    """
    weighted = gradient * like(added, gradient)
    square.mul_(like(kept, square)).addcmul_(weighted, gradient)


def _moved(rule: Rule, buffer: Tensor, momentum: Tensor, added: Tensor) -> Tensor:
    """The direction that momentum makes of what is added to its buffer, which moves on."""
    if "momentum" not in rule.kind.moving:
        return buffer.mul_(momentum).add_(added)
    on = momentum != 0
    moved = buffer * momentum + added
    buffer.copy_(torch.where(on, moved, buffer))
    return torch.where(on, moved, added)


def _with_decay(rule: Rule, parameter: Tensor, gradient: Tensor, c: Coefficients) -> Tensor:
    if "weight_decay" not in rule.kind.used:
        return gradient
    return torch.addcmul(gradient, parameter, like(c["weight_decay"], parameter))
