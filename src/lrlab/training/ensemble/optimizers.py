"""The update rules of torch's optimizers on stacked parameters, with settings per run.

Parameters have shape (seeds, runs per seed, ...), coefficients (seeds, runs per seed). A rule
works in place and uses tensor operations only, so that it can be traced.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

HyperparameterValues = Mapping[str, NDArray[np.float64]]
"""Hyperparameters by name, each of shape (steps, runs)."""

Coefficients = Mapping[str, Tensor]
"""What a step computes from them, by name, each of shape (seeds, runs per seed)."""


@dataclass(frozen=True)
class OptimizerSpec:
    """What the optimizers of runs must share to have one update rule.

    Args:
        optimizer, nesterov, centered: see ``Settings``.
        nonzero: hyperparameters that are not 0 at every step of every run.
        scheduled: hyperparameters that have a schedule in some run.
    """

    optimizer: str
    nesterov: bool
    centered: bool
    nonzero: frozenset[str]
    scheduled: frozenset[str]

    def create_update_rule(self) -> "UpdateRule":
        """Create the update rule, before the first step."""
        return UPDATE_RULES[self.optimizer](self)


@dataclass
class UpdateRule(ABC):
    """Updates parameters by their gradients."""

    spec: OptimizerSpec

    @property
    @abstractmethod
    def state_count(self) -> int:
        """Number of state tensors per parameter, which are zeros at first."""

    @abstractmethod
    def compute_coefficients(
        self, values: HyperparameterValues, steps_done: int
    ) -> dict[str, NDArray[np.float64]]:
        """Compute what ``update`` needs at the next steps, each of shape (steps, runs).

        Args:
            values: the hyperparameters at these steps.
            steps_done: number of steps before them.
        """

    @abstractmethod
    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        state: Sequence[Tensor],
        coefficients: Coefficients,
    ) -> None:
        """Update one parameter in place."""


@dataclass
class SGD(UpdateRule):
    """``torch.optim.SGD``: with g the gradient plus weight decay, and at the first step b = g::

        b <- momentum * b + (1 - dampening) * g
        parameter <- parameter - lr * b          (Nesterov: g + momentum * b instead of b)

    While momentum is 0, b does not change and g is used instead.
    """

    _buffer_started: NDArray[np.bool_] | None = field(default=None, init=False)

    @property
    def state_count(self) -> int:
        return int("momentum" in self.spec.nonzero)

    def compute_coefficients(
        self, values: HyperparameterValues, steps_done: int
    ) -> dict[str, NDArray[np.float64]]:
        coefficients = {"lr": values["lr"]} | _select_if_nonzero(self, "weight_decay", values)
        if self.state_count:
            momentum = values["momentum"]
            active = np.logical_or.accumulate(momentum != 0)
            started = (
                np.zeros_like(active[0]) if self._buffer_started is None else self._buffer_started
            )
            started_before = np.concatenate([started[None], started | active[:-1]])
            gain = np.where(started_before & (momentum != 0), 1 - values["dampening"], 1.0)
            self._buffer_started = started | active[-1]
            coefficients |= {"momentum": momentum, "input_gain": gain}
        return coefficients

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        state: Sequence[Tensor],
        coefficients: Coefficients,
    ) -> None:
        gradient = _add_weight_decay(self, parameter, gradient, coefficients)
        if self.state_count:
            momentum = unsqueeze_like(coefficients["momentum"], parameter)
            increment = gradient
            if "dampening" in self.spec.nonzero:
                increment = gradient * unsqueeze_like(coefficients["input_gain"], parameter)
            direction = _apply_momentum(self, state[0], momentum, increment)
            gradient = gradient + momentum * direction if self.spec.nesterov else direction
        parameter.addcmul_(gradient, unsqueeze_like(coefficients["lr"], parameter), value=-1)


@dataclass
class Adam(UpdateRule):
    """``torch.optim.Adam`` and ``AdamW``: after t steps, with g the gradient::

        m <- m + (1 - beta1) * (g - m);    v <- v + (1 - beta2) * (g^2 - v)
        parameter <- parameter - lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)

    Weight decay is added to g, or for AdamW subtracted from the parameter first.
    """

    @property
    def state_count(self) -> int:
        return 2

    def compute_coefficients(
        self, values: HyperparameterValues, steps_done: int
    ) -> dict[str, NDArray[np.float64]]:
        beta1, beta2 = values["betas[0]"], values["betas[1]"]
        t = np.arange(steps_done + 1, steps_done + 1 + len(beta1))[:, None]
        root = np.sqrt(1 - beta2**t)
        decay = _select_if_nonzero(self, "weight_decay", values)
        if decay and self.spec.optimizer == "adamw":
            decay = {"decay_factor": 1 - values["lr"] * values["weight_decay"]}
        return {
            "1-beta1": 1 - beta1,
            "beta2": beta2,
            "1-beta2": 1 - beta2,
            "eps": values["eps"] * root,
            "step_size": values["lr"] / (1 - beta1**t) * root,
            **decay,
        }

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        state: Sequence[Tensor],
        coefficients: Coefficients,
    ) -> None:
        mean, square = state
        if self.spec.optimizer == "adam":
            gradient = _add_weight_decay(self, parameter, gradient, coefficients)
        elif "weight_decay" in self.spec.nonzero:
            parameter.mul_(unsqueeze_like(coefficients["decay_factor"], parameter))
        mean.lerp_(gradient, unsqueeze_like(coefficients["1-beta1"], parameter))
        _update_square_average(square, gradient, coefficients["beta2"], coefficients["1-beta2"])
        divisor = square.sqrt().add_(unsqueeze_like(coefficients["eps"], parameter))
        parameter.addcdiv_(
            mean * unsqueeze_like(coefficients["step_size"], parameter), divisor, value=-1
        )


@dataclass
class RMSprop(UpdateRule):
    """``torch.optim.RMSprop``: with g the gradient plus weight decay::

        v <- v + (1 - alpha) * (g^2 - v);    a <- a + (1 - alpha) * (g - a)
        d = g / (sqrt(v) + eps)              (centered: sqrt(v - a^2))
        b <- momentum * b + d;    parameter <- parameter - lr * b

    While momentum is 0, b does not change and d is used instead.
    """

    @property
    def state_count(self) -> int:
        return 1 + self.spec.centered + ("momentum" in self.spec.nonzero)

    def compute_coefficients(
        self, values: HyperparameterValues, steps_done: int
    ) -> dict[str, NDArray[np.float64]]:
        return {
            "lr": values["lr"],
            "alpha": values["alpha"],
            "1-alpha": 1 - values["alpha"],
            "eps": values["eps"],
            **_select_if_nonzero(self, "momentum", values),
            **_select_if_nonzero(self, "weight_decay", values),
        }

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        state: Sequence[Tensor],
        coefficients: Coefficients,
    ) -> None:
        gradient = _add_weight_decay(self, parameter, gradient, coefficients)
        square = state[0]
        _update_square_average(square, gradient, coefficients["alpha"], coefficients["1-alpha"])
        variance = square
        if self.spec.centered:
            state[1].lerp_(gradient, unsqueeze_like(coefficients["1-alpha"], parameter))
            variance = square - state[1] * state[1]
        divisor = variance.sqrt().add_(unsqueeze_like(coefficients["eps"], parameter))
        lr = unsqueeze_like(coefficients["lr"], parameter)
        if "momentum" in self.spec.nonzero:
            momentum = unsqueeze_like(coefficients["momentum"], parameter)
            parameter.addcmul_(
                _apply_momentum(self, state[-1], momentum, gradient / divisor), lr, value=-1
            )
        else:
            parameter.addcdiv_(gradient * lr, divisor, value=-1)


UPDATE_RULES: dict[str, type[UpdateRule]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": Adam,
    "rmsprop": RMSprop,
}


def clip_gradients(gradients: Sequence[Tensor], max_norms: Tensor) -> list[Tensor]:
    """Clip the gradients of each run by their norm, as ``torch.nn.utils.clip_grad_norm_`` does.

    Args:
        gradients: gradients of all parameters, shape (seeds, runs per seed, ...).
        max_norms: largest norm of each run, shape (seeds, runs per seed); infinite for no limit.
    """
    flat = [gradient.reshape(*gradient.shape[:2], -1) for gradient in gradients]
    norms = torch.stack([torch.linalg.vector_norm(row, dim=2) for row in flat])
    factor = (max_norms / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp(max=1.0)
    factor = torch.where(max_norms.isinf(), 1.0, factor)  # without a limit a norm may overflow
    return [gradient * unsqueeze_like(factor, gradient) for gradient in gradients]


def unsqueeze_like(coefficient: Tensor, parameter: Tensor) -> Tensor:
    """Reshape a coefficient of every run so that it broadcasts to a parameter."""
    return coefficient.reshape(*coefficient.shape, *[1] * (parameter.dim() - 2))


def _select_if_nonzero(
    update_rule: UpdateRule, name: str, values: HyperparameterValues
) -> dict[str, NDArray[np.float64]]:
    return {name: values[name]} if name in update_rule.spec.nonzero else {}


def _update_square_average(square: Tensor, gradient: Tensor, decay: Tensor, weight: Tensor) -> None:
    """Update an average of squares; a square that overflows makes it infinite, as in torch.

    ``lerp_`` would make it NaN.
    """
    weighted = gradient * unsqueeze_like(weight, gradient)
    square.mul_(unsqueeze_like(decay, square)).addcmul_(weighted, gradient)


def _apply_momentum(
    update_rule: UpdateRule, buffer: Tensor, momentum: Tensor, increment: Tensor
) -> Tensor:
    """Add to the momentum buffer, and return the direction of the step."""
    if "momentum" not in update_rule.spec.scheduled:
        return buffer.mul_(momentum).add_(increment)
    active = momentum != 0
    direction = buffer * momentum + increment
    buffer.copy_(torch.where(active, direction, buffer))
    return torch.where(active, direction, increment)


def _add_weight_decay(
    update_rule: UpdateRule, parameter: Tensor, gradient: Tensor, coefficients: Coefficients
) -> Tensor:
    if "weight_decay" not in update_rule.spec.nonzero:
        return gradient
    return torch.addcmul(
        gradient, parameter, unsqueeze_like(coefficients["weight_decay"], parameter)
    )
