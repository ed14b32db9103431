"""Comparing schedules in one call: the plan that a few words ask for, carried out."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from lrlab.dialects import parse
from lrlab.errors import ScheduleError, StudyError, did_you_mean
from lrlab.problems import AnyProblem, TrainingFunction, load
from lrlab.schedules import Schedule
from lrlab.schedules.numbers import real
from lrlab.studies.carrying import Watch, carry_out, unwatched
from lrlab.studies.defaults import default_schedules
from lrlab.studies.grid import MOMENTA, ONE_RATE, RATES, Grid, cross
from lrlab.studies.places import Cluster, Machine, Place
from lrlab.studies.plan import USUAL, Plan, Protocol, plan
from lrlab.studies.settling import AUTO, candidates, settle
from lrlab.studies.store import Store
from lrlab.studies.study import Study
from lrlab.training import Settings

HELD_OUT = 0.2
"""The share of the training rows that settings, or epochs, are chosen by."""

RAY = "ray"


def compare(
    problem: AnyProblem | str,
    schedules: Iterable[Schedule | str] | Schedule | str | None = None,
    *,
    lr: float | Sequence[float] | None = None,
    momentum: float | Sequence[float] | None = None,
    tune: bool = True,
    seeds: int = 30,
    tuning_seeds: int = 20,
    widenings: int = 3,
    score: str = "final",
    seed: int = 0,
    engine: str = AUTO,
    device: str = "cpu",
    compiled: bool = False,
    workers: int | None = None,
    memory: int | None = None,
    address: str | None = None,
    gpus: float = 0.0,
    db: str | Path | None = "lrlab.db",
    watch: Watch = unwatched,
    **settings: Any,
) -> Study:
    """Which schedule is best for a problem: each at its best settings, over the same fresh seeds.

    Every schedule is tried with the same grid of peak rates and momenta over the same tuning seeds;
    those settings are chosen which are best on rows held out of training; a schedule whose best
    rate is at the edge of the grid gets further ones; then each is run over fresh seeds and scored
    on test rows. What is stored in the database already is not trained again.

    Args:
        problem: what is trained, or the name or file of it as on the command line.
        schedules: one or several schedules, or their texts; about a dozen when left out. The
            constant rate is always among them.
        lr: the peak rates of the grid; ``RATES`` of the optimizer when left out. Not tuned, one:
            0.1 for SGD, 0.001 for the others.
        momentum: the momenta of the grid; 0 and 0.9 for SGD and RMSprop when left out. Not tuned,
            one: 0.
        tune: whether settings are chosen; if not, all schedules have the same.
        seeds, tuning_seeds, widenings, score, seed: the ``Protocol``.
        engine: ``"auto"`` (the faster one for this problem), ``"loop"`` (one run at a time),
            ``"ensemble"`` (many at once), or ``"ray"`` (as auto, on a Ray cluster).
        device: where runs are trained, by torch's name.
        compiled: whether the ensemble's steps go through ``torch.compile``.
        workers, memory: processes on this machine, and bytes that all may fill; see ``Machine``.
        address, gpus: of a Ray cluster; see ``Cluster``.
        db: where runs are stored; None for memory alone.
        watch: told of phases and runs as they go on.
        **settings: any other of ``Settings``, such as ``epochs``, ``batch_size``, ``optimizer``.

    Raises:
        StudyError: something that is asked for cannot be planned, stored or carried out.
        ProblemError, ScheduleError, TrainingError: what is asked for cannot be trained.

    >>> study = compare("iris", ["Cosine()"], tune=False, seeds=2, epochs=2, db=None)
    >>> len(study.finals)
    2
    """
    kind, place = place_of(engine, workers, memory, address, gpus)
    protocol = Protocol(seeds, tuning_seeds, widenings, score, seed)
    asked = planned(
        load(problem) if isinstance(problem, str) else problem,
        None if schedules is None else _schedules(schedules),
        rates=_several(lr),
        momenta=_several(momentum),
        tune=tune,
        protocol=protocol,
        **settings,
    )
    with Store(None if db is None else Path(db)) as store:
        settled, _ = settle(asked, store, candidates(kind, device, compiled), place)
        return carry_out(replace(asked, engine=settled), store, place, watch)


def planned(
    problem: AnyProblem,
    schedules: Sequence[Schedule] | None = None,
    *,
    rates: Sequence[float] | None = None,
    momenta: Sequence[float] | None = None,
    tune: bool = True,
    protocol: Protocol = USUAL,
    validation: float | None = None,
    shuffle: bool | None = None,
    **settings: Any,
) -> Plan:
    """The plan that these words ask for; what they leave out is as ``compare`` has it.

    Raises:
        StudyError: a setting has no such name, several rates are given though none is tuned, or
            there is nothing to compare.
        ScheduleError, TrainingError: what is asked for cannot be trained.
    """
    known = [field.name for field in fields(Settings)]
    for name in settings:
        if name not in known:
            raise StudyError(
                f"a study has no setting {name}{did_you_mean(name, known)}; they are "
                f"{', '.join(known)}."
            )
    chosen_by = tune or protocol.score == "best"
    common = Settings(
        **settings,
        shuffle=problem.shuffle if shuffle is None else shuffle,
        validation=(HELD_OUT if chosen_by else 0.0) if validation is None else validation,
    )
    grid = _grid(common, rates, momenta, tune)
    if len(grid) == 1 and validation is None and protocol.score == "final":
        grid = (replace(grid[0], validation=0.0),)
    chosen = _defaults(problem, common) if schedules is None else schedules
    asked = plan(problem, chosen, grid, protocol)
    if len(asked.schedules) == 1:
        raise StudyError(
            f"there is nothing to compare: {asked.schedules[0]} is what others are compared to; "
            "name another schedule."
        )
    return asked


def place_of(
    engine: str, workers: int | None, memory: int | None, address: str | None, gpus: float
) -> tuple[str, Place]:
    """The kind of engine that is asked for, and where its runs are trained.

    Raises:
        StudyError: what is for a cluster is said of this machine, or the other way round.
    """
    if engine == RAY:
        if workers is not None:
            raise StudyError(
                f"a Ray cluster trains with all its cores, got workers {workers}; leave it out."
            )
        return AUTO, Cluster(address, gpus, memory)
    if address is not None or gpus:
        raise StudyError(
            f"an address and GPUs are for Ray, but the engine is {engine}; say --engine ray."
        )
    return engine, Machine(workers, memory)


def _defaults(problem: AnyProblem, common: Settings) -> list[Schedule]:
    """Those that fit: a part of a schedule may have no step in a short training, and a training
    function may not hand a metric to its scheduler.
    """
    own = isinstance(problem, TrainingFunction)
    return [
        one
        for one in default_schedules(common)
        if not (own and one.reactive) and _fits(one, common, problem.train_rows)
    ]


def _fits(schedule: Schedule, settings: Settings, rows: int) -> bool:
    try:
        settings.bind(schedule, rows)
    except ScheduleError:
        return False
    return True


def _grid(
    common: Settings,
    rates: Sequence[float] | None,
    momenta: Sequence[float] | None,
    tune: bool,
) -> Grid:
    optimizer = common.optimizer
    if tune:
        return cross(common, rates or RATES[optimizer], momenta or MOMENTA[optimizer])
    grid = cross(common, rates or [ONE_RATE[optimizer]], momenta or [0.0])
    if len(grid) > 1:
        raise StudyError(
            f"where nothing is tuned there is one rate and one momentum, got {len(grid)} settings; "
            "leave out --no-tune (tune=False), or all but one."
        )
    return grid


def _schedules(some: Iterable[Schedule | str] | Schedule | str) -> list[Schedule]:
    every = [some] if isinstance(some, Schedule | str) else some
    return [parse(one) if isinstance(one, str) else one for one in every]


def _several(numbers: float | Sequence[float] | None) -> Sequence[float] | None:
    if numbers is None:
        return None
    one = real(numbers)
    return list(np.ravel(numbers)) if one is None else [one]
