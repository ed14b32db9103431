"""One batch tried before a study: does the model take the rows, does the loss take its outputs?"""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor, nn

from lrlab.errors import ProblemError
from lrlab.problems.code import place_of, told
from lrlab.problems.functions import takes
from lrlab.problems.seeds import drawing
from lrlab.problems.tasks import Task

_ROWS = 8
"""Of the batch; normalisation over a batch needs more than one."""

R = TypeVar("R")


def built(model: Any) -> nn.Module:
    """A network of a model, in training mode.

    Raises:
        ProblemError: it is a network already, gives none, or there is nothing to train.
    """
    if isinstance(model, nn.Module):
        raise ProblemError(
            "the model must build a fresh network for every run, got one network, "
            f"{type(model).__name__}; give a function that returns it, def model(): return ..."
        )
    if not callable(model) or not takes(model, 0):
        raise ProblemError(
            f"the model must be a function or a class without arguments, got {model!r}; give "
            "arguments with functools.partial."
        )
    with drawing(0):
        network = _tried("the model cannot be built", model)
    if not isinstance(network, nn.Module):
        raise ProblemError(
            f"the model must give a torch.nn.Module, got {type(network).__name__}; return one."
        )
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ProblemError("the model must have a parameter to train, got one without.")
    return network.train()


def outputs_of(network: nn.Module, inputs: Tensor) -> Tensor:
    """What the network gives for a few rows, one for each.

    Raises:
        ProblemError: it cannot take them, or gives something else.
    """
    batch = inputs[:_ROWS]
    kind = f"{str(batch.dtype).removeprefix('torch.')} of shape {tuple(batch.shape)}"
    with drawing(0):
        outputs = _tried(f"the model cannot take a batch of x, {kind}", lambda: network(batch))
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
    with drawing(0):
        outputs = network(inputs[:_ROWS])
    shapes = (
        f"outputs of shape {tuple(outputs.shape)} and targets of shape "
        f"{(len(outputs), *targets.shape[1:])} ({str(targets.dtype).removeprefix('torch.')})"
    )
    y = targets[: len(outputs)]
    value = _tried(f"the loss cannot take {shapes}", lambda: task.loss(outputs, y))
    if not isinstance(value, Tensor) or value.dim() != 0 or not value.requires_grad:
        got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ProblemError(
            f"the loss must give a tensor of one number that follows from the outputs, got {got}; "
            "take the mean over the rows, in torch's functions."
        )
    _tried("the loss cannot be minimised", value.backward)
    score = _tried(
        f"the metric {task.metric.name} cannot take {shapes}",
        lambda: float(task.metric.of(outputs.detach(), y)),
    )
    if not isinstance(score, float):
        raise ProblemError(f"the metric {task.metric.name} must give a number, got {score!r}.")


def _tried(what: str, call: Callable[[], R]) -> R:
    try:
        return call()
    except Exception as error:
        raise ProblemError(f"{what} ({place_of(error)}): {told(error)}.") from error
