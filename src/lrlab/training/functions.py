"""Runs of a user's own training function, which is the loop then."""

import time
from collections.abc import Callable

from lrlab.errors import LrlabError, TrainingError
from lrlab.problems import TrainingFunction, derive_seeds
from lrlab.problems.code import locate_error, describe_error
from lrlab.problems.seeds import fork_seeded_rng
from lrlab.training.live import RunContext
from lrlab.training.reports import RunDiverged
from lrlab.training.result import Epoch, Result
from lrlab.training.run import Run
from lrlab.training.settings import Settings

ENSEMBLE_UNSUPPORTED = "a training function trains one run at a time; use the loop (--engine loop)."
"""What is said where runs of one are to be trained together."""


def check_function_settings(settings: Settings) -> None:
    """Refuses settings that are a training function's own to say.

    Raises:
        TrainingError: they say how often it steps its scheduler.
    """
    if settings.step_every == "step":
        raise TrainingError(
            "a training function says itself how often it steps its scheduler, as in "
            "run.scheduler(optimizer, steps_per_epoch=100); leave out per (--per)."
        )


def run_training_function(
    problem: TrainingFunction,
    run: Run,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Result:
    """One run of a training function, scored by the metric that it reports last.

    Args:
        problem: the function.
        run: schedule, settings and seed.
        on_epoch_end: called at the end of every epoch; the rate after it is not known then.
        device: what the function is told to train on, by torch's name.

    Raises:
        TrainingError: the function fails, reports what it should not, or does not report every
            epoch; the settings say how often it steps, which is its own to say.
    """
    check_function_settings(run.settings)
    started = time.perf_counter()
    context = RunContext(problem, run, device, on_epoch_end)
    reports = context.reports
    try:
        with fork_seeded_rng(derive_seeds(run.seed).weights):
            problem.train(context)
    except RunDiverged:
        pass
    except LrlabError as error:
        raise TrainingError(f"{problem.name}, {locate_error(error)}: {error}") from error
    except (Exception, SystemExit) as error:
        if not reports.diverged:  # what a function does after that is of no account
            raise TrainingError(
                f"{problem.name} failed at {locate_error(error)} with seed {run.seed} and "
                f"{context.schedule}: {describe_error(error)}."
            ) from error
    if not reports.diverged:
        reports.check_complete()
    return reports.build_result(time.perf_counter() - started)
