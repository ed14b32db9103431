"""In what the runs of a block are alike, and the programs that this makes, each traced once."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from lrlab.errors import TrainingError
from lrlab.training.network import IdentityKey, Criterion, Network, Shapes, get_shapes, make_zeros
from lrlab.training.program import Program
from lrlab.training.programs import vectorize_criterion, make_outputs_function, make_step_function, trace_program
from lrlab.training.rules import OptimizerSpec

_MAX_CACHED_PROGRAMS = 64


@dataclass(frozen=True)
class StepSpec:
    """What the programs of a block depend on, beside the shapes of its tensors.

    Args:
        optimizer: of the optimizers.
        coefficient_names: the names of the coefficients of a step, in order.
        torch_compile: whether steps go through ``torch.compile``.
    """

    optimizer: OptimizerSpec
    coefficient_names: tuple[str, ...]
    torch_compile: bool

    def get_program(self, network: Network, loss: Criterion, tensors: Sequence[Tensor]) -> Program:
        """The program of one step with arguments like these.

        Raises:
            TrainingError: that cannot be done for many runs at once.
        """
        return _trace_step(self, network, IdentityKey(loss), get_shapes(tensors))


def get_outputs_program(network: Network, tensors: Sequence[Tensor]) -> Program:
    """The program of the outputs of networks in evaluation, with arguments like these.

    Raises:
        TrainingError: that cannot be done for many runs at once.
    """
    return _trace_outputs(network, get_shapes(tensors))


def get_criterion_program(criterion: Criterion, tensors: Sequence[Tensor]) -> Program:
    """The program of a loss or a metric of all runs: of outputs of shape (seeds, runs of a seed,
    rows, ...) and the targets of each seed.

    Raises:
        TrainingError: that cannot be done for many runs at once.
    """
    shapes = get_shapes(tensors)
    return _trace_criterion(IdentityKey(criterion), shapes, str(tensors[0].device), _fingerprint_criterion(criterion, shapes))


# Blocks of a study are alike, so each of its processes traces the programs of the first one alone.


@lru_cache(_MAX_CACHED_PROGRAMS)
def _trace_step(spec: StepSpec, network: Network, loss: IdentityKey, shapes: Shapes) -> Program:
    network.module.train()
    program = make_step_function(network, loss.function, spec.optimizer.create_update_rule(), spec.coefficient_names)
    return _create_program(program, shapes, network.device, spec.torch_compile)


@lru_cache(_MAX_CACHED_PROGRAMS)
def _trace_outputs(network: Network, shapes: Shapes) -> Program:
    network.module.eval()
    return _create_program(make_outputs_function(network), shapes, network.device)


@lru_cache(_MAX_CACHED_PROGRAMS)
def _trace_criterion(criterion_key: IdentityKey, shapes: Shapes, device: str, fingerprint: str) -> Program:
    return _create_program(vectorize_criterion(criterion_key.function), shapes, device)


def _fingerprint_criterion(criterion: Criterion, shapes: Shapes) -> str:
    """A number by which it shows that a function is no more what it was, by what it looks up."""
    (outputs, outputs_dtype), (targets, targets_dtype) = shapes
    sample_outputs = torch.linspace(0, 1, outputs[2:].numel(), dtype=outputs_dtype).reshape(outputs[2:])
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")  # of a metric that asks more of targets than zeros have
        try:
            return repr(float(criterion(sample_outputs, torch.zeros(targets[1:], dtype=targets_dtype))))
        except (RuntimeError, ValueError, TypeError):
            return ""


def _create_program(
    function: Callable[..., Any], shapes: Shapes, device: str, torch_compile: bool = False
) -> Program:
    try:
        with torch.random.fork_rng(devices=[]):
            program = Program(trace_program(function, *make_zeros(shapes, device)), torch_compile)
            if torch_compile:
                program.run(*make_zeros(shapes, device))  # which is when torch compiles
        return program
    except Exception as error:  # whatever it is: where it is the network's own, the loop shows it
        raise TrainingError(
            f"this network cannot be trained for many runs at once, because {_explain_failure(error)}; use "
            "the loop (--engine loop; lrlab.training.train in Python)."
        ) from error


def _explain_failure(error: Exception) -> str:
    message = str(error).strip().partition("\n")[0].rstrip(".").replace(";", ",")
    if "random" in message:
        return "it draws random numbers, as dropout does"
    if ".item()" in message or "control flow" in message:
        return "it or its loss looks at a number to decide what to do next"
    return f"torch says: {message[:300]}"
