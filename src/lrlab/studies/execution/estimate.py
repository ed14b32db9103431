"""Estimates the cost of a study before it starts: runs, time and disk space."""

from dataclasses import dataclass

from lrlab.studies.execution.backends import Machine
from lrlab.studies.plan.grid import build_midpoints, list_lrs
from lrlab.studies.plan.phases import plan_first_phase
from lrlab.studies.plan.plan import Plan
from lrlab.training import probing
from lrlab.training.engines import use_one_thread

_RUN_BYTES, _EPOCH_BYTES = 900, 23
"""Bytes of a run in the database, and of each epoch of it; from ``benchmarks/store.py``."""

_STARTUP_SECONDS = 3.0
"""Seconds to start Python and torch in this process and in the workers."""


@dataclass(frozen=True)
class CostEstimate:
    """The estimated cost of a study.

    Args:
        tuning_runs, final_runs: number of runs in these phases without grid extensions.
        max_extension_runs: largest number of additional runs by grid extensions; it includes the
            final runs of the baseline at the added learning rates and at those halfway to them.
        seconds: wall time without grid extensions, and with all of them; None if unknown.
        database_bytes: size in the database, likewise.
    """

    tuning_runs: int
    max_extension_runs: int
    final_runs: int
    seconds: tuple[float, float] | None
    database_bytes: tuple[int, int]

    @property
    def run_counts(self) -> tuple[int, int]:
        """Number of runs without grid extensions, and with all of them."""
        run_count = self.tuning_runs + self.final_runs
        return run_count, run_count + self.max_extension_runs


def time_run_step(plan: Plan, machine: Machine) -> float | None:
    """Time a few steps of the runs of a plan by its engine; see ``EngineChoice``.

    None if lrlab does not have the rows of the problem, and so cannot train on a few of them.
    """
    runs = list(plan_first_phase(plan).runs.values())
    with use_one_thread():
        return probing.measure_seconds_per_run_step(
            plan.problem,
            runs,
            plan.engine,
            machine.count_workers(plan.engine),
            machine.memory_bytes,
        )


def estimate_cost(plan: Plan, machine: Machine, seconds_per_run_step: float | None) -> CostEstimate:
    """Estimate the cost of a plan on this machine.

    Args:
        plan: the study, with its engine.
        machine: where it is trained.
        seconds_per_run_step: see ``EngineChoice``; None if unknown.
    """
    protocol, settings = plan.protocol, plan.grid[0]
    baseline_count = len(plan.grid) - 1 + len(build_midpoints(plan.grid))
    final_runs = (len(plan.schedules) + baseline_count) * protocol.seeds
    tuning_runs = (
        len(plan.schedules) * len(plan.grid) * protocol.tuning_seeds if plan.is_tuned else 0
    )
    lr_count = len(list_lrs(plan.grid))
    settings_per_lr = max(sum(s.lr == lr for s in plan.grid) for lr in list_lrs(plan.grid))
    max_extension_runs = (
        protocol.grid_extensions
        * settings_per_lr
        * (len(plan.schedules) * protocol.tuning_seeds + 2 * protocol.seeds)
        if lr_count > 1
        else 0
    )
    min_runs, max_runs = tuning_runs + final_runs, tuning_runs + max_extension_runs + final_runs
    seconds = None
    if seconds_per_run_step is not None:
        steps = settings.epochs * settings.count_batches_per_epoch(plan.problem.train_rows)
        # Wall time per run, while other runs train beside it.
        run_seconds = steps * seconds_per_run_step / machine.count_workers(plan.engine)
        seconds = (
            _STARTUP_SECONDS + min_runs * run_seconds,
            _STARTUP_SECONDS + max_runs * run_seconds,
        )
    bytes_per_run = _RUN_BYTES + _EPOCH_BYTES * settings.epochs
    return CostEstimate(
        tuning_runs,
        max_extension_runs,
        final_runs,
        seconds=seconds,
        database_bytes=(min_runs * bytes_per_run, max_runs * bytes_per_run),
    )
