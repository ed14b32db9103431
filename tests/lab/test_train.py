"""One training: it is the run that its arguments describe."""

import inspect
from dataclasses import fields

import pytest

from lrlab import Cosine, ScheduleError, TrainingError
from lrlab.cli.study_options import parse_betas
from lrlab.cli.train import train as command
from lrlab.lab import Epoch, plan_training
from lrlab.problems import load_problem
from lrlab.training import Run, Settings, train
from tests.raising import raises


def test_a_training_is_a_run() -> None:
    epochs: list[Epoch] = []
    planned = plan_training("iris", "Cosine()", lr=0.3, momentum=0.9, seed=3, epochs=2)
    result = planned.train(epochs.append)
    run = Run(Cosine(), Settings(lr=0.3, momentum=0.9, epochs=2), seed=3)
    assert planned.run == run
    assert result.curve == train(load_problem("iris"), run).curve
    assert list(result.curve) == epochs


def test_defaults_are_those_of_settings_and_of_the_command_line() -> None:
    parameters = inspect.signature(plan_training).parameters
    options = inspect.signature(command).parameters
    for name in options.keys() & parameters.keys() - {"betas"}:
        assert options[name].default == parameters[name].default
    assert parse_betas(options["betas"].default) == parameters["betas"].default
    assert parameters.keys() - options.keys() == {"problem"}
    for field in fields(Settings):
        default = parameters[field.name].default if field.name in parameters else None
        if default is not None:
            assert default == getattr(Settings(), field.name)
    assert plan_training("iris").run == Run(None, Settings(), seed=0)
    assert plan_training("iris", optimizer="Adam").run.settings.lr == 0.001


def test_a_likely_mistake_is_warned_of() -> None:
    (warning,) = plan_training("iris", "Formula('0.1/(1+0.01*t)')").warnings
    assert "twice" in warning
    assert plan_training("iris").warnings == ()


@pytest.mark.parametrize(
    ("options", "error", "mention"),
    [
        ({"schedule": "Cosin()"}, ScheduleError, "Cosine"),
        ({"optimizer": "lion"}, TrainingError, "lion"),
        ({"seed": -1}, TrainingError, "-1"),
    ],
)
def test_mistakes_are_refused(options: dict, error: type[Exception], mention: str) -> None:
    with raises(error, mention):
        plan_training("iris", **options)
