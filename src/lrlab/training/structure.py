"""In what the runs of a block are alike, and the programs that this makes, each traced once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule

from lrlab.errors import TrainingError
from lrlab.problems import Problem
from lrlab.training.programs import Loss, Network, outputs_program, step_program, traced
from lrlab.training.reuse import reuse
from lrlab.training.rules import Kind

_PROGRAMS_KEPT = 64

_Shapes = tuple[tuple[torch.Size, torch.dtype], ...]


@dataclass(frozen=True)
class Structure:
    """What the programs of a block depend on, beside the shapes of its tensors.

    Args:
        kind: of the optimizers.
        coefficients: the names of the coefficients of a step, in order.
        device: where runs are trained.
        compiled: whether steps go through ``torch.compile``.
    """

    kind: Kind
    coefficients: tuple[str, ...]
    device: str
    compiled: bool

    def step(self, network: Network, loss: Loss, tensors: Sequence[Tensor]) -> GraphModule:
        """The program of one step with arguments like these.

        Raises:
            TrainingError: that cannot be done for many runs at once.
        """
        return _step(self, network, loss, _shapes(tensors))


def network_of(problem: Problem, x: Tensor, y: Tensor, device: str) -> Network:
    """The network of a problem as a function, for rows like these."""
    return _network(problem.model, problem.task.loss, _shapes((x, y)), device)


def outputs(network: Network, tensors: Sequence[Tensor]) -> GraphModule:
    """The program of the outputs of networks in evaluation, with arguments like these.

    Raises:
        TrainingError: that cannot be done for many runs at once.
    """
    return _outputs(network, _shapes(tensors))


# Blocks of a study are alike, so each of its processes traces the programs of the first one alone.


@lru_cache(_PROGRAMS_KEPT)
def _step(structure: Structure, network: Network, loss: Loss, shapes: _Shapes) -> GraphModule:
    network.module.train()
    program = step_program(network, loss, structure.kind.rule(), structure.coefficients)
    graph = _traced(program, shapes, network.device)
    if structure.compiled:
        graph.compile(dynamic=False)
        return graph
    return reuse(graph)


@lru_cache(_PROGRAMS_KEPT)
def _outputs(network: Network, shapes: _Shapes) -> GraphModule:
    network.module.eval()
    return _traced(outputs_program(network), shapes, network.device)


def _traced(program: Callable[..., Any], shapes: _Shapes, device: str) -> GraphModule:
    try:
        with torch.random.fork_rng(devices=[]):
            return traced(program, *_zeros(shapes, device))
    except (RuntimeError, NotImplementedError, ValueError, TypeError) as error:
        raise TrainingError(
            f"this network cannot be trained for many runs at once, because {_why(error)}; use "
            "the loop (--engine loop)."
        ) from error


def _why(error: Exception) -> str:
    said = str(error).strip().partition("\n")[0].rstrip(".").replace(";", ",")
    if "random" in said:
        return "it draws random numbers, as dropout does"
    if ".item()" in said or "control flow" in said:
        return "it or its loss looks at a number to decide what to do next"
    return f"torch says: {said[:300]}"


def _shapes(tensors: Sequence[Tensor]) -> _Shapes:
    return tuple((tensor.shape, tensor.dtype) for tensor in tensors)


def _zeros(shapes: _Shapes, device: str) -> list[Tensor]:
    """Tensors of these shapes, which no loss refuses and no embedding either."""
    return [torch.zeros(shape, dtype=dtype, device=device) for shape, dtype in shapes]


@lru_cache(_PROGRAMS_KEPT)
def _network(model: Callable[[], nn.Module], loss: Loss, shapes: _Shapes, device: str) -> Network:
    """A parameter that has no gradient is left alone by torch's optimizers, and so it is here."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        module = model()
        x, y = _zeros(shapes, "cpu")
        loss(module(x), y).backward()
    parameters, buffers = dict(module.named_parameters()), dict(module.named_buffers())
    trained = tuple(name for name, p in parameters.items() if p.grad is not None)
    kept = tuple(name for name in (*parameters, *buffers) if name not in trained)
    return Network(module.to(device).requires_grad_(False), trained, kept, device)
