"""In what the runs of a block are alike, and the programs that this makes, each traced once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule

from lrlab.errors import TrainingError
from lrlab.problems import Problem, streams
from lrlab.training.loop import fresh
from lrlab.training.programs import Network, outputs_program, step_program, traced
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

    def step(self, problem: Problem, tensors: Sequence[Tensor]) -> GraphModule:
        """The program of one step with arguments like these.

        Raises:
            TrainingError: the problem cannot be trained for many runs at once.
        """
        return _step(self, problem, _shapes(tensors))


def network(problem: Problem, device: str) -> Network:
    """The network of a problem as a function."""
    return _network(problem, device)


def outputs(problem: Problem, device: str, tensors: Sequence[Tensor]) -> GraphModule:
    """The program of the outputs of networks in evaluation, with arguments like these.

    Raises:
        TrainingError: that cannot be done for many runs at once.
    """
    return _outputs(problem, device, _shapes(tensors))


# Problems are told apart by identity. Blocks of a study are alike, so each of its processes traces
# the programs of the first one alone.


@lru_cache(_PROGRAMS_KEPT)
def _step(structure: Structure, problem: Problem, shapes: _Shapes) -> GraphModule:
    net = _network(problem, structure.device)
    net.module.train()
    program = step_program(net, problem.task.loss, structure.kind.rule(), structure.coefficients)
    graph = _traced(program, problem, shapes, structure.device)
    if structure.compiled:
        graph.compile(dynamic=False)
    return graph


@lru_cache(_PROGRAMS_KEPT)
def _outputs(problem: Problem, device: str, shapes: _Shapes) -> GraphModule:
    net = _network(problem, device)
    net.module.eval()
    return _traced(outputs_program(net), problem, shapes, device)


def _traced(
    program: Callable[..., Any], problem: Problem, shapes: _Shapes, device: str
) -> GraphModule:
    # Zeros, which no loss refuses and no embedding either.
    arguments = [torch.zeros(shape, dtype=dtype, device=device) for shape, dtype in shapes]
    try:
        with torch.random.fork_rng(devices=[]):
            return traced(program, *arguments)
    except (RuntimeError, NotImplementedError, ValueError, TypeError) as error:
        raise TrainingError(
            f"{problem.name} cannot be trained for many runs at once, because {_why(error)}; use "
            "the loop (--engine loop)."
        ) from error


def _why(error: Exception) -> str:
    said = str(error).strip().partition("\n")[0].rstrip(".").replace(";", ",")
    if "random" in said:
        return "its network draws random numbers, as dropout does"
    if ".item()" in said or "control flow" in said:
        return "its network or its loss looks at a number to decide what to do next"
    return f"torch says: {said[:300]}"


def _shapes(tensors: Sequence[Tensor]) -> _Shapes:
    return tuple((tensor.shape, tensor.dtype) for tensor in tensors)


@lru_cache(_PROGRAMS_KEPT)
def _network(problem: Problem, device: str) -> Network:
    """A parameter that has no gradient is left alone by torch's optimizers, and so it is here."""
    module = fresh(problem, streams(0).weights)
    split = problem.split(0)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        outputs = module(split.x_train[:16])
        problem.task.loss(outputs, split.y_train[:16]).backward()
    parameters, buffers = dict(module.named_parameters()), dict(module.named_buffers())
    trained = tuple(name for name, p in parameters.items() if p.grad is not None)
    kept = tuple(name for name in (*parameters, *buffers) if name not in trained)
    return Network(module.to(device).requires_grad_(False), trained, kept, device)
