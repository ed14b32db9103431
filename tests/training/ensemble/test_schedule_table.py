"""Schedules in the ensemble: of every kind, of every hyperparameter, and metric-driven ones."""

from dataclasses import dataclass, replace

import pytest

from lrlab import (
    Absolute,
    Constant,
    Cosine,
    Custom,
    Exponential,
    Formula,
    Greedy,
    Linear,
    Plateau,
    Schedule,
    Warmup,
    parse,
)
from lrlab.training import Run, Settings
from lrlab.training.ensemble import schedule_table
from lrlab.views.gallery import list_examples
from tests.training.assertions import assert_equals_loop
from tests.training.factories import (
    OPTIMIZERS,
    make_digits_problem,
    make_tutorial_problem,
)

pytestmark = pytest.mark.slow

SHORT = Settings(epochs=3, batch_size=11)
BASIC = Settings(epochs=3, batch_size=16)


def test_schedules_read_a_metric_to_maximize() -> None:
    max_plateau = Plateau(0.2, patience=0, mode="max", threshold=0.2)
    settings = replace(SHORT, validation_size=0.25, epochs=6)
    runs = [
        Run(schedule, replace(settings, step_every=step_every), seed)
        for step_every in ("epoch", "step")
        for schedule in (max_plateau, Warmup(1) >> max_plateau, Plateau(patience=0), None)
        for seed in (0, 1)
    ]
    results = assert_equals_loop(make_digits_problem(), runs)
    assert len({float(result.curve[-1].lr_end) for result in results}) >= 3


def test_without_validation_rows_the_training_loss_is_read() -> None:
    schedules = (
        Plateau(0.5, patience=0, threshold=0.2),
        Greedy(0.5, patience=0) * Exponential(0.9),
        None,
    )
    results = assert_equals_loop(
        make_digits_problem(), [Run(s, SHORT, seed) for s in schedules for seed in (0, 1)]
    )
    assert results[0].curve[-1].lr_end < results[4].curve[-1].lr_end < results[2].curve[-1].lr_end


@pytest.mark.parametrize("step_every", ["epoch", "step"])
@pytest.mark.parametrize(
    ("optimizer", "schedules"),
    [
        # Torch starts its momentum buffer at the first step with momentum.
        ("sgd, momentum", {"momentum": Formula("t >= 2")}),
        ("sgd, dampening", {"momentum": Formula("t >= 2"), "dampening": Linear(1, 2, over=3)}),
        # And does not change it in steps without momentum.
        ("sgd, momentum", {"momentum": Formula("1 - (t >= 1) * (t < 3)")}),
        ("sgd, dampening", {"momentum": Formula("1 - (t >= 1) * (t < 3)")}),
        ("sgd, nesterov", {"momentum": Formula("1 - 0.7 * t / 10")}),
        ("sgd, weight decay", {"weight_decay": Formula("t % 2"), "momentum": Linear(1, 0, over=3)}),
        ("sgd", {"weight_decay": Linear(Absolute(0.0), Absolute(0.1), over=4)}),
        ("adam", {"betas[0]": Linear(1.1, 0.0, over=4), "betas[1]": Linear(0.5, 1.0, over=4)}),
        ("adam", {"momentum": Cosine(), "weight_decay": Exponential(0.5), "eps": Linear(1, 1e4)}),
        ("adamw", {"weight_decay": Formula("t % 2"), "beta2": Linear(0.5, 1, over=3)}),
        ("adamw", {"weight_decay": Plateau(0.5, patience=0, threshold=0.3)}),
        ("rmsprop", {"alpha": Linear(0.3, 1, over=4), "weight_decay": Constant(Absolute(0.1))}),
        ("rmsprop, centered", {"momentum": Linear(1, 0.1, over=5), "alpha": Cosine(end=0.5)}),
    ],
)
def test_other_hyperparameters_have_schedules(
    optimizer: str, schedules: dict[str, Schedule], step_every: str
) -> None:
    settings = replace(SHORT, **OPTIMIZERS[optimizer], step_every=step_every)
    runs = [
        Run(schedule, settings, seed, hyperparameter_schedules)
        for hyperparameter_schedules in (schedules, {})
        for schedule in (None, Warmup(1) >> Cosine())
        for seed in (0, 1)
    ]
    results = assert_equals_loop(make_tutorial_problem(), runs)
    for scheduled, plain in zip(results[:4], results[4:], strict=True):
        assert scheduled.curve != plain.curve


@pytest.mark.parametrize("optimizer", ["sgd, nesterov", "adamw", "rmsprop, centered"])
def test_a_learning_rate_may_be_zero_at_some_steps(optimizer: str) -> None:
    settings = replace(SHORT, **OPTIMIZERS[optimizer], step_every="step")
    schedules = (Formula("(t + 1) % 2"), Formula("t >= 4"), Warmup(4, start=0.0))
    assert_equals_loop(
        make_tutorial_problem(), [Run(schedule, settings, 0) for schedule in schedules]
    )


@pytest.mark.parametrize("step_every", ["epoch", "step"])
def test_schedules_are_computed_a_few_steps_ahead(
    step_every: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule_table, "PRECOMPUTED_STEPS", 4)
    settings = replace(BASIC, validation_size=0.25, step_every=step_every, epochs=7)
    schedules = (Plateau(0.5, patience=0, threshold=0.3), Greedy(0.5, patience=1), Cosine())
    assert_equals_loop(
        make_digits_problem(), [Run(s, settings, seed) for s in schedules for seed in (0, 1)]
    )


def test_all_schedules_of_the_gallery_train_together() -> None:
    examples = [example for group in list_examples().values() for example in group]
    schedules = [example.schedule or parse(example.text) for example in examples]
    settings = replace(BASIC, lr=1e-3, step_every="step")
    assert_equals_loop(
        make_digits_problem(), [Run(schedule, settings, 0) for schedule in schedules]
    )


def test_schedules_may_be_functions_without_a_hash() -> None:
    @dataclass
    class Decay:
        slope: float

        def __call__(self, t: float) -> float:
            return 1 / (1 + self.slope * t)

    runs = [Run(Custom(Decay(slope)), BASIC, 0) for slope in (0.1, 1.0)]
    assert_equals_loop(make_digits_problem(), runs)
