"""Programs: what all runs of a block compute in a step, as functions that can be traced.

``torch.func`` makes the gradient of one network a gradient of many; tracing them into a flat list
of operations takes away what that would cost at every step.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import grad_and_value, vjp, vmap
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode

from lrlab.training.cleaning import clean
from lrlab.training.network import Loss, Network
from lrlab.training.rules import Rule, clipped


def step_program(
    network: Network, loss: Loss, rule: Rule, coefficients: Sequence[str]
) -> Callable[..., Any]:
    """The function of one step of all runs.

    It takes the tensors of a stack, which it changes in place, inputs and targets of a batch, and
    the coefficients of these names (``clip`` among them if gradients are clipped); it returns the
    loss of every run and whether all its outputs were finite, of shape (seeds, runs of a seed).
    """

    def of_run(
        trained: list[Tensor], kept: list[Tensor], y: Tensor, x: Tensor
    ) -> tuple[list[Tensor], list[Tensor], Tensor, Tensor]:
        run: Any = vjp(lambda held: network.call(held, kept, x), trained, has_aux=True)
        outputs, pull, kept = run
        fine = (outputs - outputs).sum() == 0  # NaN for an output that is NaN or infinite
        # Some losses raise on such outputs, which would end the runs beside this one.
        slope, number = grad_and_value(loss)(torch.where(fine, outputs, 0), y)
        return pull(slope)[0], kept, number, fine

    of_all_runs = _for_all_runs(of_run, shared=1, own=3)

    def step(*tensors: Tensor) -> tuple[Tensor, Tensor]:
        trained, kept, averages, (x, y, *rest) = network.parted(tensors, rule.averages)
        c = dict(zip(coefficients, rest, strict=True))
        gradients, after, losses, fine = of_all_runs(trained, kept, own(y, trained[0]), x)
        if "clip" in c:
            gradients = clipped(gradients, c["clip"])
        for parameter, gradient, held in zip(trained, gradients, averages, strict=True):
            rule.update(parameter, gradient, held, c)
        for before, now in zip(kept, after, strict=True):
            before.copy_(now)
        return losses, fine

    return step


def outputs_program(network: Network) -> Callable[..., Tensor]:
    """The function of the outputs of all runs, of shape (seeds, runs of a seed, rows, ...).

    It takes what the networks are made of, trained and kept, and inputs.
    """

    def outputs_of(trained: list[Tensor], kept: list[Tensor], x: Tensor) -> Tensor:
        return network.call(trained, kept, x)[0]

    outputs_of_all = _for_all_runs(outputs_of, shared=1, own=2)

    def outputs(*tensors: Tensor) -> Any:
        trained, kept, _, (x,) = network.parted(tensors, 0)
        return outputs_of_all(trained, kept, x)

    return outputs


def for_all_runs(function: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """A loss or a metric of outputs of shape (seeds, runs of a seed, rows, ...) and the targets of
    each seed.
    """

    def of_all(outputs: Tensor, targets: Tensor) -> Tensor:
        numbers: Tensor = _for_all_runs(function, shared=0, own=2)(outputs, own(targets, outputs))
        return numbers

    return of_all


def own(targets: Tensor, stacked: Tensor) -> Tensor:
    """Targets of each seed as those of each of its runs, without a copy: torch's rules for losses
    of many runs want them so.
    """
    return targets[:, None].expand(*stacked.shape[:2], *targets.shape[1:])


def _for_all_runs(function: Callable[..., Any], shared: int, own: int) -> Callable[..., Any]:
    """First come arguments that every run has for itself, then those that a seed's runs share."""
    return vmap(vmap(function, in_dims=(*[0] * own, *[None] * shared)))


def traced(program: Callable[..., Any], *arguments: Tensor) -> GraphModule:
    """A program as the list of operations that it does with arguments of these shapes.

    Raises:
        RuntimeError: it does what cannot be done for many runs at once: it draws random numbers,
            say, or looks at a number to decide what to do next.
    """
    with _WideProducts(), _slow_rules_are_fine():
        graph = make_fx(program)(*arguments)
    return clean(graph)


@contextmanager
def _slow_rules_are_fine() -> Iterator[None]:
    """Where torch has no rule for many runs it does one after the other, and warns that it is slow;
    how slow is measured before an engine is chosen.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*batching rule.*", UserWarning)
        yield


class _WideProducts(TorchFunctionMode):
    """Writes linear layers so that the runs that share their inputs make one wide product.

    With W of shape (runs, outputs, inputs) and x of shape (rows, inputs), W x^T is one product of a
    matrix of runs * outputs rows; x W^T would be a small one for every run.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function is nn.functional.linear and not kwargs and args[0].dim() == 2:
            x, weight, *bias = args
            product = weight @ x.mT
            if bias and bias[0] is not None:
                product = product + bias[0][:, None]
            return product.mT
        return function(*args, **(kwargs or {}))
