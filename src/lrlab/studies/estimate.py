"""What a study will take, before it is begun: runs, time and disk."""

from dataclasses import dataclass

from lrlab.problems import TrainingFunction
from lrlab.studies.grid import halfway, rates_of
from lrlab.studies.phases import first
from lrlab.studies.places import Machine
from lrlab.studies.plan import Plan
from lrlab.training import engines
from lrlab.training.threads import one_thread

_ROW, _EPOCH = 900, 23
"""Bytes of a run in the database, and of each of its epochs; from ``benchmarks/store.py``."""

_BESIDE = 3.0
"""Seconds beside training: Python and torch started in this process and in workers."""


@dataclass(frozen=True)
class Estimate:
    """What a study takes.

    Args:
        tuning, final: runs of these phases, where none of the grid is widened.
        widening: runs more at most, final ones of the baseline among them, which is run at whatever
            it was tried with and halfway to it.
        seconds: of wall time, without widening and with all of it; None where it cannot be told.
        bytes: in the database, in the same way.
    """

    tuning: int
    widening: int
    final: int
    seconds: tuple[float, float] | None
    bytes: tuple[int, int]


def estimate(plan: Plan, machine: Machine) -> Estimate:
    """What a plan takes on this machine, from a few steps of its own runs, timed.

    Args:
        plan: the study, with its engine.
        machine: where it is trained.
    """
    protocol, settings = plan.protocol, plan.grid[0]
    rivals = len(plan.grid) - 1 + len(halfway(plan.grid))
    final = (len(plan.schedules) + rivals) * protocol.seeds
    tuning = len(plan.schedules) * len(plan.grid) * protocol.tuning_seeds if plan.tuned else 0
    rates = len(rates_of(plan.grid))
    of_a_rate = max(sum(s.lr == rate for s in plan.grid) for rate in rates_of(plan.grid))
    widening = (
        protocol.widenings
        * of_a_rate
        * (len(plan.schedules) * protocol.tuning_seeds + 2 * protocol.seeds)
        if rates > 1
        else 0
    )
    least, most = tuning + final, tuning + widening + final
    seconds, each = _seconds(plan, machine), _ROW + _EPOCH * settings.epochs
    return Estimate(
        tuning,
        widening,
        final,
        seconds=None if seconds is None else (_BESIDE + least * seconds, _BESIDE + most * seconds),
        bytes=(least * each, most * each),
    )


def _seconds(plan: Plan, machine: Machine) -> float | None:
    """What a run takes of the wall time, others being trained beside it."""
    if isinstance(plan.problem, TrainingFunction):
        return None
    workers, runs = machine.workers_for(plan.engine), list(first(plan).runs.values())
    with one_thread():
        pace = engines.pace(plan.problem, runs, plan.engine, workers, machine.bytes)
    settings = plan.grid[0]
    steps = settings.epochs * settings.steps_of_optimizer(plan.problem.train_rows)
    return steps * pace / workers
