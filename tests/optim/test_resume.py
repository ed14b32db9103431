"""Resuming in any order of building and loading equals never having stopped."""

import copy
import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch.optim import Optimizer

import lrlab
from lrlab import (
    Absolute,
    Constant,
    Cosine,
    Exponential,
    Greedy,
    Linear,
    LRScheduler,
    Plateau,
    Warmup,
)
from tests.optim.factories import (
    BASE_LRS,
    GroupValues,
    make_optimizer,
    read_values,
    run_steps,
)
from tests.optim.torch_cases import CASES, LAST_STEP, Case

MORE_STEPS = 20
"""Steps after a stop."""


class Subject(NamedTuple):
    """A scheduler that is stopped and resumed."""

    name: str
    build: Callable[[Optimizer], Any]
    needs_metric: bool = False
    bend: int = 5


class Stop(NamedTuple):
    """The states at a stop, and what the optimizer used in the steps after it."""

    optimizer: dict[str, Any]
    scheduler: dict[str, Any]
    used: list[GroupValues]


def make_subject(name: str, *arguments: Any, needs_metric: bool = False, **options: Any) -> Subject:
    return Subject(
        name, lambda optimizer: LRScheduler(optimizer, *arguments, **options), needs_metric
    )


def make_torch_subject(case: Case) -> Subject:
    return Subject(case.name, case.plan.build_torch, case.needs_metric, case.bend)


SUBJECTS = [
    *(
        make_subject(case.name, case.plan.build_lrlab(), needs_metric=case.needs_metric)._replace(
            bend=case.bend
        )
        for case in CASES
    ),
    make_subject("a sequence", Warmup(5) >> Cosine(10, end=Absolute(0.001))),
    make_subject("a constant, then more", Constant(0.5, over=4) >> Exponential(0.9)),
    make_subject("a formula", lrlab.Formula("1 / (1 + 0.01*t)")),
    make_subject("a function", lrlab.Custom(lambda t: 0.95**t)),
    make_subject(
        "a plateau after a warm-up", Warmup(5) >> Plateau(0.5, patience=1), needs_metric=True
    ),
    make_subject("greedy", Greedy(0.5, patience=1, window=3), needs_metric=True),
    make_subject(
        "a plateau in one group",
        "Exponential(0.9)",
        groups={1: Plateau(0.5, patience=1, low=Absolute(0.01))},
        needs_metric=True,
    ),
    make_subject(
        "momentum and decay",
        "Linear(1, 0.5, over=9)",
        momentum="Linear(Absolute(0.85), Absolute(0.95), over=9)",
        weight_decay="Cosine(9, end=0.1)",
        groups={0: {"momentum": "Constant(Absolute(0.5), over=5) >> Constant(1)"}},
    ),
]

ORDERS = {
    "construct, optimizer, scheduler": "cos",
    "construct, scheduler, optimizer": "cso",
    "optimizer, construct, scheduler": "ocs",
    "scheduler only": "cs",
    "construct, optimizer without initial lrs, scheduler": "cOs",
    "construct, scheduler, optimizer without initial lrs": "csO",
    "optimizer without initial lrs, construct, scheduler": "Ocs",
}

OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "SGD": lambda: make_optimizer(*BASE_LRS, weight_decay=0.01),
    "Adam with tensors": lambda: make_optimizer(
        *map(torch.tensor, BASE_LRS), kind=torch.optim.Adam, weight_decay=0.01
    ),
}


def stop_training(
    subject: Subject, make: Callable[[], Optimizer], stop: int, more_steps: int = MORE_STEPS
) -> Stop:
    optimizer = make()
    scheduler = subject.build(optimizer)
    run_steps(optimizer, scheduler, subject.needs_metric, 0, stop)
    states = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    return Stop(
        *states, run_steps(optimizer, scheduler, subject.needs_metric, stop, stop + more_steps)
    )


def resume(
    subject: Subject, make: Callable[[], Optimizer], order: str, at: Stop
) -> tuple[Optimizer, Any]:
    optimizer = make()
    for action in order:
        if action == "c":
            scheduler = subject.build(optimizer)
        elif action == "s":
            scheduler.load_state_dict(copy.deepcopy(at.scheduler))
        else:
            state = copy.deepcopy(at.optimizer)
            for group in state["param_groups"] if action == "O" else ():
                for key in [key for key in group if key.startswith("initial_")]:
                    del group[key]
            optimizer.load_state_dict(state)
    return optimizer, scheduler


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_resuming_in_any_order_equals_an_uninterrupted_training(
    subject: Subject, make: Callable[[], Optimizer], order: str
) -> None:
    for stop in (0, 1, subject.bend, LAST_STEP + 5):
        at = stop_training(subject, make, stop)
        optimizer, scheduler = resume(subject, make, order, at)
        assert read_values(optimizer) == at.used[0]
        assert (
            run_steps(optimizer, scheduler, subject.needs_metric, stop, stop + MORE_STEPS)
            == at.used
        )


@pytest.mark.parametrize(
    ("order", "fails"), [("cos", False), ("cso", False), ("ocs", True), ("cs", True)]
)
def test_torchs_schedulers_resume_wrongly_in_some_orders(order: str, fails: bool) -> None:
    wrong, make, stop = [], OPTIMIZERS["SGD"], 6
    for subject in map(make_torch_subject, CASES):
        at = stop_training(subject, make, stop, LAST_STEP - stop)
        optimizer, scheduler = resume(subject, make, order, at)
        if run_steps(optimizer, scheduler, subject.needs_metric, stop, LAST_STEP) != at.used:
            wrong.append(subject.name)
    assert bool(wrong) == fails


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
@pytest.mark.parametrize("file_format", ["torch", "json"])
def test_a_state_survives_its_file(subject: Subject, file_format: str) -> None:
    make = OPTIMIZERS["SGD"]
    at = stop_training(subject, make, 7)
    if file_format == "json":
        state = json.loads(json.dumps(at.scheduler))
    else:
        file = io.BytesIO()
        torch.save(at.scheduler, file)
        file.seek(0)
        state = torch.load(file, weights_only=True)
        assert state == at.scheduler
    optimizer, scheduler = resume(subject, make, "cs", at._replace(scheduler=state))
    assert scheduler.state_dict() == at.scheduler
    assert run_steps(optimizer, scheduler, subject.needs_metric, 7, 7 + MORE_STEPS) == at.used


def test_resuming_by_last_epoch() -> None:
    subject = make_subject("a line", Linear(1.0, 0.5, over=30))
    at = stop_training(subject, make_optimizer, 7)
    optimizer = make_optimizer()
    optimizer.load_state_dict(at.optimizer)
    scheduler = LRScheduler(optimizer, Linear(1.0, 0.5, over=30), last_epoch=6)
    assert run_steps(optimizer, scheduler, False, 7, 7 + MORE_STEPS) == at.used
