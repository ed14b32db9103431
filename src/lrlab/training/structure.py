"""In what the runs of a block are alike, and the programs that this makes, each traced once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule

from lrlab.errors import TrainingError
from lrlab.training.network import Loss, Network, Shapes, shapes_of, zeros
from lrlab.training.programs import outputs_program, step_program, traced
from lrlab.training.reuse import reuse
from lrlab.training.rules import Kind

_PROGRAMS_KEPT = 64


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
        return _step(self, network, loss, shapes_of(tensors))


def outputs(network: Network, tensors: Sequence[Tensor]) -> GraphModule:
    """The program of the outputs of networks in evaluation, with arguments like these.

    Raises:
        TrainingError: that cannot be done for many runs at once.
    """
    return _outputs(network, shapes_of(tensors))


# Blocks of a study are alike, so each of its processes traces the programs of the first one alone.


@lru_cache(_PROGRAMS_KEPT)
def _step(structure: Structure, network: Network, loss: Loss, shapes: Shapes) -> GraphModule:
    network.module.train()
    program = step_program(network, loss, structure.kind.rule(), structure.coefficients)
    graph = _traced(program, shapes, network.device)
    if structure.compiled:
        graph.compile(dynamic=False)
        return graph
    return reuse(graph)


@lru_cache(_PROGRAMS_KEPT)
def _outputs(network: Network, shapes: Shapes) -> GraphModule:
    network.module.eval()
    return _traced(outputs_program(network), shapes, network.device)


def _traced(program: Callable[..., Any], shapes: Shapes, device: str) -> GraphModule:
    try:
        with torch.random.fork_rng(devices=[]):
            return traced(program, *zeros(shapes, device))
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
