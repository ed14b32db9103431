"""A dry run of one batch through model, loss and metric, to find mismatches before a study."""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor, nn

from lrlab.errors import ProblemError
from lrlab.problems.metrics import Task
from lrlab.problems.seeds import fork_seeded_rng
from lrlab.user_code import accepts_arguments, describe_error, locate_error

_BATCH_ROWS = 8
"""Rows of the batch; more than one, because batch normalization needs that."""

Result = TypeVar("Result")


def build_network(model: Any) -> nn.Module:
    """Build a network in training mode.

    Raises:
        ProblemError: ``model`` is a network, does not return one, or has nothing to train.
    """
    if isinstance(model, nn.Module):
        raise ProblemError(
            "the model must build a new network for every run, got a network, "
            f"{type(model).__name__}; give a function that returns one, def model(): return ..."
        )
    if not callable(model) or not accepts_arguments(model, 0):
        raise ProblemError(
            f"the model must be a function or a class without arguments, got {model!r}; give "
            "arguments with functools.partial."
        )
    with fork_seeded_rng(0):
        network = _call_user_code("the model cannot be built", model)
    if not isinstance(network, nn.Module):
        raise ProblemError(
            f"the model must return a torch.nn.Module, got {type(network).__name__}."
        )
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ProblemError("the model must have parameters to train, but none requires a gradient.")
    return network.train()


def compute_outputs(network: nn.Module, inputs: Tensor, name: str = "x") -> Tensor:
    """Compute the outputs of the first few rows.

    Args:
        network: the network.
        inputs: the rows.
        name: their name in errors.

    Raises:
        ProblemError: the network cannot take them, or does not return one output per row.
    """
    batch = inputs[:_BATCH_ROWS]
    batch_text = f"{str(batch.dtype).removeprefix('torch.')} of shape {tuple(batch.shape)}"
    with fork_seeded_rng(0):
        outputs = _call_user_code(
            f"the model cannot take a batch of {name}, {batch_text}", lambda: network(batch)
        )
    if not isinstance(outputs, Tensor) or outputs.dim() == 0 or len(outputs) != len(batch):
        got = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
        raise ProblemError(
            f"the model must return a tensor with one row for each of the {len(batch)} rows of a "
            f"batch, got {got}."
        )
    return outputs


def check_loss_and_metric(task: Task, network: nn.Module, inputs: Tensor, targets: Tensor) -> None:
    """Check that loss and metric take the outputs and targets.

    Raises:
        ProblemError: loss or metric fails, or does not return one number.
    """
    with fork_seeded_rng(0):
        outputs = network(inputs[:_BATCH_ROWS])
    shapes = (
        f"outputs of shape {tuple(outputs.shape)} and targets of shape "
        f"{(len(outputs), *targets.shape[1:])} ({str(targets.dtype).removeprefix('torch.')})"
    )
    y = targets[: len(outputs)]
    value = _call_user_code(f"the loss cannot take {shapes}", lambda: task.loss(outputs, y))
    if not isinstance(value, Tensor) or value.dim() != 0 or not value.requires_grad:
        got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ProblemError(
            f"the loss must return a tensor of one number computed from the outputs, got {got}; "
            "take the mean over the rows, with torch's functions."
        )
    _call_user_code("the loss cannot be minimized", value.backward)
    score = _call_user_code(
        f"the metric {task.metric.name} cannot take {shapes}",
        lambda: float(task.metric.fn(outputs.detach(), y)),
    )
    if not isinstance(score, float):
        raise ProblemError(f"the metric {task.metric.name} must return a number, got {score!r}.")


def _call_user_code(failure: str, call: Callable[[], Result]) -> Result:
    try:
        return call()
    except Exception as error:
        raise ProblemError(
            f"{failure} ({locate_error(error)}): {describe_error(error)}."
        ) from error
