"""Measures a million steps of Warmup(1000) >> Cosine(999000) in lrlab, optax and torch.

lrlab and optax (under jit) evaluate an array, torch steps. They take turns in one process; times
are medians over the turns, ratios are medians of the ratios of a turn.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax
import torch

from lrlab import Cosine, Warmup

STEPS = 1_000_000
WARM = 1_000
TURNS = 40


def main() -> None:
    schedule = Warmup(WARM) >> Cosine(STEPS - WARM)
    t = np.arange(STEPS)
    jobs = {
        "lrlab, float64": lambda: schedule(t),
        "optax under jit, float64": jit_optax(x64=True),
        "optax under jit, float32": jit_optax(x64=False),
    }
    reference = jobs["optax under jit, float64"]()
    np.testing.assert_allclose(schedule(t), reference, rtol=1e-9, atol=1e-12)
    seconds = {name: [time_call(job) for _ in range(3)] and [] for name, job in jobs.items()}
    for _ in range(TURNS):
        for name, job in jobs.items():
            seconds[name].append(time_call(job))
    ours = seconds["lrlab, float64"]
    for name, theirs in seconds.items():
        print_row(name, statistics.median(theirs), compute_median_ratio(theirs, ours))
    stepping = time_torch_steps(100_000) * STEPS / 100_000
    print_row("torch SequentialLR, stepped", stepping, stepping / statistics.median(ours))


def time_call(job: Callable[[], object]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def compute_median_ratio(theirs: list[float], ours: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(theirs, ours, strict=True))


def print_row(name: str, seconds: float, times: float) -> None:
    print(f"{name:28} {1e3 * seconds:10.1f} ms   {times:8.1f} times lrlab's")


def jit_optax(x64: bool) -> Callable[[], Any]:
    """Return a call of the same schedule of optax, compiled, on an array of JAX."""
    with jax.enable_x64(x64):
        parts = [
            optax.linear_schedule(1 / (WARM + 1), 1.0, WARM),
            optax.cosine_decay_schedule(1.0, STEPS - WARM),
        ]
        compiled = jax.jit(optax.join_schedules(parts, [WARM]))
        steps = jax.numpy.arange(STEPS)

    def job() -> Any:
        with jax.enable_x64(x64):
            return compiled(steps).block_until_ready()

    job()
    return job


def time_torch_steps(steps: int) -> float:
    """Return the seconds of ``steps`` steps of the same schedule of torch."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    with warnings.catch_warnings():  # SequentialLR warns of its own use of step(epoch)
        warnings.simplefilter("ignore")
        warm = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / (WARM + 1), total_iters=WARM)
        fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS - WARM)
        both = torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, fall], [WARM])
        optimizer.step()
        started = time.perf_counter()
        for _ in range(steps):
            both.step()
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
