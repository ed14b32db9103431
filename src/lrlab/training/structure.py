"""In what the runs of a block are alike, and the programs that this makes, each traced once."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from lrlab.errors import TrainingError
from lrlab.training.network import Itself, Loss, Network, Shapes, shapes_of, zeros
from lrlab.training.program import Program
from lrlab.training.programs import for_all_runs, outputs_program, step_program, traced
from lrlab.training.rules import Kind

_PROGRAMS_KEPT = 64


@dataclass(frozen=True)
class Structure:
    """What the programs of a block depend on, beside the shapes of its tensors.

    Args:
        kind: of the optimizers.
        coefficients: the names of the coefficients of a step, in order.
        compiled: whether steps go through ``torch.compile``.
    """

    kind: Kind
    coefficients: tuple[str, ...]
    compiled: bool

    def step(self, network: Network, loss: Loss, tensors: Sequence[Tensor]) -> Program:
        """The program of one step with arguments like these.

        Raises:
            TrainingError: that cannot be done for many runs at once.
        """
        return _step(self, network, Itself(loss), shapes_of(tensors))


def outputs(network: Network, tensors: Sequence[Tensor]) -> Program:
    """The program of the outputs of networks in evaluation, with arguments like these.

    Raises:
        TrainingError: that cannot be done for many runs at once.
    """
    return _outputs(network, shapes_of(tensors))


def judging(function: Loss, tensors: Sequence[Tensor]) -> Program:
    """The program of a loss or a metric of all runs: of outputs of shape (seeds, runs of a seed,
    rows, ...) and the targets of each seed.

    Raises:
        TrainingError: that cannot be done for many runs at once.
    """
    shapes = shapes_of(tensors)
    return _judging(Itself(function), shapes, str(tensors[0].device), _sample(function, shapes))


# Blocks of a study are alike, so each of its processes traces the programs of the first one alone.


@lru_cache(_PROGRAMS_KEPT)
def _step(structure: Structure, network: Network, loss: Itself, shapes: Shapes) -> Program:
    network.module.train()
    program = step_program(network, loss.function, structure.kind.rule(), structure.coefficients)
    return _traced(program, shapes, network.device, structure.compiled)


@lru_cache(_PROGRAMS_KEPT)
def _outputs(network: Network, shapes: Shapes) -> Program:
    network.module.eval()
    return _traced(outputs_program(network), shapes, network.device)


@lru_cache(_PROGRAMS_KEPT)
def _judging(function: Itself, shapes: Shapes, device: str, sample: str) -> Program:
    return _traced(for_all_runs(function.function), shapes, device)


def _sample(function: Loss, shapes: Shapes) -> str:
    """A number by which it shows that a function is no more what it was, by what it looks up."""
    (outputs, kind), (targets, other) = shapes
    some = torch.linspace(0, 1, outputs[2:].numel(), dtype=kind).reshape(outputs[2:])
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")  # of a metric that asks more of targets than zeros have
        try:
            return repr(float(function(some, torch.zeros(targets[1:], dtype=other))))
        except (RuntimeError, ValueError, TypeError):
            return ""


def _traced(
    function: Callable[..., Any], shapes: Shapes, device: str, compiled: bool = False
) -> Program:
    try:
        with torch.random.fork_rng(devices=[]):
            program = Program(traced(function, *zeros(shapes, device)), compiled)
            if compiled:
                program.run(*zeros(shapes, device))  # which is when torch compiles
        return program
    except Exception as error:  # whatever it is: where it is the network's own, the loop shows it
        raise TrainingError(
            f"this network cannot be trained for many runs at once, because {_why(error)}; use "
            "the loop (--engine loop; lrlab.training.train in Python)."
        ) from error


def _why(error: Exception) -> str:
    said = str(error).strip().partition("\n")[0].rstrip(".").replace(";", ",")
    if "random" in said:
        return "it draws random numbers, as dropout does"
    if ".item()" in said or "control flow" in said:
        return "it or its loss looks at a number to decide what to do next"
    return f"torch says: {said[:300]}"
