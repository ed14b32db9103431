"""The entry point: ``compare`` runs a study of schedules; ``Study`` is its result and answer."""

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from lrlab._checks import to_finite_float
from lrlab.dialects import parse
from lrlab.errors import (
    ProblemError,
    ScheduleError,
    StudyError,
    format_suggestion,
    shorten_repr,
)
from lrlab.problems import Problem, Trainable, load_problem
from lrlab.schedules import Schedule
from lrlab.studies.execution.backends import Backend, Machine, RayCluster, parse_size
from lrlab.studies.execution.engine_selection import AUTO_ENGINE, list_engines, select_engine
from lrlab.studies.execution.runner import ProgressCallback, ignore_progress, run_study
from lrlab.studies.plan.defaults import build_default_schedules
from lrlab.studies.plan.grid import DEFAULT_LR, LR_GRIDS, MOMENTUM_GRIDS, Grid, build_grid
from lrlab.studies.plan.plan import DEFAULT_PROTOCOL, Plan, Protocol, build_plan
from lrlab.studies.store.sqlite import Store
from lrlab.studies.study import StudyResult
from lrlab.training import Settings
from lrlab.views.answer import write_answer
from lrlab.views.study_table import render_html

DEFAULT_VALIDATION_SIZE = 0.2
"""Fraction of the training rows used for validation, if settings or epochs are selected."""

RAY_ENGINE = "ray"


class Study(StudyResult):
    """A study with all its results and its answer."""

    @property
    def answer(self) -> str:
        """The answer in words, at most four lines."""
        return write_answer(self)

    def __repr__(self) -> str:
        return f"Study {self.plan.id} of {self.plan.problem.name}\n{self.answer}"

    def _repr_html_(self) -> str:
        """Show the answer and the table in a notebook."""
        return render_html(self)


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
    memory: str | int | None = None,
    address: str | None = None,
    gpus_per_run: float = 0.0,
    db: str | Path | None = "lrlab.db",
    progress: ProgressCallback = ignore_progress,
    **settings: Any,
) -> Study:
    """Compare schedules on a problem, each at its best settings, over the same fresh seeds.

    Every schedule tries the same grid of learning rates and momenta over the same tuning seeds; the
    settings that score best on validation rows are selected. For a schedule whose best learning
    rate is at the edge of the grid, the grid is extended. Each schedule then trains over fresh
    seeds and is scored on test rows. Runs that the database has already are not trained again.

    Args:
        problem: the problem, or its name or file as on the command line.
        schedules: one or several schedules or their texts; about a dozen if omitted. The constant
            rate is always among them.
        lr: peak learning rates of the grid; ``LR_GRIDS`` of the optimizer if omitted. Without
            tuning a single value: 0.1 for SGD, 0.001 for the others.
        momentum: momenta of the grid; 0 and 0.9 for SGD and RMSprop if omitted. Without tuning a
            single value: 0.
        tune: whether to tune the settings of each schedule; otherwise all have the same.
        seeds, tuning_seeds, grid_extensions, score, seed: see ``Protocol``.
        engine: ``"auto"`` (the faster one for this problem), ``"loop"`` (one run at a time),
            ``"ensemble"`` (many at once), or ``"ray"`` (as auto, on a Ray cluster).
        device: torch's name of the device that trains the runs.
        torch_compile: whether to compile the steps of the ensemble with ``torch.compile``.
        workers: number of processes on this machine; see ``Machine``.
        memory: memory that the ensemble may use, such as ``"2GB"`` or in bytes; see ``Machine``.
        address, gpus_per_run: of a Ray cluster; see ``RayCluster``.
        db: file that stores the runs; None for memory only.
        progress: called with every phase, and at the end of every run.
        **settings: other fields of ``Settings``, such as ``epochs``, ``batch_size``, ``optimizer``.

    Raises:
        StudyError: the study cannot be planned, stored or trained as requested.
        ProblemError, ScheduleError, TrainingError: the problem, a schedule or the settings are
            invalid.

    >>> study = compare("iris", ["Cosine()"], tune=False, seeds=2, epochs=2, db=None)
    >>> len(study.final_results)
    2
    """
    engine_kind, backend = resolve_backend(engine, workers, memory, address, gpus_per_run)
    protocol = Protocol(seeds, tuning_seeds, grid_extensions, score, seed)
    plan = plan_study(
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
            plan, store, list_engines(engine_kind, device, torch_compile), backend
        )
        result = run_study(replace(plan, engine=selected_engine), store, backend, progress)
    return Study(result.plan, result.phases, result.results, result.versions)


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
    """Return the plan of a study; defaults are those of ``compare``.

    Raises:
        StudyError: a setting does not exist, several learning rates are given without tuning, or
            there is nothing to compare.
        ProblemError: ``problem`` is not a problem.
        ScheduleError, TrainingError: a schedule or the settings are invalid for this problem.
    """
    if not isinstance(problem, Trainable):
        raise ProblemError(
            f"problem must be a Problem, a TrainingFunction or the name of a data set or file, got "
            f"{shorten_repr(problem)}; wrap a function of your own: "
            "TrainingFunction(train, metric=...)."
        )
    _check_setting_names(settings)
    needs_validation = tune or protocol.score == "best"
    default_size = DEFAULT_VALIDATION_SIZE if needs_validation else 0.0
    common = Settings(
        **settings,
        shuffle=problem.shuffle if shuffle is None else shuffle,
        validation_size=default_size if validation_size is None else validation_size,
    )
    grid = _build_lr_grid(common, lrs, momenta, tune)
    if len(grid) == 1 and validation_size is None and protocol.score == "final":
        grid = (replace(grid[0], validation_size=0.0),)
    compared = _select_default_schedules(problem, common) if schedules is None else schedules
    plan = build_plan(problem, compared, grid, protocol)
    if len(plan.schedules) == 1:
        raise StudyError(
            f"there is nothing to compare with the baseline {plan.schedules[0]}; name another "
            "schedule."
        )
    return plan


def resolve_backend(
    engine: str,
    workers: int | None,
    memory: str | int | None,
    address: str | None,
    gpus_per_run: float,
) -> tuple[str, Backend]:
    """Return the kind of engine and the backend that trains the runs.

    Raises:
        StudyError: an argument for a Ray cluster is given without it, or one for this machine
            with it, or the memory is not a size.
    """
    memory_bytes = parse_size(memory) if isinstance(memory, str) else memory
    if engine == RAY_ENGINE:
        if workers is not None:
            raise StudyError(
                f"a Ray cluster trains with all its cores, got workers {workers}; omit workers."
            )
        return AUTO_ENGINE, RayCluster(address, gpus_per_run, memory_bytes)
    if address is not None or gpus_per_run:
        raise StudyError(
            f"address and gpus_per_run are for a Ray cluster, but the engine is {engine}; choose "
            "--engine ray."
        )
    return engine, Machine(workers, memory_bytes)


def _check_setting_names(names: Iterable[str]) -> None:
    setting_names = [field.name for field in fields(Settings)]
    parameter_names = [
        parameter.name
        for parameter in inspect.signature(compare).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    table_options, array_options = (
        inspect.signature(method).parameters for method in (Problem.from_table, Problem.from_arrays)
    )
    for name in names:
        if name in setting_names:
            continue
        if name in table_options or name in array_options:
            call = "from_table(file" if name in table_options else "from_arrays(x, y, model"
            raise StudyError(
                f"a study has no setting {name}, it belongs to the data; compare "
                f"Problem.{call}, {name}=...)."
            )
        hint = format_suggestion(name, [*setting_names, *parameter_names])
        raise StudyError(
            f"a study has no setting {name}{hint or '; the settings are '}"
            f"{'' if hint else ', '.join(setting_names) + '.'}"
        )


def _select_default_schedules(problem: Trainable, settings: Settings) -> list[Schedule]:
    """Return the default schedules that fit the problem.

    In a short training a part of a schedule may get no step, and a training function may not report
    a metric to its scheduler.
    """
    return [
        schedule
        for schedule in build_default_schedules(settings)
        if (problem.feeds_metrics or not schedule.needs_metric)
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
            f"without tuning there must be one learning rate and one momentum, got {len(grid)} "
            "settings; drop --no-tune (tune=False) or all settings but one."
        )
    return grid


def _parse_schedules(schedules: Iterable[Schedule | str] | Schedule | str) -> list[Schedule]:
    items = [schedules] if isinstance(schedules, Schedule | str) else schedules
    if not isinstance(items, Iterable):
        raise ScheduleError(
            f"schedules must be schedules or their texts, got {shorten_repr(items)}; such as "
            '["Cosine()", "Linear(1, 0)"].'
        )
    return [parse(item) if isinstance(item, str) else item for item in items]


def _to_sequence(values: float | Sequence[float] | None) -> Sequence[float] | None:
    if values is None:
        return None
    value = to_finite_float(values)
    return np.ravel(values).tolist() if value is None else [value]
