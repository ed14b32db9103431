"""Runs of a user's own training function, which is the loop then."""

import time
from collections.abc import Callable

from lrlab.errors import LrlabError, TrainingError
from lrlab.problems import TrainingFunction, streams
from lrlab.problems.code import place_of, told
from lrlab.problems.seeds import drawing
from lrlab.training.live import LiveRun
from lrlab.training.reports import Diverged
from lrlab.training.result import Epoch, Result
from lrlab.training.run import Run
from lrlab.training.settings import Settings

ALONE = "a training function trains one run at a time; use the loop (--engine loop)."
"""What is said where runs of one are to be trained together."""


def check(settings: Settings) -> None:
    """Refuses settings that are a training function's own to say.

    Raises:
        TrainingError: they say how often it steps its scheduler.
    """
    if settings.per == "step":
        raise TrainingError(
            "a training function says itself how often it steps its scheduler, as in "
            "run.scheduler(optimizer, steps_per_epoch=100); leave out per (--per)."
        )


def train(
    problem: TrainingFunction,
    run: Run,
    report: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Result:
    """One run of a training function, scored by the metric that it reports last.

    Args:
        problem: the function.
        run: schedule, settings and seed.
        report: called at the end of every epoch; the rate after it is not known then.
        device: what the function is told to train on, by torch's name.

    Raises:
        TrainingError: the function fails, reports what it should not, or does not report every
            epoch; the settings say how often it steps, which is its own to say.
    """
    check(run.settings)
    started = time.perf_counter()
    live = LiveRun(problem, run, device, report)
    reports = live.reports
    try:
        with drawing(streams(run.seed).weights):
            problem.train(live)
    except Diverged:
        pass
    except LrlabError as error:
        raise TrainingError(f"{problem.name}, {place_of(error)}: {error}") from error
    except (Exception, SystemExit) as error:
        if not reports.diverged:  # what a function does after that is of no account
            raise TrainingError(
                f"{problem.name} failed at {place_of(error)} with seed {run.seed} and "
                f"{live.schedule}: {told(error)}."
            ) from error
    if not reports.diverged:
        reports.refuse_too_few()
    return reports.result(time.perf_counter() - started)
