"""Warnings about silent mistakes with step(): too many calls, or a metric that never comes.

Nothing is hooked or patched: updating a tensor in place raises its version counter, so comparing
counters at each call of step() shows whether the optimizer has made an update since the last call.
"""

import warnings
from collections.abc import Iterator
from typing import Any

from torch.optim import Optimizer

from lrlab.errors import find_stacklevel

# A gap is the number of calls from one update to the next.
GAPS_BEFORE_WARNING = 4  # equal gaps in a row after which the check warns
GAPS_BEFORE_FULL_CHECK = 2  # equal gaps in a row after which all parameters are checked, not two
GAPS_BEFORE_STOP = 3  # gaps of 1 in a row after which the check stops
MAX_CALLS = 500  # enough for four gaps of 100; no update by then means no training

ParameterIndex = tuple[int, int]
"""Indices of a parameter's group and of the parameter in it, which hold no reference to it."""


def compute_metric_deadline(total_steps: float | None, steps_per_epoch: int | None) -> int:
    """Return the number of steps after which a schedule should have got its first metric.

    Half of the training, but at least an epoch; or ten epochs; or 10,000 steps if neither is known.
    """
    if total_steps is not None:
        return max(int(total_steps) // 2, steps_per_epoch or 1)
    return 10_000 if steps_per_epoch is None else 10 * steps_per_epoch


def warn_missing_metric(steps: int) -> None:
    """Warn that a schedule reads a metric but got none in ``steps`` steps."""
    warnings.warn(
        f"a schedule here reads a metric, but got none in {steps} steps: pass it with "
        "step(metric), or with observe(metric) if a trainer calls step().",
        UserWarning,
        stacklevel=find_stacklevel(),
    )


class StepCheck:
    """Checks the first calls of ``step()``; warns once if only every k-th call follows an update.

    In an ordinary loop it stops after four calls. It warns only of regular patterns. It is silent
    if mixed precision skips updates, if nothing is trained, if no version counter rises (torch's
    fused SGD, inference tensors, CUDA graphs), if the optimizer is not one of torch's (its updates
    may leave no trace, and other changes do), and if epochs are shorter than four accumulations and
    end within one. Its attributes are plain numbers.

    Args:
        optimizer: the optimizer to check; it is passed to every call and never stored.

    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> check = StepCheck(optimizer)
    >>> check.check_step(optimizer)
    True
    """

    def __init__(self, optimizer: Optimizer) -> None:
        is_from_torch = type(optimizer).__module__.startswith("torch.optim")
        parameters = _iterate_parameters(optimizer) if is_from_torch else ()
        indices = [index for index, parameter in parameters if parameter.requires_grad]
        self._indices: list[ParameterIndex] = list(dict.fromkeys([*indices[:1], *indices[-1:]]))
        self._last_version = -1  # so that the first call counts as following an update
        self._calls = 0
        self._last_update_call = 0  # the last call that followed an update
        self._last_gap = 0  # calls between the last two updates
        self._equal_gaps = 0  # number of gaps of that length in a row

    def check_step(self, optimizer: Optimizer) -> bool:
        """Check one more call of ``step()``; return whether to check further calls."""
        self._calls += 1
        try:
            version = _sum_versions(optimizer, self._indices)
            if version == self._last_version:
                return self._calls < MAX_CALLS
            self._last_version = version
            return bool(self._indices) and self._check_update(optimizer)
        except (RuntimeError, LookupError, AttributeError):
            return False  # there are no counters, or the parameters have changed

    def _check_update(self, optimizer: Optimizer) -> bool:
        gap, self._last_update_call = self._calls - self._last_update_call, self._calls
        if self._calls == 1:
            return True
        self._equal_gaps = self._equal_gaps + 1 if gap == self._last_gap else 1
        self._last_gap = gap
        if gap == 1:
            return self._equal_gaps < GAPS_BEFORE_STOP
        if self._equal_gaps == GAPS_BEFORE_FULL_CHECK:
            # The two parameters may take turns with others.
            self._indices = [index for index, _ in _iterate_parameters(optimizer)]
            self._last_version = _sum_versions(optimizer, self._indices)
        elif self._equal_gaps == GAPS_BEFORE_WARNING:
            _warn_extra_steps(gap)
            return False
        return True


def _iterate_parameters(optimizer: Optimizer) -> Iterator[tuple[ParameterIndex, Any]]:
    for g, group in enumerate(optimizer.param_groups):
        for p, parameter in enumerate(group["params"]):
            yield (g, p), parameter


def _sum_versions(optimizer: Optimizer, indices: list[ParameterIndex]) -> int:
    """Return a number that every update of these parameters raises."""
    version = 0
    groups = optimizer.param_groups
    for g, p in indices:
        group = groups[g]
        parameter = group["params"][p]
        if group.get("fused"):  # fused kernels raise the counter of step, not the parameter's
            step = optimizer.state.get(parameter, {}).get("step")
            version += 0 if step is None else step._version
        else:
            version += parameter._version
    return version


def _warn_extra_steps(calls_per_update: int) -> None:
    warnings.warn(
        f"step() should be called once per optimizer.step(), but was called {calls_per_update} "
        f"times, which runs the schedule {calls_per_update} times as fast: under gradient "
        "accumulation, call it only when the optimizer steps; accelerate calls it once per "
        "process, unless the scheduler is not prepared or its dataloader_config is "
        "DataLoaderConfiguration(split_batches=True).",
        UserWarning,
        stacklevel=find_stacklevel(),
    )
