"""Paddle's formulas, as plain Python after the ``get_lr`` of paddle/optimizer/lr.py, 3.3.1.

Paddle is not a test dependency (its wheel has 195 MB). Each function has the name of the class and
returns the rate after ``t`` calls of ``step()`` from the last one. Names, order and defaults of the
parameters are the class's, without ``last_epoch`` and ``verbose``.
"""

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any


def iterate_rates(name: str, steps: int, *arguments: Any, **kwargs: Any) -> Iterator[float]:
    """Yield the rates at steps 0, 1, ..."""
    last = math.nan
    for t in range(steps):
        last = globals()[name](t, last, *arguments, **kwargs)
        yield last


def check_arguments(name: str, *arguments: Any) -> None:
    """Raise what ``__init__`` of some classes raises."""
    if name == "ExponentialDecay":
        assert 0.0 < arguments[1] < 1.0, "'gamma' must be in interval (0.0, 1.0)"
    if name == "LinearWarmup":
        assert arguments[3] > arguments[2], "end_lr must be greater than start_lr"
    if name == "MultiStepDecay" and not all(map(operator.lt, arguments[1], arguments[1][1:])):
        raise ValueError("The elements of milestones must be incremented")
    if name in ("MultiStepDecay", "StepDecay") and arguments[2] >= 1.0:
        raise ValueError("gamma should be < 1.0.")
    if name == "ReduceOnPlateau" and arguments[2] >= 1.0:
        raise ValueError("Factor should be < 1.0.")


def NoamDecay(t, last, d_model, warmup_steps, learning_rate=1.0):
    a = 1 if t == 0 else t**-0.5
    return learning_rate * d_model**-0.5 * min(a, warmup_steps**-1.5 * t)


def PiecewiseDecay(t, last, boundaries, values):
    for boundary, value in zip(boundaries, values, strict=False):
        if t < boundary:
            return value
    return values[-1]


def NaturalExpDecay(t, last, learning_rate, gamma):
    return learning_rate * math.exp(-gamma * t)


def InverseTimeDecay(t, last, learning_rate, gamma):
    return learning_rate / (1 + gamma * t)


def PolynomialDecay(t, last, learning_rate, decay_steps, end_lr=0.0001, power=1.0, cycle=False):
    length = decay_steps * (math.ceil(t / decay_steps) or 1) if cycle else decay_steps
    remaining = 1 - (t if cycle else min(t, decay_steps)) / length
    return (learning_rate - end_lr) * remaining**power + end_lr


def LinearWarmup(t, last, learning_rate, warmup_steps, start_lr, end_lr):
    if t < warmup_steps:
        return (end_lr - start_lr) * t / warmup_steps + start_lr
    return learning_rate(t - warmup_steps) if callable(learning_rate) else learning_rate


def ExponentialDecay(t, last, learning_rate, gamma):
    return learning_rate * gamma**t


def MultiStepDecay(t, last, learning_rate, milestones, gamma=0.1):
    for i, milestone in enumerate(milestones):
        if t < milestone:
            return learning_rate * gamma**i
    return learning_rate * gamma ** len(milestones)


def StepDecay(t, last, learning_rate, step_size, gamma=0.1):
    return learning_rate * gamma ** (t // step_size)


def LambdaDecay(t, last, learning_rate, lr_lambda):
    return learning_rate * lr_lambda(t)


def MultiplicativeDecay(t, last, learning_rate, lr_lambda):
    return learning_rate if t == 0 else last * lr_lambda(t)


def CosineAnnealingDecay(t, last, learning_rate, T_max, eta_min=0):
    if t == 0:
        return learning_rate
    if (t - 1 - T_max) % (2 * T_max) == 0:
        return last + (learning_rate - eta_min) * (1 - math.cos(math.pi / T_max)) / 2
    now, before = (1 + math.cos(math.pi * step / T_max) for step in (t, t - 1))
    return now / before * (last - eta_min) + eta_min


def OneCycleLR(
    t,
    last,
    max_learning_rate,
    total_steps,
    divide_factor=25.0,
    end_learning_rate=0.0001,
    phase_pct=0.3,
    anneal_strategy="cos",
    three_phase=False,
):
    first = max_learning_rate / divide_factor
    rates = [first, max_learning_rate, end_learning_rate]
    ends = [0, phase_pct * total_steps - 1, total_steps - 1]
    if three_phase:
        rates.insert(2, first)
        ends.insert(2, 2 * phase_pct * total_steps - 2)
    if t > total_steps:
        raise ValueError(f"Tried to step {t} times")
    i = next((i for i in range(len(ends) - 2) if t <= ends[i + 1]), len(ends) - 2)
    p = (t - ends[i]) / (ends[i + 1] - ends[i])
    start, end = rates[i : i + 2]
    if anneal_strategy == "linear":
        return (end - start) * p + start
    return end + (start - end) / 2 * (math.cos(math.pi * p) + 1)


def CyclicLR(
    t,
    last,
    base_learning_rate,
    max_learning_rate,
    step_size_up,
    step_size_down=None,
    mode="triangular",
    exp_gamma=1.0,
    scale_fn=None,
    scale_mode="cycle",
):
    size = float(step_size_up + (step_size_down or step_size_up))
    rise = step_size_up / size
    cycle = 1 + t // size
    p = 1 + t / size - cycle
    height = (max_learning_rate - base_learning_rate) * (
        p / rise if p <= rise else (1 - p) / (1 - rise)
    )
    if scale_fn is not None:
        scale = scale_fn(cycle if scale_mode == "cycle" else t)
    else:
        scale = {"triangular": 1.0, "triangular2": 0.5 ** (cycle - 1), "exp_range": exp_gamma**t}
        scale = scale[mode]
    return base_learning_rate + height * scale


def LinearLR(t, last, learning_rate, total_steps, start_factor=1.0 / 3, end_factor=1.0):
    if t == 0:
        return learning_rate * start_factor
    if t > total_steps:
        return last
    rise = end_factor - start_factor
    return last * (1.0 + rise / (total_steps * start_factor + (t - 1) * rise))


def CosineAnnealingWarmRestarts(t, last, learning_rate, T_0, T_mult=1, eta_min=0):
    length = T_0
    while t >= length:
        t, length = t - length, length * T_mult
    return eta_min + (learning_rate - eta_min) * (1 + math.cos(math.pi * t / length)) / 2


def ReduceOnPlateau(
    metrics: list[float],
    last: float,
    learning_rate: float,
    mode: str = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: str = "rel",
    cooldown: int = 0,
    min_lr: float = 0,
    epsilon: float = 1e-8,
) -> Iterator[float]:
    """Yield the rate after each of ``metrics``."""
    better: Callable[[float, float], bool] = {
        ("min", "rel"): lambda now, best: now < best - best * threshold,
        ("min", "abs"): lambda now, best: now < best - threshold,
        ("max", "rel"): lambda now, best: now > best + best * threshold,
        ("max", "abs"): lambda now, best: now > best + threshold,
    }[mode, threshold_mode]
    best, bad, cooldown_left = None, 0, 0
    for metric in metrics:
        if cooldown_left > 0:
            cooldown_left -= 1
        else:
            if best is None or better(metric, best):
                best, bad = metric, 0
            else:
                bad += 1
            if bad > patience:
                cooldown_left, bad = cooldown, 0
                lower = max(learning_rate * factor, min_lr)
                if learning_rate - lower > epsilon:
                    learning_rate = lower
        yield learning_rate
