"""One batch tried before a study: does the model take the rows, does the loss take its outputs?"""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor, nn

from lrlab.errors import ProblemError
from lrlab.problems.fingerprint import describe_error, locate_error
from lrlab.problems.functions import accepts_arguments
from lrlab.problems.metrics import Task
from lrlab.problems.seeds import fork_seeded_rng

_BATCH_ROWS = 8
"""Of the batch; normalisation over a batch needs more than one."""

R = TypeVar("R")


def build_network(model: Any) -> nn.Module:
    """A network of a model, in training mode.

    Raises:
        ProblemError: it is a network already, gives none, or there is nothing to train.
    """
    if isinstance(model, nn.Module):
        raise ProblemError(
            "the model must build a fresh network for every run, got one network, "
            f"{type(model).__name__}; give a function that returns it, def model(): return ..."
        )
    if not callable(model) or not accepts_arguments(model, 0):
        raise ProblemError(
            f"the model must be a function or a class without arguments, got {model!r}; give "
            "arguments with functools.partial."
        )
    with fork_seeded_rng(0):
        network = _call_or_refuse("the model cannot be built", model)
    if not isinstance(network, nn.Module):
        raise ProblemError(
            f"the model must give a torch.nn.Module, got {type(network).__name__}; return one."
        )
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ProblemError("the model must have a parameter to train, got one without.")
    return network.train()


def compute_outputs(network: nn.Module, inputs: Tensor) -> Tensor:
    """What the network gives for a few rows, one for each.

    Raises:
        ProblemError: it cannot take them, or gives something else.
    """
    batch = inputs[:_BATCH_ROWS]
    batch_text = f"{str(batch.dtype).removeprefix('torch.')} of shape {tuple(batch.shape)}"
    with fork_seeded_rng(0):
        outputs = _call_or_refuse(
            f"the model cannot take a batch of x, {batch_text}", lambda: network(batch)
        )
    if not isinstance(outputs, Tensor) or outputs.dim() == 0 or len(outputs) != len(batch):
        got = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
        raise ProblemError(
            f"the model must give a tensor with a row for each of the {len(batch)} rows of a "
            f"batch, got {got}."
        )
    return outputs


def refuse_untrainable(task: Task, network: nn.Module, inputs: Tensor, targets: Tensor) -> None:
    """Refuses a loss or a metric that outputs and targets do not suit.

    Raises:
        ProblemError: it fails, or gives what is no loss or no score.
    """
    with fork_seeded_rng(0):
        outputs = network(inputs[:_BATCH_ROWS])
    shapes = (
        f"outputs of shape {tuple(outputs.shape)} and targets of shape "
        f"{(len(outputs), *targets.shape[1:])} ({str(targets.dtype).removeprefix('torch.')})"
    )
    y = targets[: len(outputs)]
    value = _call_or_refuse(f"the loss cannot take {shapes}", lambda: task.loss(outputs, y))
    if not isinstance(value, Tensor) or value.dim() != 0 or not value.requires_grad:
        got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ProblemError(
            f"the loss must give a tensor of one number that follows from the outputs, got {got}; "
            "take the mean over the rows, in torch's functions."
        )
    _call_or_refuse("the loss cannot be minimised", value.backward)
    score = _call_or_refuse(
        f"the metric {task.metric.name} cannot take {shapes}",
        lambda: float(task.metric.fn(outputs.detach(), y)),
    )
    if not isinstance(score, float):
        raise ProblemError(f"the metric {task.metric.name} must give a number, got {score!r}.")


def _call_or_refuse(failure: str, call: Callable[[], R]) -> R:
    try:
        return call()
    except Exception as error:
        raise ProblemError(
            f"{failure} ({locate_error(error)}): {describe_error(error)}."
        ) from error
