"""Resuming: every class of torch, in any order of building and loading, is never having stopped."""

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
from tests.optim.cases import CASES, LAST, RATES, Case, Held, held, optimizer_of, steps

MORE = 20
"""Steps after a stop."""


class Subject(NamedTuple):
    """What is stopped and resumed."""

    name: str
    build: Callable[[Optimizer], Any]
    metrics: bool = False
    bend: int = 5


class Stop(NamedTuple):
    """The states at a stop, and what the optimizer used in the steps after it."""

    optimizer: dict[str, Any]
    scheduler: dict[str, Any]
    used: list[Held]


def ours(name: str, *arguments: Any, metrics: bool = False, **words: Any) -> Subject:
    return Subject(name, lambda optimizer: LRScheduler(optimizer, *arguments, **words), metrics)


def of_torch(case: Case) -> Subject:
    return Subject(case.name, case.plan.build_torch, case.metrics, case.bend)


SUBJECTS = [
    *(
        ours(case.name, case.plan.build_lrlab(), metrics=case.metrics)._replace(bend=case.bend)
        for case in CASES
    ),
    ours("a sequence", Warmup(5) >> Cosine(10, end=Absolute(0.001))),
    ours("a constant, then more", Constant(0.5, over=4) >> Exponential(0.9)),
    ours("a formula", lrlab.Formula("1 / (1 + 0.01*t)")),
    ours("a function", lrlab.Custom(lambda t: 0.95**t)),
    ours("a plateau after a warm-up", Warmup(5) >> Plateau(0.5, patience=1), metrics=True),
    ours("greedy", Greedy(0.5, patience=1, window=3), metrics=True),
    ours(
        "a plateau in one group",
        "Exponential(0.9)",
        groups={1: Plateau(0.5, patience=1, low=Absolute(0.01))},
        metrics=True,
    ),
    ours(
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
    "construct, optimizer without initial rates, scheduler": "cOs",
    "construct, scheduler, optimizer without initial rates": "csO",
    "optimizer without initial rates, construct, scheduler": "Ocs",
}

OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "SGD": lambda: optimizer_of(*RATES, weight_decay=0.01),
    "Adam with tensors": lambda: optimizer_of(
        *map(torch.tensor, RATES), kind=torch.optim.Adam, weight_decay=0.01
    ),
}


def stopped(subject: Subject, new: Callable[[], Optimizer], stop: int, more: int = MORE) -> Stop:
    optimizer = new()
    scheduler = subject.build(optimizer)
    steps(optimizer, scheduler, subject.metrics, 0, stop)
    states = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    return Stop(*states, steps(optimizer, scheduler, subject.metrics, stop, stop + more))


def resumed(
    subject: Subject, new: Callable[[], Optimizer], order: str, at: Stop
) -> tuple[Optimizer, Any]:
    optimizer = new()
    for act in order:
        if act == "c":
            scheduler = subject.build(optimizer)
        elif act == "s":
            scheduler.load_state_dict(copy.deepcopy(at.scheduler))
        else:
            state = copy.deepcopy(at.optimizer)
            for group in state["param_groups"] if act == "O" else ():
                for key in [key for key in group if key.startswith("initial_")]:
                    del group[key]
            optimizer.load_state_dict(state)
    return optimizer, scheduler


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
@pytest.mark.parametrize("new", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_resuming_in_any_order_is_never_having_stopped(
    subject: Subject, new: Callable[[], Optimizer], order: str
) -> None:
    for stop in (0, 1, subject.bend, LAST + 5):
        at = stopped(subject, new, stop)
        optimizer, scheduler = resumed(subject, new, order, at)
        assert held(optimizer) == at.used[0]
        assert steps(optimizer, scheduler, subject.metrics, stop, stop + MORE) == at.used


@pytest.mark.parametrize(
    ("order", "fails"), [("cos", False), ("cso", False), ("ocs", True), ("cs", True)]
)
def test_torchs_own_schedulers_fail_where_building_or_loading_is_out_of_order(
    order: str, fails: bool
) -> None:
    wrong, new, stop = [], OPTIMIZERS["SGD"], 6
    for subject in map(of_torch, CASES):
        at = stopped(subject, new, stop, LAST - stop)
        optimizer, scheduler = resumed(subject, new, order, at)
        if steps(optimizer, scheduler, subject.metrics, stop, LAST) != at.used:
            wrong.append(subject.name)
    assert bool(wrong) == fails


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
@pytest.mark.parametrize("format", ["torch", "json"])
def test_a_state_survives_its_file(subject: Subject, format: str) -> None:
    new = OPTIMIZERS["SGD"]
    at = stopped(subject, new, 7)
    if format == "json":
        state = json.loads(json.dumps(at.scheduler))
    else:
        file = io.BytesIO()
        torch.save(at.scheduler, file)
        file.seek(0)
        state = torch.load(file, weights_only=True)
        assert state == at.scheduler
    optimizer, scheduler = resumed(subject, new, "cs", at._replace(scheduler=state))
    assert scheduler.state_dict() == at.scheduler
    assert steps(optimizer, scheduler, subject.metrics, 7, 7 + MORE) == at.used


def test_resuming_by_last_epoch() -> None:
    subject = ours("a line", Linear(1.0, 0.5, over=30))
    at = stopped(subject, optimizer_of, 7)
    optimizer = optimizer_of()
    optimizer.load_state_dict(at.optimizer)
    scheduler = LRScheduler(optimizer, Linear(1.0, 0.5, over=30), last_epoch=6)
    assert steps(optimizer, scheduler, False, 7, 7 + MORE) == at.used
