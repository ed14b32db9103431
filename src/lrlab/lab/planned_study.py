"""``compare`` runs a study; ``plan_study`` plans it; ``resume_study`` continues a stopped one."""

import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lrlab._checks import to_finite_float
from lrlab.dialects.parser import ScheduleInput, parse_schedules
from lrlab.errors import (
    ScheduleError,
    StudyError,
    StudyWarning,
    find_stacklevel,
)
from lrlab.lab.inputs import ProblemInput, find_warnings, load_problem_input
from lrlab.lab.stored_studies import DatabaseFile, find_study
from lrlab.lab.study import Study, load_study
from lrlab.problems import Metric, ProblemSource, Trainable
from lrlab.schedules import Schedule
from lrlab.studies.execution.backends import Backend, Machine, RayCluster, parse_size
from lrlab.studies.execution.engine_selection import AUTO_ENGINE, list_engines, select_engine
from lrlab.studies.execution.estimate import CostEstimate, estimate_cost, time_run_step
from lrlab.studies.execution.runner import Progress, ProgressCallback, run_study
from lrlab.studies.plan.defaults import build_default_schedules
from lrlab.studies.plan.grid import Grid, build_grid
from lrlab.studies.plan.phases import plan_first_phase
from lrlab.studies.plan.plan import Plan, Protocol, build_plan
from lrlab.studies.statistics import time_to_target
from lrlab.studies.store.reader import ReadableStore, StoreReader
from lrlab.studies.store.schema import FINAL_PHASE
from lrlab.studies.store.sqlite import Store
from lrlab.studies.study import restore_plan
from lrlab.training import OPTIMIZERS, Settings
from lrlab.training.engines import keep_freed_memory
from lrlab.training.probing import EngineChoice, EngineReason
from lrlab.views.hints import DEFAULT_DB
from lrlab.views.progress import (
    describe_cluster,
    describe_duration,
    describe_interruption,
    show_progress,
)

DEFAULT_VALIDATION_SIZE = 0.2
"""Fraction of the training rows used for validation, if settings or epochs are selected."""

RAY_ENGINE = "ray"

_MAX_SILENT_SECONDS = 300
"""Longest forecast of a study that is not warned of."""

_MIN_FORECAST_SECONDS = 10
"""Seconds of training after which the rest is forecast from it."""


@dataclass(frozen=True, eq=False, repr=False)
class PlannedStudy:
    """A study that is planned and not run yet.

    Args:
        plan: what is compared, and how, and the engine that trains it.
        engine_choice: why this engine was selected, and its speed if it was timed.
        backend: where it is trained.
        db: the database that stores its runs; None for memory.
        source: how its problem is loaded again; None if it was given as a value.
        named_schedules: the schedules that the user named, as named.
    """

    plan: Plan
    engine_choice: EngineChoice
    backend: Backend
    db: Path | None
    source: ProblemSource | None = None
    named_schedules: tuple[Schedule, ...] = ()

    def __repr__(self) -> str:
        return f"PlannedStudy({self.plan.problem.name}, study {self.id}, {self.plan.engine})"

    @property
    def problem(self) -> Trainable:
        """What is trained."""
        return self.plan.problem

    @property
    def id(self) -> str:
        """The id that the study will have."""
        return self.plan.id

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of likely mistakes in the data and in the schedules that the user named."""
        return find_warnings(self.plan.problem, self.plan.grid, self.named_schedules)

    @property
    def rescaled_schedules(self) -> tuple[Schedule, ...]:
        """The named schedules that the study divides by their peak: it compares equal peaks."""
        return tuple(s for s in self.named_schedules if s not in self.plan.schedules)

    def count_stored_runs(self) -> int:
        """Return how many runs of the first phase the database has already."""
        with _open_for_reading(self.db) as store:
            return len(store.find_stored_runs(plan_first_phase(self.plan).runs))

    def estimate_cost(self) -> CostEstimate:
        """Estimate runs, time on this machine and disk space; times a few steps if need be."""
        seconds_per_run_step = self.engine_choice.seconds_per_run_step
        if seconds_per_run_step is None:
            seconds_per_run_step = time_run_step(self.plan, self.backend.driver)
        return estimate_cost(self.plan, self.backend.driver, seconds_per_run_step)

    def run(self, progress: bool | ProgressCallback = True) -> Study:
        """Train the runs that are not stored yet, and return the study.

        A forecast above five minutes is a ``StudyWarning``: first if steps were timed when the
        study was planned, else as soon as enough runs have ended.

        Args:
            progress: see ``compare``.

        Raises:
            StudyError: the database cannot be written, a worker process died, or the cluster does
                not exist or was lost.
            TrainingError: the engine cannot train the problem, or a training function fails.
            KeyboardInterrupt: with a note that says how to continue.
        """
        keep_freed_memory()
        seconds_per_run_step = self.engine_choice.seconds_per_run_step
        forecast = estimate_cost(self.plan, self.backend.driver, seconds_per_run_step)
        seconds = forecast.seconds if self.backend.is_this_machine else None
        if seconds is not None and seconds[1] > _MAX_SILENT_SECONDS:
            _warn(describe_duration(seconds, self.db))
        folder = nullcontext() if self.source is None else self.source.enter_folder()
        try:
            with (
                Store(self.db) as store,
                folder,
                self.backend.open(),
                show_progress(progress) as callback,
            ):
                cluster = self.backend.get_cluster_info()
                if progress is True and cluster:  # without an address it may be somebody else's
                    print(describe_cluster(cluster), file=sys.stderr)
                result = run_study(
                    self.plan,
                    store,
                    self.backend,
                    callback if seconds else self._watch_duration(callback, forecast.final_runs),
                    None if self.source is None else self.source.to_json(),
                )
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(
                describe_interruption(self.id, self.db, self.backend, self.source is not None)
            )
            raise
        return Study.from_result(result)

    def _watch_duration(self, callback: ProgressCallback, final_runs: int) -> ProgressCallback:
        """Return a callback that also warns, once, of a study that takes long."""
        has_warned, began_at = False, time.monotonic()

        def watch(progress: Progress) -> None:
            nonlocal has_warned, began_at
            callback(progress)
            if not progress.trained:
                began_at = time.monotonic()
            seconds = time.monotonic() - began_at
            if has_warned or not progress.trained or seconds < _MIN_FORECAST_SECONDS:
                return
            remaining = progress.planned - progress.stored - progress.trained
            if progress.phase != FINAL_PHASE:
                remaining += final_runs
            forecast = remaining * seconds / progress.trained
            if forecast > _MAX_SILENT_SECONDS:
                has_warned = True
                _warn(describe_duration((forecast, forecast), self.db))

        return watch


def compare(
    problem: ProblemInput,
    schedules: ScheduleInput | None = None,
    *,
    target: str | None = None,
    task: str | None = None,
    metric: str | Metric | None = None,
    lr: float | Sequence[float] | None = None,
    momentum: float | Sequence[float] | None = None,
    tune: bool = True,
    seeds: int = 30,
    tuning_seeds: int = 20,
    grid_extensions: int = 3,
    score: str = "final",
    seed: int = 0,
    validation_size: float | None = None,
    optimizer: str = "sgd",
    weight_decay: float | None = None,
    dampening: float = 0.0,
    nesterov: bool = False,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    alpha: float = 0.99,
    centered: bool = False,
    max_grad_norm: float | None = None,
    epochs: int = 50,
    batch_size: int = 24,
    step_every: str = "epoch",
    shuffle: bool | None = None,
    engine: str = AUTO_ENGINE,
    device: str = "cpu",
    torch_compile: bool = False,
    workers: int | None = None,
    memory: str | int | None = None,
    address: str | None = None,
    gpus_per_run: float = 0.0,
    db: DatabaseFile | None = None,
    progress: bool | ProgressCallback = True,
) -> Study:
    """Compare schedules on a problem, each at its best settings, over the same fresh seeds.

    Every schedule tries the same grid of learning rates and momenta over the same tuning seeds; the
    settings that score best on validation rows are selected. For a schedule whose best learning
    rate is at the edge of the grid, the grid is extended. Each schedule then trains over fresh
    seeds and is scored on test rows, once. Likely mistakes in the data or the schedules, and a
    study that will take more than five minutes, are warned of (``StudyWarning``).

    In a script call it under ``if __name__ == "__main__":``, since runs are spread over processes.

    Args:
        problem: what is trained: a ``Problem``, a ``TrainingFunction``, or text: the name of a
            built-in data set (``"iris"``), the path of a table (``"my_table.csv"``), or an object
            in a Python file (``"my_problem.py:problem"``).
        schedules: what is compared with the constant rate: schedules or their texts. None (the
            default) compares about a dozen common ones, which shows what may be gained at all.
        target: for a table: name of the column to predict. None: its last column.
        task: for a table: ``"classification"`` or ``"regression"``. None: detected from the target.
        metric: for a name or a file: the score, which is a name, such as ``"accuracy"`` or
            ``"rmse"`` (an unknown one lists all), a ``Metric``, or the name under which a training
            function reports it. None: accuracy for classes, RMSE for quantities, ``"score"`` of a
            training function.
        lr: peak learning rates to try with every schedule: one number or several, above 0. None:
            0.01, 0.03, 0.1, 0.3 and 1 for SGD, 0.0003 to 0.03 for other optimizers; two per power
            of ten are fine enough, since scores change little in between. With ``tune=False`` a
            single number; None: 0.1 for SGD, 0.001 for others, as is usual.
        momentum: momenta to try with every learning rate, for SGD and RMSprop: one number or
            several, 0 or more and below 1. None: 0 and 0.9, the usual values. With ``tune=False`` a
            single number; None: 0.
        tune: whether the settings of each schedule are tuned. True by default, since a schedule
            that decays has another best learning rate than a constant one; False gives all
            schedules the same settings, as tutorials do.
        seeds: number of fresh seeds for the final runs of each schedule, 1 to 100 000. 30 by
            default: fewer rarely detect half a point in a hundred test rows.
        tuning_seeds: number of seeds used for tuning, 1 to 100 000. 20 by default: with much fewer,
            luck selects the settings.
        grid_extensions: number of learning rates that may be added at either end of the grid for a
            schedule whose best one is at that end, 0 to 20. 3 by default, one and a half powers of
            ten. A schedule that is still at the edge cannot win.
        score: score of a run: ``"final"`` (the default) after the last epoch, as most trainings
            end, or ``"best"`` after the epoch with the best validation score.
        seed: seed of the whole study, from which all others derive, 0 or more. Always 0 by default,
            so that a repeated study has the same runs.
        validation_size: fraction of the training rows that is held out to select settings and
            epochs, and for schedules that read a metric, 0 or more and below 1. None: 0.2 if
            something is selected, else 0.
        optimizer: ``"sgd"`` (the default, as in the tutorial), ``"adam"``, ``"adamw"`` or
            ``"rmsprop"``.
        weight_decay: weight decay of the optimizer, 0 or more. None: as in torch, 0.01 for AdamW,
            else 0.
        dampening: dampening of SGD's momentum, 0 (default) to 1.
        nesterov: whether SGD uses Nesterov momentum, which needs momenta above 0 and no
            ``dampening``. False by default, as in torch.
        betas: decay rates of the averages of Adam and AdamW, two numbers of 0 or more and below 1;
            (0.9, 0.999) by default, as in torch.
        eps: what Adam, AdamW and RMSprop add to the denominator, above 0; 1e-8 by default.
        alpha: decay rate of the average of RMSprop, 0 or more and below 1; 0.99 by default.
        centered: whether RMSprop divides by the estimated standard deviation of the gradient
            instead of its root mean square. False by default.
        max_grad_norm: norm to which larger gradients are scaled down, above 0. None: no limit.
        epochs: number of passes over the training rows, 1 or more; 50 by default, as in the
            tutorial.
        batch_size: number of rows per step, 1 or more; 24 by default, as in the tutorial.
        step_every: when the schedule is stepped, and so what a number such as the 5 in
            ``Warmup(5)`` counts: after every ``"epoch"`` (the default, as in the tutorial), or
            after every ``"step"`` of the optimizer.
        shuffle: whether the training rows are shuffled before every epoch. None: as the problem
            says; tables and data sets are shuffled.
        engine: what trains the runs: ``"loop"``, one run at a time, ``"ensemble"``, many at once,
            or ``"auto"`` (the default), the faster of the two, which are timed on this problem
            unless runs are stored already. ``"ray"`` is ``"auto"`` on a Ray cluster.
        device: device that trains, as torch names it: ``"cpu"`` (the default: small networks gain
            nothing elsewhere) or ``"cuda"``.
        torch_compile: whether ``torch.compile`` compiles the steps of the ensemble, which starts
            slower and then trains faster. False by default, since most studies are short.
        workers: number of processes on this machine, 1 or more. None: one per core, for the
            ensemble at most one per GiB of ``memory``.
        memory: memory that the ensemble may use, over all processes: text such as ``"2GB"``, or a
            number of bytes. None: half of this machine's.
        address: address of a Ray cluster, such as ``"10.0.0.1:6379"``. None: the cluster that this
            machine belongs to, or else a new one of this machine alone.
        gpus_per_run: number of GPUs per run on Ray, 0 or more, such as 0.5; 0 by default.
        db: database file that stores every run as it ends, so that a stopped study can continue and
            a finished one can be loaded again. None (the default) keeps the runs in memory, so that
            no file appears unasked; the command line has ``lrlab.db``.
        progress: True (the default) shows a bar in a terminal or a notebook, or prints a line every
            ten seconds if stderr is not a terminal; False shows nothing. A function is called with
            a ``Progress`` when a phase begins and whenever runs have ended; an exception that it
            raises stops the study.

    Raises:
        StudyError: the study cannot be planned, stored or trained as requested.
        ProblemError, ScheduleError, TrainingError: the problem, a schedule or the settings are
            invalid.
        KeyboardInterrupt: with a note that says how to continue.

    >>> study = compare("iris", ["Cosine()"], tune=False, seeds=2, epochs=2, progress=False)
    >>> study.is_finished, len(study.runs)
    (True, 4)
    """
    planned = plan_study(
        problem,
        schedules,
        target=target,
        task=task,
        metric=metric,
        lr=lr,
        momentum=momentum,
        tune=tune,
        seeds=seeds,
        tuning_seeds=tuning_seeds,
        grid_extensions=grid_extensions,
        score=score,
        seed=seed,
        validation_size=validation_size,
        optimizer=optimizer,
        weight_decay=weight_decay,
        dampening=dampening,
        nesterov=nesterov,
        betas=betas,
        eps=eps,
        alpha=alpha,
        centered=centered,
        max_grad_norm=max_grad_norm,
        epochs=epochs,
        batch_size=batch_size,
        step_every=step_every,
        shuffle=shuffle,
        engine=engine,
        device=device,
        torch_compile=torch_compile,
        workers=workers,
        memory=memory,
        address=address,
        gpus_per_run=gpus_per_run,
        db=db,
    )
    for warning in planned.warnings:
        _warn(warning)
    return planned.run(progress)


def plan_study(
    problem: ProblemInput,
    schedules: ScheduleInput | None = None,
    *,
    target: str | None = None,
    task: str | None = None,
    metric: str | Metric | None = None,
    lr: float | Sequence[float] | None = None,
    momentum: float | Sequence[float] | None = None,
    tune: bool = True,
    seeds: int = 30,
    tuning_seeds: int = 20,
    grid_extensions: int = 3,
    score: str = "final",
    seed: int = 0,
    validation_size: float | None = None,
    optimizer: str = "sgd",
    weight_decay: float | None = None,
    dampening: float = 0.0,
    nesterov: bool = False,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    alpha: float = 0.99,
    centered: bool = False,
    max_grad_norm: float | None = None,
    epochs: int = 50,
    batch_size: int = 24,
    step_every: str = "epoch",
    shuffle: bool | None = None,
    engine: str = AUTO_ENGINE,
    device: str = "cpu",
    torch_compile: bool = False,
    workers: int | None = None,
    memory: str | int | None = None,
    address: str | None = None,
    gpus_per_run: float = 0.0,
    db: DatabaseFile | None = None,
) -> PlannedStudy:
    """Plan a study without running it: what ``compare`` does first, with the same arguments.

    The engines are timed on a few steps if one has to be selected.

    Raises:
        StudyError: the study cannot be planned or its database cannot be read.
        ProblemError, ScheduleError, TrainingError: as in ``compare``.

    >>> planned = plan_study("iris", ["Cosine()"], seeds=10, engine="loop")
    >>> planned.estimate_cost().final_runs
    190
    """
    engine_kind, backend = resolve_backend(engine, workers, memory, address, gpus_per_run)
    engines = list_engines(engine_kind, device, torch_compile)
    protocol = Protocol(seeds, tuning_seeds, grid_extensions, score, seed)
    trainable, source = load_problem_input(problem, target=target, task=task, metric=metric)
    # The file of the problem may define a schedule.
    named_schedules = None if schedules is None else parse_schedules(schedules)
    needs_validation = tune or protocol.score == "best"
    default_size = DEFAULT_VALIDATION_SIZE if needs_validation else 0.0
    common = Settings(
        optimizer=optimizer,
        weight_decay=weight_decay,
        dampening=dampening,
        betas=betas,
        eps=eps,
        alpha=alpha,
        centered=centered,
        max_grad_norm=max_grad_norm,
        epochs=epochs,
        batch_size=batch_size,
        step_every=step_every,
        shuffle=trainable.shuffle if shuffle is None else shuffle,
        validation_size=default_size if validation_size is None else validation_size,
    )
    grid = _build_lr_grid(common, _to_sequence(lr), _to_sequence(momentum), nesterov, tune)
    if len(grid) == 1 and validation_size is None and protocol.score == "final":
        grid = (replace(grid[0], validation_size=0.0),)
    compared = (
        _select_default_schedules(trainable, common) if named_schedules is None else named_schedules
    )
    plan = build_plan(trainable, compared, grid, protocol)
    if len(plan.schedules) == 1:
        raise StudyError(
            f"there is nothing to compare with the baseline {plan.schedules[0]}; name another "
            "schedule in `schedules`."
        )
    db_path = None if db is None else Path(db)
    with _open_for_reading(db_path) as store:
        choice = select_engine(plan, store, engines, backend)
    return PlannedStudy(
        replace(plan, engine=choice.engine),
        choice,
        backend,
        db_path,
        source,
        tuple(named_schedules or ()),
    )


def resume_study(
    study: str | None = None,
    db: DatabaseFile = DEFAULT_DB,
    *,
    engine: str = AUTO_ENGINE,
    workers: int | None = None,
    address: str | None = None,
    gpus_per_run: float = 0.0,
    progress: bool | ProgressCallback = True,
) -> Study:
    """Continue a stopped study with the options and runs in its database; load a finished one.

    Its problem must have been the name of a data set or a file: the study trains in the folder in
    which it was started. Continue a study of a ``Problem`` or ``TrainingFunction`` by the same call
    of ``compare``.

    Args:
        study, db: see ``load_study``.
        engine: ``"auto"`` (default) trains on this machine, ``"ray"`` on a Ray cluster; the study
            keeps its loop or ensemble.
        workers, address, gpus_per_run, progress: see ``compare``.

    Raises:
        StudyError: there is no such study, or its problem cannot be loaded or has changed.
        KeyboardInterrupt: with a note that says how to continue.
    """
    opened = reopen_study(
        study, db, engine=engine, workers=workers, address=address, gpus_per_run=gpus_per_run
    )
    return opened if isinstance(opened, Study) else opened.run(progress)


def reopen_study(
    study: str | None = None,
    db: DatabaseFile = DEFAULT_DB,
    *,
    engine: str = AUTO_ENGINE,
    workers: int | None = None,
    address: str | None = None,
    gpus_per_run: float = 0.0,
) -> Study | PlannedStudy:
    """Return a stored study if it is finished, else its plan with its problem loaded again.

    Args:
        study, db, engine, workers, address, gpus_per_run: see ``resume_study``.

    Raises:
        StudyError: see ``resume_study``.
    """
    engine_kind, backend = resolve_backend(engine, workers, None, address, gpus_per_run)
    if engine_kind != AUTO_ENGINE:
        raise StudyError(
            f'`engine` must be "auto" or "ray" here, got {engine}: a study keeps its engine.'
        )
    summary = find_study(study, db)
    if summary.is_finished:
        return load_study(summary.id, db)
    if summary.source is None:
        raise StudyError(
            f"study {summary.id} was given its problem as a value in Python; run that script again "
            "to continue it."
        )
    try:
        source = ProblemSource.from_json(summary.source)
    except (ValueError, KeyError, TypeError):
        raise StudyError(
            f"the options of study {summary.id} cannot be read, the database is damaged; restore a "
            "copy of it."
        ) from None
    problem = source.load()  # first, because its file may define a schedule
    stored_plan = restore_plan(summary)
    plan = Plan.from_dict(stored_plan.to_dict(), problem, stored_plan.engine)
    if plan.id != summary.id:
        changed_classes = [
            name
            for name, fingerprint in plan.class_fingerprints.items()
            if fingerprint != stored_plan.class_fingerprints.get(name)
        ]
        raise StudyError(
            f"{' and '.join(changed_classes) or source.data} has changed since study {summary.id} "
            "was started; restore it, or start a new study with `lrlab.compare(...)`."
        )
    choice = EngineChoice(plan.engine, EngineReason.STUDY_BEGAN)
    return PlannedStudy(plan, choice, backend, Path(db), source)


def check_target_score(study: Study | PlannedStudy, target_score: float | None) -> None:
    """Check a score whose time to target shall be shown; None is fine.

    Raises:
        StudyError: it is not a finite number, or not a fraction where the metric is one.
    """
    time_to_target.check_target_score(target_score, is_fraction=study.plan.problem.metric.percent)


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
                f"a Ray cluster trains with all its cores, got `workers={workers}`; omit `workers`."
            )
        return AUTO_ENGINE, RayCluster(address, gpus_per_run, memory_bytes)
    if address is not None or gpus_per_run:
        raise StudyError(
            f"`address` and `gpus_per_run` are for a Ray cluster, but the engine is {engine}; "
            'choose `engine="ray"`.'
        )
    return engine, Machine(workers, memory_bytes)


def _open_for_reading(db: Path | None) -> AbstractContextManager[ReadableStore]:
    """Return a context with the store to look runs up in; a file is neither created nor written."""
    if db is not None and db.exists() and (not db.is_file() or db.stat().st_size > 0):
        return nullcontext(StoreReader(db))
    return Store(None)


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
    nesterov: bool,
    tune: bool,
) -> Grid:
    optimizer = OPTIMIZERS[common.optimizer]
    if tune:
        default_momenta = [m for m in optimizer.momentum_grid if m or not nesterov] or [0.0]
        grid = build_grid(common, lrs or optimizer.lr_grid, momenta or default_momenta)
    else:
        grid = build_grid(common, lrs or [optimizer.default_lr], momenta or [0.0])
        if len(grid) > 1:
            raise StudyError(
                f"without tuning there must be one learning rate and one momentum, got {len(grid)} "
                "settings; drop `tune=False` or all settings but one."
            )
    # Nesterov momentum needs the momenta of the grid.
    return tuple(replace(settings, nesterov=nesterov) for settings in grid) if nesterov else grid


def _to_sequence(values: float | Sequence[float] | None) -> Sequence[float] | None:
    if values is None:
        return None
    value = to_finite_float(values)
    return np.ravel(values).tolist() if value is None else [value]


def _warn(text: str) -> None:
    warnings.warn(text, StudyWarning, stacklevel=find_stacklevel())
