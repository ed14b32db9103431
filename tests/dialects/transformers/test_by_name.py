"""transformers' names: of schedules, of arguments, and what mistakes are told."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch

from lrlab.dialects import transformers as ours
from lrlab.errors import ScheduleError
from tests.dialects.stepping import make_sgd
from tests.dialects.strangers import check_nonsense_is_refused
from tests.dialects.transformers.stepping import theirs


@pytest.mark.parametrize("kind", list(theirs.TYPE_TO_SCHEDULER_FUNCTION))
def test_get_scheduler_knows_every_name(kind: Any) -> None:
    extras: dict[str, dict[str, Any]] = {
        "cosine_with_restarts": {"num_cycles": 3},
        "cosine_with_min_lr": {"min_lr": 1e-3},
        "cosine_warmup_with_min_lr": {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2},
        "warmup_stable_decay": {"num_decay_steps": 40, "decay_type": "linear"},
        "reduce_lr_on_plateau": {"factor": 0.5, "patience": 3},
        "greedy": {"factor": 0.5, "patience": 3},
        "constant_with_warmup": {"ignored": 1},
        "constant": {"ignored": 1},
    }
    words = extras.get(kind.value)
    optimizer = make_sgd(0.1)
    scheduler = theirs.get_scheduler(kind, optimizer, 10, 150, words)
    schedule = ours.get_scheduler(kind.value, 10, 150, words)
    assert repr(ours.get_scheduler(kind, 10, 150, words)) == repr(schedule)
    state = schedule.init_state()
    for t in range(150):
        ruling = schedule.with_state(state)
        assert ruling(t, base=0.1) == pytest.approx(
            optimizer.param_groups[0]["lr"], rel=1e-12, abs=1e-13
        )
        optimizer.step()
        if schedule.needs_metric:
            scheduler.step(t % 7)
            state = schedule.update_state(state, t, t % 7, 0.1)
        else:
            scheduler.step()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cosin",), r"name must be one of linear, .* got 'cosin'; did you mean cosine\?"),
        ((3,), "name must be one of linear"),
        (("linear",), "linear needs num_warmup_steps, got None"),
        (("linear", 5), "linear needs num_training_steps, got None"),
        (("warmup_stable_decay", 5, 50), "needs num_decay_steps"),
        (("warmup_stable_decay", 5, None, {"num_decay_steps": 5}), "num_training_steps or num_st"),
        (("cosine", 5, 50, {"num_cycle": 2}), "may be num_cycles, got 'num_cycle'"),
        (("linear", 5, 50, {"last_epoch": 2}), "may be none, got 'last_epoch'"),
        (("inverse_sqrt", 5, 50, {"num_warmup_steps": 2}), "may be timescale, got 'num_warmup"),
        (("cosine_with_min_lr", 5, 50), "either min_lr or min_lr_rate must be given"),
        (("cosine_with_min_lr", 5, 50, {"min_lr": 0, "min_lr_rate": 0}), "either min_lr or"),
        (("cosine", 5, 50, {"num_cycles": 0}), "num_cycles must be a number above 0, got 0"),
        (("cosine_with_restarts", 5, 50, {"num_cycles": 1.5}), "whole number of 1 or more"),
        (("linear", -5, 50), "num_warmup_steps must be a number of 0 or more, got -5"),
        (("linear", 5, "50"), "num_training_steps must be a number of 0 or more, got '50'"),
        (("polynomial", 5, 50, {"lr_end": -1}), "must be a rate of 0 or more"),
        (("inverse_sqrt", 5, 50, {"timescale": 0}), "tau must be a duration above 0"),
        (("reduce_lr_on_plateau", None, None, {"factor": 1.0}), "factor must be"),
        (("greedy", None, None, {"reset_start": 1.5}), "reset_start must be a whole number"),
    ],
)
def test_mistakes(arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        ours.get_scheduler(*arguments)


def list_parameters(function: Callable[..., Any]) -> dict[str, Any]:
    left_out = {"self", "optimizer", "last_epoch", "verbose"}
    whole = inspect.signature(function).parameters
    return {name: p.default for name, p in whole.items() if name not in left_out}


def test_names_arguments_and_defaults_are_transformers_own() -> None:
    wholes = {
        "get_reduce_on_plateau_schedule": torch.optim.lr_scheduler.ReduceLROnPlateau,
        "get_greedy_schedule": theirs.GreedyLR,
    }
    known = [name for name in vars(theirs) if name.startswith("get_") and "sched" in name]
    assert sorted([*ours.__all__, "get_adafactor_schedule"]) == sorted(known)
    for name in ours.__all__:
        whole = wholes.get(name, getattr(theirs, name))
        mine, transformers = list_parameters(getattr(ours, name)), list_parameters(whole)
        assert list(mine.items()) == list(transformers.items())


@pytest.mark.parametrize("name", [name for name in ours.__all__ if name != "get_constant_schedule"])
def test_nonsense_is_refused_by_a_schedule_error(name: str) -> None:
    check_nonsense_is_refused(getattr(ours, name))
