"""What it means that the ensemble trains as the loop does."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lrlab.problems import Problem
from lrlab.training import Result, Run, ensemble, loop

Fitted = tuple[dict[str, Tensor], Result]


def assert_like_the_loop(problem: Problem, runs: Sequence[Run]) -> list[Result]:
    """Each run, trained with the others, has the curve, score and weights that it has alone.

    Returns:
        The results of the loop, for tests to check that what they are about has happened.
    """
    alone = [loop.train_and_get_model(problem, run) for run in runs]
    together: list[Fitted] = ensemble.train_and_get_weights(problem, runs)
    for (model, expected), (weights, result) in zip(alone, together, strict=True):
        assert_same_result(result, expected)
        if not expected.diverged:
            assert_same_weights(weights, model)
    return [result for _, result in alone]


def assert_same_result(result: Result, expected: Result) -> None:
    assert (result.diverged, result.diverged_at_step) == (
        expected.diverged,
        expected.diverged_at_step,
    )
    assert result.curve.values.shape == expected.curve.values.shape
    np.testing.assert_allclose(result.curve.values, expected.curve.values, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(result.test_score, expected.test_score, rtol=1e-10)


def assert_same_weights(weights: dict[str, Tensor], model: nn.Module) -> None:
    """Of shared weights, one name is enough."""
    parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    expected = model.state_dict() | buffers
    assert {*parameters, *buffers} <= set(weights) <= set(expected)
    for name, weight in weights.items():
        own = expected[name]
        whole = float(own.abs().max()) if own.numel() else 0.0
        torch.testing.assert_close(weight.detach(), own, rtol=1e-10, atol=1e-10 * whole)
