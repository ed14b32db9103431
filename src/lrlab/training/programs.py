"""Programs: what all runs of a block compute in a step, as functions that can be traced.

``torch.func`` makes the gradient of one network a gradient of many; tracing them into a flat list
of operations takes away what that would cost at every step.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch._decomp import get_decompositions
from torch.func import grad_and_value, vjp, vmap
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode

from lrlab.training.cleaning import simplify_graph
from lrlab.training.network import Criterion, Network
from lrlab.training.rules import UpdateRule, clip_gradients


def make_step_function(
    network: Network, loss: Criterion, update_rule: UpdateRule, coefficient_names: Sequence[str]
) -> Callable[..., Any]:
    """The function of one step of all runs.

    It takes the tensors of a stack, which it changes in place, inputs and targets of a batch, and
    the coefficients of these names (``clip`` among them if gradients are clipped); it returns the
    loss of every run and whether all its outputs were finite, of shape (seeds, runs of a seed).
    """

    def compute_gradients(
        trainable: list[Tensor], non_trainable: list[Tensor], y: Tensor, x: Tensor
    ) -> tuple[list[Tensor], list[Tensor], Tensor, Tensor]:
        vjp_result: Any = vjp(lambda held: network.call(held, non_trainable, x), trainable, has_aux=True)
        outputs, backward, non_trainable = vjp_result
        finite = (outputs - outputs).sum() == 0  # NaN for an output that is NaN or infinite
        # Some losses raise on such outputs, which would end the runs beside this one.
        output_gradient, loss_value = grad_and_value(loss)(torch.where(finite, outputs, 0), y)
        return backward(output_gradient)[0], non_trainable, loss_value, finite

    compute_all_gradients = _vmap_over_runs(compute_gradients, shared_args=1, per_run_args=3)

    def step(*tensors: Tensor) -> tuple[Tensor, Tensor]:
        trainable, non_trainable, optimizer_state, (x, y, *rest) = network.split_tensors(tensors, update_rule.state_count)
        step_coefficients = dict(zip(coefficient_names, rest, strict=True))
        gradients, new_non_trainable, losses, finite = compute_all_gradients(trainable, non_trainable, expand_targets(y, trainable[0]), x)
        if "clip" in step_coefficients:
            gradients = clip_gradients(gradients, step_coefficients["clip"])
        for parameter, gradient, state in zip(trainable, gradients, optimizer_state, strict=True):
            update_rule.update(parameter, gradient, state, step_coefficients)
        for old, new in zip(non_trainable, new_non_trainable, strict=True):
            old.copy_(new)
        return losses, finite

    return step


def make_outputs_function(network: Network) -> Callable[..., Tensor]:
    """The function of the outputs of all runs, of shape (seeds, runs of a seed, rows, ...).

    It takes what the networks are made of, trained and kept, and inputs.
    """

    def compute_run_outputs(trainable: list[Tensor], non_trainable: list[Tensor], x: Tensor) -> Tensor:
        return network.call(trainable, non_trainable, x)[0]

    compute_all_outputs = _vmap_over_runs(compute_run_outputs, shared_args=1, per_run_args=2)

    def compute_outputs(*tensors: Tensor) -> Any:
        trainable, non_trainable, _, (x,) = network.split_tensors(tensors, 0)
        return compute_all_outputs(trainable, non_trainable, x)

    return compute_outputs


def vectorize_criterion(criterion: Criterion) -> Callable[[Tensor, Tensor], Tensor]:
    """A loss or a metric of outputs of shape (seeds, runs of a seed, rows, ...) and the targets of
    each seed.
    """

    def compute_all(outputs: Tensor, targets: Tensor) -> Tensor:
        numbers: Tensor = _vmap_over_runs(criterion, shared_args=0, per_run_args=2)(outputs, expand_targets(targets, outputs))
        return numbers

    return compute_all


def expand_targets(targets: Tensor, stacked: Tensor) -> Tensor:
    """Targets of each seed as those of each of its runs, without a copy: torch's rules for losses
    of many runs want them so.
    """
    return targets[:, None].expand(*stacked.shape[:2], *targets.shape[1:])


def _vmap_over_runs(function: Callable[..., Any], shared_args: int, per_run_args: int) -> Callable[..., Any]:
    """First come arguments that every run has for itself, then those that a seed's runs share."""
    return vmap(vmap(function, in_dims=(*[0] * per_run_args, *[None] * shared_args)))


def trace_program(function: Callable[..., Any], *arguments: Tensor) -> GraphModule:
    """A program as the list of operations that it does with arguments of these shapes.

    Raises:
        RuntimeError: it does what cannot be done for many runs at once: it draws random numbers,
            say, or looks at a number to decide what to do next.
    """
    with _WideLinearMode(), _ignore_slow_vmap_warnings():
        graph = make_fx(function, decomposition_table=_get_softmax_decompositions())(*arguments)
    return simplify_graph(graph)


@cache
def _get_softmax_decompositions() -> Mapping[Any, Callable[..., Any]]:
    """Operations that are quicker in parts than as one.

    The classes of stacked outputs do not lie beside each other in memory, where softmax takes one
    number after the other; its parts take rows: a fifth less for a step of the digits.
    """
    softmax = torch.ops.aten._log_softmax
    backward = torch.ops.aten._log_softmax_backward_data
    found: Mapping[Any, Callable[..., Any]] = get_decompositions([softmax, backward])
    return found


@contextmanager
def _ignore_slow_vmap_warnings() -> Iterator[None]:
    """Where torch has no rule for many runs it does one after the other, and warns that it is slow;
    how slow is measured before an engine is chosen.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*batching rule.*", UserWarning)
        yield


class _WideLinearMode(TorchFunctionMode):
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
