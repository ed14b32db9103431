"""Finds out what goes wrong silently around step(), and warns of it once.

Whether step() is called several times for every optimizer.step(), and whether a metric never comes.

Nothing is hooked or patched: an update of a tensor in place raises its version counter, so counters
compared at each call of step() tell whether the optimizer has made an update since the one before.
"""

import sys
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any

from torch.optim import Optimizer

GAPS_BEFORE_WARNING = 4  # gaps of one length in a row that are no chance
GAPS_BEFORE_FULL_CHECK = (
    2  # gaps after which all parameters are looked at, and not only two of them
)
GAPS_BEFORE_STOP = 3  # calls in a row with an update before each
MAX_CALLS = 500  # enough for PERIODS gaps of 100; without an update until then, nobody trains

_LIBRARY_PACKAGES = {
    "lrlab",
    "accelerate",
    "transformers",
    "lightning",
    "pytorch_lightning",
    "torch",
}
"""Packages that stand between step() and the person's own line."""

ParameterIndex = tuple[int, int]
"""A parameter, as numbers of its group and within it: the watch keeps nothing alive."""


def compute_metric_deadline(total_steps: float | None, steps_per_epoch: int | None) -> int:
    """The steps that a schedule may have waited for its first metric: half the training, but an
    epoch at least; or ten epochs, or, where neither is known, ten thousand.
    """
    if total_steps is not None:
        return max(int(total_steps) // 2, steps_per_epoch or 1)
    return 10_000 if steps_per_epoch is None else 10 * steps_per_epoch


def warn_missing_metric(steps: int) -> None:
    """Says that a schedule reads a metric, and got none in so many steps."""
    warnings.warn(
        f"a schedule that reads a metric should get one, but none came in {steps} steps: pass it "
        "with step(metric), or with observe(metric) where a trainer calls step() by itself.",
        UserWarning,
        stacklevel=_find_stacklevel(),
    )


class StepCheck:
    """Sees the first calls of ``step()``, and warns once where only every k-th follows an update.

    In an ordinary loop it has seen enough after four calls. It warns only of what is regular, and
    is silent where mixed precision skips updates, where nothing is trained, where no version
    counter rises (torch's fused SGD, inference tensors, CUDA graphs), where the optimizer is none
    of torch's own (its updates may leave no trace, and other changes do), and where epochs are
    shorter than four accumulations and end within one. Its attributes are plain numbers.

    Args:
        optimizer: whose updates are looked for; it is given again at each call and never kept.

    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> watch = StepCheck(optimizer)
    >>> watch.check_step(optimizer)
    True
    """

    def __init__(self, optimizer: Optimizer) -> None:
        is_from_torch = type(optimizer).__module__.startswith("torch.optim")
        parameters = _iterate_parameters(optimizer) if is_from_torch else ()
        indices = [place for place, parameter in parameters if parameter.requires_grad]
        self._indices: list[ParameterIndex] = list(dict.fromkeys([*indices[:1], *indices[-1:]]))
        self._last_version = -1  # none: the first call is taken to follow an update
        self._calls = 0
        self._last_update_call = 0  # the call that last found an update before it
        self._last_gap = 0  # calls from update to update
        self._equal_gaps = 0  # how many gaps in a row were of that length

    def check_step(self, optimizer: Optimizer) -> bool:
        """Sees one more call of ``step()``; False once there is nothing left to find out."""
        self._calls += 1
        try:
            version = _sum_versions(optimizer, self._indices)
            if version == self._last_version:
                return self._calls < MAX_CALLS
            self._last_version = version
            return bool(self._indices) and self._check_update(optimizer)
        except (RuntimeError, LookupError, AttributeError):  # no counters, or other parameters now
            return False

    def _check_update(self, optimizer: Optimizer) -> bool:
        gap, self._last_update_call = self._calls - self._last_update_call, self._calls
        if self._calls == 1:
            return True
        self._equal_gaps = self._equal_gaps + 1 if gap == self._last_gap else 1
        self._last_gap = gap
        if gap == 1:
            return self._equal_gaps < GAPS_BEFORE_STOP
        if (
            self._equal_gaps == GAPS_BEFORE_FULL_CHECK
        ):  # these parameters may take turns with others
            self._indices = [place for place, _ in _iterate_parameters(optimizer)]
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
    """A number that every update of these parameters raises."""
    version = 0
    groups = optimizer.param_groups
    for g, p in indices:
        group = groups[g]
        parameter = group["params"][p]
        if group.get("fused"):  # fused kernels leave a parameter's counter, but not its step's
            step = optimizer.state.get(parameter, {}).get("step")
            version += 0 if step is None else step._version
        else:
            version += parameter._version
    return version


def _warn_extra_steps(calls_per_update: int) -> None:
    warnings.warn(
        f"step() should be called once for every optimizer.step(), but was called {calls_per_update} times, "
        f"which runs the schedule {calls_per_update} times as fast: under gradient accumulation call it only "
        "where the optimizer steps; accelerate calls it once for each process, unless the "
        "scheduler is not prepared or its dataloader_config is "
        "DataLoaderConfiguration(split_batches=True).",
        UserWarning,
        stacklevel=_find_stacklevel(),
    )


def _find_stacklevel() -> int:
    """How far above ``_warn_extra_steps`` the first line stands that is no library's."""
    level = 1
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARY_PACKAGES:
        level, frame = level + 1, frame.f_back
    return level
