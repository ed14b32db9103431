"""Comparing schedules in one call: the plan that a few words ask for, carried out."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lrlab._checks import to_finite_float
from lrlab.dialects import parse
from lrlab.errors import ScheduleError, StudyError, format_suggestion
from lrlab.problems import Trainable, TrainingFunction, load_problem
from lrlab.schedules import Schedule
from lrlab.studies.execution.backends import Backend, Machine, RayCluster
from lrlab.studies.execution.engine_selection import AUTO_ENGINE, list_engines, select_engine
from lrlab.studies.execution.runner import ProgressCallback, ignore_progress, run_study
from lrlab.studies.plan.defaults import build_default_schedules
from lrlab.studies.plan.grid import DEFAULT_LR, LR_GRIDS, MOMENTUM_GRIDS, Grid, build_grid
from lrlab.studies.plan.plan import DEFAULT_PROTOCOL, Plan, Protocol, build_plan
from lrlab.studies.store.sqlite import Store
from lrlab.studies.study import StudyResult
from lrlab.training import Settings
from lrlab.views.answer import describe_verdict, write_answer
from lrlab.views.study_html import to_html

DEFAULT_VALIDATION_SIZE = 0.2
"""The share of the training rows that settings, or epochs, are chosen by."""

RAY_ENGINE = "ray"


class Study(StudyResult):
    """A study with all its results, its answer and its table."""

    @property
    def answer(self) -> str:
        """The answer in words, at most four lines."""
        return write_answer(self.comparison)

    @property
    def table(self) -> pd.DataFrame:
        """The comparison with verdicts: a row for each schedule, by rank."""
        verdicts = [describe_verdict(row) for row in self.comparison.rows]
        return super().table.assign(verdict=verdicts)

    def __repr__(self) -> str:
        return f"Study {self.plan.id} of {self.plan.problem.name}\n{self.answer}"

    def _repr_html_(self) -> str:
        """Show the answer and the table in a notebook."""
        return to_html(self)


def compare(
    problem: Trainable | str,
    schedules: Iterable[Schedule | str] | Schedule | str | None = None,
    *,
    lr: float | Sequence[float] | None = None,
    momentum: float | Sequence[float] | None = None,
    tune: bool = True,
    seeds: int = 30,
    tuning_seeds: int = 20,
    grid_extensions: int = 3,
    score: str = "final",
    seed: int = 0,
    engine: str = AUTO_ENGINE,
    device: str = "cpu",
    torch_compile: bool = False,
    workers: int | None = None,
    memory: int | None = None,
    address: str | None = None,
    gpus_per_run: float = 0.0,
    db: str | Path | None = "lrlab.db",
    progress: ProgressCallback = ignore_progress,
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
        lr: the peak rates of the grid; ``LR_GRIDS`` of the optimizer when left out. Not tuned, one:
            0.1 for SGD, 0.001 for the others.
        momentum: the momenta of the grid; 0 and 0.9 for SGD and RMSprop when left out. Not tuned,
            one: 0.
        tune: whether settings are chosen; if not, all schedules have the same.
        seeds, tuning_seeds, grid_extensions, score, seed: the ``Protocol``.
        engine: ``"auto"`` (the faster one for this problem), ``"loop"`` (one run at a time),
            ``"ensemble"`` (many at once), or ``"ray"`` (as auto, on a Ray cluster).
        device: where runs are trained, by torch's name.
        torch_compile: whether the ensemble's steps go through ``torch.compile``.
        workers, memory: processes on this machine, and bytes that all may fill; see ``Machine``.
        address, gpus_per_run: of a Ray cluster; see ``RayCluster``.
        db: where runs are stored; None for memory alone.
        progress: told of phases and runs as they go on.
        **settings: any other of ``Settings``, such as ``epochs``, ``batch_size``, ``optimizer``.

    Raises:
        StudyError: something that is asked for cannot be planned, stored or carried out.
        ProblemError, ScheduleError, TrainingError: what is asked for cannot be trained.

    >>> study = compare("iris", ["Cosine()"], tune=False, seeds=2, epochs=2, db=None)
    >>> len(study.final_results)
    2
    """
    engine_kind, backend = resolve_backend(engine, workers, memory, address, gpus_per_run)
    protocol = Protocol(seeds, tuning_seeds, grid_extensions, score, seed)
    study_plan = plan_study(
        load_problem(problem) if isinstance(problem, str) else problem,
        None if schedules is None else _parse_schedules(schedules),
        lrs=_to_sequence(lr),
        momenta=_to_sequence(momentum),
        tune=tune,
        protocol=protocol,
        **settings,
    )
    with Store(None if db is None else Path(db)) as store:
        selected_engine, _ = select_engine(
            study_plan, store, list_engines(engine_kind, device, torch_compile), backend
        )
        result = run_study(replace(study_plan, engine=selected_engine), store, backend, progress)
    return Study(result.plan, result.phases, result.results)


def plan_study(
    problem: Trainable,
    schedules: Sequence[Schedule] | None = None,
    *,
    lrs: Sequence[float] | None = None,
    momenta: Sequence[float] | None = None,
    tune: bool = True,
    protocol: Protocol = DEFAULT_PROTOCOL,
    validation_size: float | None = None,
    shuffle: bool | None = None,
    **settings: Any,
) -> Plan:
    """The plan that these words ask for; what they leave out is as ``compare`` has it.

    Raises:
        StudyError: a setting has no such name, several rates are given though none is tuned, or
            there is nothing to compare.
        ScheduleError, TrainingError: what is asked for cannot be trained.
    """
    setting_names = [field.name for field in fields(Settings)]
    for name in settings:
        if name not in setting_names:
            raise StudyError(
                f"a study has no setting {name}{format_suggestion(name, setting_names)}; they are "
                f"{', '.join(setting_names)}."
            )
    needs_validation = tune or protocol.score == "best"
    common = Settings(
        **settings,
        shuffle=problem.shuffle if shuffle is None else shuffle,
        validation_size=(DEFAULT_VALIDATION_SIZE if needs_validation else 0.0)
        if validation_size is None
        else validation_size,
    )
    grid = _build_lr_grid(common, lrs, momenta, tune)
    if len(grid) == 1 and validation_size is None and protocol.score == "final":
        grid = (replace(grid[0], validation_size=0.0),)
    compared = _select_default_schedules(problem, common) if schedules is None else schedules
    study_plan = build_plan(problem, compared, grid, protocol)
    if len(study_plan.schedules) == 1:
        raise StudyError(
            f"there is nothing to compare: {study_plan.schedules[0]} is what others are compared to; "
            "name another schedule."
        )
    return study_plan


def resolve_backend(
    engine: str, workers: int | None, memory: int | None, address: str | None, gpus_per_run: float
) -> tuple[str, Backend]:
    """The kind of engine that is asked for, and where its runs are trained.

    Raises:
        StudyError: what is for a cluster is said of this machine, or the other way round.
    """
    if engine == RAY_ENGINE:
        if workers is not None:
            raise StudyError(
                f"a Ray cluster trains with all its cores, got workers {workers}; leave it out."
            )
        return AUTO_ENGINE, RayCluster(address, gpus_per_run, memory)
    if address is not None or gpus_per_run:
        raise StudyError(
            f"an address and GPUs are for Ray, but the engine is {engine}; say --engine ray."
        )
    return engine, Machine(workers, memory)


def _select_default_schedules(problem: Trainable, settings: Settings) -> list[Schedule]:
    """Those that fit: a part of a schedule may have no step in a short training, and a training
    function may not hand a metric to its scheduler.
    """
    is_training_function = isinstance(problem, TrainingFunction)
    return [
        schedule
        for schedule in build_default_schedules(settings)
        if not (is_training_function and schedule.needs_metric)
        and _can_bind(schedule, settings, problem.train_rows)
    ]


def _can_bind(schedule: Schedule, settings: Settings, train_rows: int) -> bool:
    try:
        settings.bind(schedule, train_rows)
    except ScheduleError:
        return False
    return True


def _build_lr_grid(
    common: Settings,
    lrs: Sequence[float] | None,
    momenta: Sequence[float] | None,
    tune: bool,
) -> Grid:
    optimizer = common.optimizer
    if tune:
        return build_grid(common, lrs or LR_GRIDS[optimizer], momenta or MOMENTUM_GRIDS[optimizer])
    grid = build_grid(common, lrs or [DEFAULT_LR[optimizer]], momenta or [0.0])
    if len(grid) > 1:
        raise StudyError(
            f"where nothing is tuned there is one rate and one momentum, got {len(grid)} settings; "
            "leave out --no-tune (tune=False), or all but one."
        )
    return grid


def _parse_schedules(schedules: Iterable[Schedule | str] | Schedule | str) -> list[Schedule]:
    items = [schedules] if isinstance(schedules, Schedule | str) else schedules
    return [parse(item) if isinstance(item, str) else item for item in items]


def _to_sequence(values: float | Sequence[float] | None) -> Sequence[float] | None:
    if values is None:
        return None
    value = to_finite_float(values)
    return list(np.ravel(values)) if value is None else [value]
