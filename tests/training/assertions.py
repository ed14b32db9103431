"""Assertions that the ensemble gives the results of the loop."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lrlab.problems import Problem
from lrlab.training import Result, Run, ensemble, loop

WeightsAndResult = tuple[dict[str, Tensor], Result]


def assert_equals_loop(problem: Problem, runs: Sequence[Run]) -> list[Result]:
    """Assert that each run has the curve, score and weights in the ensemble that the loop gives.

    Returns:
        The results of the loop, so that tests can check that what they test has happened.
    """
    in_loop = [loop.train_and_get_model(problem, run) for run in runs]
    in_ensemble: list[WeightsAndResult] = ensemble.train_and_get_weights(problem, runs)
    for (model, expected), (weights, result) in zip(in_loop, in_ensemble, strict=True):
        assert_same_result(result, expected)
        if not expected.diverged:
            assert_same_weights(weights, model)
    return [result for _, result in in_loop]


def assert_same_result(result: Result, expected: Result) -> None:
    assert (result.diverged, result.diverged_at_step) == (
        expected.diverged,
        expected.diverged_at_step,
    )
    assert result.validation_dummy_score == expected.validation_dummy_score
    assert result.curve.values.shape == expected.curve.values.shape
    np.testing.assert_allclose(result.curve.values, expected.curve.values, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(result.test_score, expected.test_score, rtol=1e-10)


def assert_same_weights(weights: dict[str, Tensor], model: nn.Module) -> None:
    """Assert that weights are those of a model; shared weights may have one name only."""
    parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    expected = model.state_dict() | buffers
    assert {*parameters, *buffers} <= set(weights) <= set(expected)
    for name, weight in weights.items():
        scale = float(expected[name].abs().max()) if weight.numel() else 0.0
        torch.testing.assert_close(weight.detach(), expected[name], rtol=1e-10, atol=1e-10 * scale)
