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

PERIODS = 4  # gaps of one length in a row that are no chance
SUSPECTED = 2  # gaps after which all parameters are looked at, and not only two of them
ALL_IS_WELL = 3  # calls in a row with an update before each
CALLS = 500  # enough for PERIODS gaps of 100; without an update until then, nobody trains

_BETWEEN = {"lrlab", "accelerate", "transformers", "lightning", "pytorch_lightning", "torch"}
"""Packages that stand between step() and the person's own line."""

Place = tuple[int, int]
"""A parameter, as numbers of its group and within it: the watch keeps nothing alive."""


def metric_due(total: float | None, epoch: int | None) -> int:
    """The steps that a schedule may have waited for its first metric: half the training, but an
    epoch at least; or ten epochs, or, where neither is known, ten thousand.
    """
    if total is not None:
        return max(int(total) // 2, epoch or 1)
    return 10_000 if epoch is None else 10 * epoch


def warn_without_metric(steps: int) -> None:
    """Says that a schedule reads a metric, and got none in so many steps."""
    warnings.warn(
        f"a schedule that reads a metric should get one, but none came in {steps} steps: pass it "
        "with step(metric), or with observe(metric) where a trainer calls step() by itself.",
        UserWarning,
        stacklevel=_level(),
    )


class Watch:
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
    >>> watch = Watch(optimizer)
    >>> watch.goes_on(optimizer)
    True
    """

    def __init__(self, optimizer: Optimizer) -> None:
        torchs = type(optimizer).__module__.startswith("torch.optim")
        found = _parameters(optimizer) if torchs else ()
        places = [place for place, parameter in found if parameter.requires_grad]
        self._places: list[Place] = list(dict.fromkeys([*places[:1], *places[-1:]]))
        self._version = -1  # none: the first call is taken to follow an update
        self._call = 0
        self._updated = 0  # the call that last found an update before it
        self._gap = 0  # calls from update to update
        self._alike = 0  # how many gaps in a row were of that length

    def goes_on(self, optimizer: Optimizer) -> bool:
        """Sees one more call of ``step()``; False once there is nothing left to find out."""
        self._call += 1
        try:
            version = _version(optimizer, self._places)
            if version == self._version:
                return self._call < CALLS
            self._version = version
            return bool(self._places) and self._sees_update(optimizer)
        except (RuntimeError, LookupError, AttributeError):  # no counters, or other parameters now
            return False

    def _sees_update(self, optimizer: Optimizer) -> bool:
        gap, self._updated = self._call - self._updated, self._call
        if self._call == 1:
            return True
        self._alike = self._alike + 1 if gap == self._gap else 1
        self._gap = gap
        if gap == 1:
            return self._alike < ALL_IS_WELL
        if self._alike == SUSPECTED:  # these parameters may take turns with others
            self._places = [place for place, _ in _parameters(optimizer)]
            self._version = _version(optimizer, self._places)
        elif self._alike == PERIODS:
            _warn(gap)
            return False
        return True


def _parameters(optimizer: Optimizer) -> Iterator[tuple[Place, Any]]:
    for g, group in enumerate(optimizer.param_groups):
        for p, parameter in enumerate(group["params"]):
            yield (g, p), parameter


def _version(optimizer: Optimizer, places: list[Place]) -> int:
    """A number that every update of these parameters raises."""
    version = 0
    groups = optimizer.param_groups
    for g, p in places:
        group = groups[g]
        parameter = group["params"][p]
        if group.get("fused"):  # fused kernels leave a parameter's counter, but not its step's
            step = optimizer.state.get(parameter, {}).get("step")
            version += 0 if step is None else step._version
        else:
            version += parameter._version
    return version


def _warn(times: int) -> None:
    warnings.warn(
        f"step() should be called once for every optimizer.step(), but was called {times} times, "
        f"which runs the schedule {times} times as fast: under gradient accumulation call it only "
        "where the optimizer steps; accelerate calls it once for each process, unless the "
        "scheduler is not prepared or its dataloader_config is "
        "DataLoaderConfiguration(split_batches=True).",
        UserWarning,
        stacklevel=_level(),
    )


def _level() -> int:
    """How far above ``_warn`` the first line stands that is no library's."""
    level = 1
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN:
        level, frame = level + 1, frame.f_back
    return level
