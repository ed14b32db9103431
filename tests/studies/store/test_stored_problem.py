"""A problem of which only the facts are stored."""

import json

import pytest
import torch

from lrlab.errors import StudyError
from lrlab.problems import Trainable, load_problem
from lrlab.studies.store.stored_problem import StoredProblem, describe_problem
from lrlab.training import Run, Settings, train
from lrlab.training.engines import EnsembleEngine, LoopEngine
from tests.raising import raises

PROBLEM = load_problem("iris")
STORED = StoredProblem.from_facts(json.loads(json.dumps(describe_problem(PROBLEM))))


def test_its_facts_are_those_of_the_problem() -> None:
    assert isinstance(STORED, Trainable)
    assert describe_problem(STORED) == describe_problem(PROBLEM)
    assert STORED.metric.percent


@pytest.mark.parametrize("engine", [LoopEngine(), EnsembleEngine()], ids=str)
def test_it_cannot_be_trained(engine: LoopEngine | EnsembleEngine) -> None:
    run = Run(None, Settings(epochs=1), seed=0)
    for attempt in (lambda: engine.train(STORED, [run]), lambda: train(STORED, run)):
        with raises(StudyError, "neither data nor code"):
            attempt()


def test_its_metric_cannot_score() -> None:
    with raises(StudyError, "neither data nor code"):
        STORED.metric.fn(torch.zeros(2), torch.zeros(2))
