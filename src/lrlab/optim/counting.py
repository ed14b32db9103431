"""``count_steps``: how many optimizer steps a training has, for a scheduler's ``total_steps``."""

import math
from collections.abc import Mapping, Sized
from typing import Any, Literal, get_args

from torch.utils.data import Dataset, IterableDataset

from lrlab._checks import to_finite_float, to_integer
from lrlab.errors import SchedulerError

Leftover = Literal["step", "drop", "carry"]
"""What happens to batches left over from gradient accumulation at the end of an epoch."""


def count_steps(
    data: Sized | int,
    epochs: float,
    *,
    batch_size: int | None = None,
    gradient_accumulation_steps: int = 1,
    world_size: int | None = None,
    drop_last: bool = False,
    leftover: Leftover = "step",
) -> int:
    """Count the calls of ``optimizer.step()``, and so of ``scheduler.step()``, in a training.

    Args:
        data: a DataLoader or another iterable of batches that has a length; or a number of
            samples.
        epochs: epochs of the whole training; a fraction counts the step that it ends in, as
            transformers' ``num_train_epochs`` does.
        batch_size: samples in a batch of one process; only with a number of samples.
        gradient_accumulation_steps: batches of one process per step.
        world_size: number of processes among which the data is split; 1 by default. A loader with
            a ``DistributedSampler``, or one prepared by accelerate, is split already: then
            ``world_size`` is only checked.
        drop_last: whether to drop a last batch that is too small; only with a number of samples.
            False, as in torch.
        leftover: what happens to fewer than ``gradient_accumulation_steps`` batches at the end of
            an epoch: ``"step"`` makes one more step, as Lightning, transformers and accelerate do;
            ``"drop"`` and ``"carry"`` are for a plain loop that steps ``if (i + 1) % n == 0``:
            ``"drop"`` if i restarts every epoch and the gradients are cleared, ``"carry"`` if i
            continues.

    Returns:
        The number of steps, at least 1.

    Raises:
        SchedulerError: a number is not positive or of the wrong type, an argument is missing or
            given twice, the data has no length or is split among another number of processes, or
            the training has no step.

    If no batch is dropped, all libraries split n samples alike: each process gets
    ``ceil(n / (world_size * batch_size))`` batches. With ``drop_last``, a number of samples is
    split as by ``DistributedSampler`` and Lightning: every process gets ``ceil(n / world_size)``
    samples, some of them twice. A loader is split as by accelerate and transformers: into whole
    batches, and those that are too few for all processes are dropped. Accelerate's
    ``split_batches=True`` splits every batch: count that loader without ``world_size``.

    Source: ``Trainer.estimated_stepping_batches`` of Lightning 2.6,
    ``Trainer.set_initial_training_values`` of transformers 5, ``BatchSamplerShard`` of
    accelerate 1.15.

    >>> count_steps(1000, epochs=3, batch_size=32)
    96
    >>> count_steps(1000, epochs=3, batch_size=32, world_size=4, gradient_accumulation_steps=3)
    9
    >>> from torch.utils.data import DataLoader
    >>> count_steps(DataLoader(range(1000), batch_size=32, drop_last=True), epochs=2.5)
    78
    """
    epoch_count = to_finite_float(epochs)
    if epoch_count is None or epoch_count <= 0:
        raise SchedulerError(f"epochs must be a positive number, got {epochs!r}.")
    if leftover not in get_args(Leftover):
        raise SchedulerError(f"leftover must be 'step', 'drop' or 'carry', got {leftover!r}.")
    accumulation_steps = _check_count("gradient_accumulation_steps", gradient_accumulation_steps)
    processes = None if world_size is None else _check_count("world_size", world_size)
    if isinstance(data, int | float | str) or to_integer(data) is not None:
        batches = _count_sample_batches(data, batch_size, drop_last, processes or 1)
    else:
        if batch_size is not None or drop_last:
            raise SchedulerError(
                "batch_size and drop_last are for a number of samples, but a loader has its own: "
                f"leave them out, got batch_size={batch_size!r}, drop_last={drop_last!r}."
            )
        batches = _count_loader_batches(data, processes)
    if leftover == "carry":
        steps = math.ceil(epoch_count * batches) // accumulation_steps
    else:
        steps_per_epoch = (
            _ceil_divide(batches, accumulation_steps)
            if leftover == "step"
            else batches // accumulation_steps
        )
        steps = math.ceil(epoch_count * steps_per_epoch)
    if steps == 0:
        raise SchedulerError(
            f"a training needs at least one step, but {batches} batches per epoch give none with "
            f"gradient_accumulation_steps={accumulation_steps} and leftover={leftover!r}; use "
            "smaller batches, keep the last batch, or accumulate fewer batches."
        )
    return steps


def _count_sample_batches(data: Any, batch_size: Any, drop_last: bool, world_size: int) -> int:
    """Count the batches of each process in one epoch of ``data`` samples."""
    samples = _check_count("a number of samples", data)
    if batch_size is None:
        raise SchedulerError(f"a number of samples needs a batch_size, got {samples} without one.")
    size = _check_count("batch_size", batch_size)
    samples_per_process = _ceil_divide(samples, world_size)
    return samples_per_process // size if drop_last else _ceil_divide(samples_per_process, size)


def _count_loader_batches(loader: Any, world_size: int | None) -> int:
    """Count the batches of each process in one epoch of a loader."""
    kind = type(loader).__name__
    is_sample_dataset = isinstance(loader, Dataset) and not isinstance(loader, IterableDataset)
    if is_sample_dataset or isinstance(loader, bytes | Mapping) or hasattr(loader, "shape"):
        raise SchedulerError(
            f"data must be a loader, whose length is in batches, or a number of samples, got "
            f"{kind}; pass its number of samples and batch_size."
        )
    try:
        batches = len(loader)
    except (TypeError, NotImplementedError):
        raise SchedulerError(
            f"data must have a length, but this {kind} has none; pass the number of samples and "
            "batch_size, or count the batches of one epoch."
        ) from None
    loader_world_size = _get_world_size(loader)
    if world_size is None or world_size == loader_world_size:
        return batches
    if loader_world_size is not None:
        raise SchedulerError(
            f"world_size must be the loader's number of processes, {loader_world_size}, got "
            f"{world_size}; leave it out."
        )
    drops_last = getattr(_get_batch_sampler(loader), "drop_last", False)
    return batches // world_size if drops_last else _ceil_divide(batches, world_size)


def _get_world_size(loader: Any) -> int | None:
    """Return the number of processes that a loader's data is split among, or None if unknown."""
    batch_sampler = _get_batch_sampler(loader)
    for part in (
        batch_sampler,
        getattr(batch_sampler, "sampler", None),
        getattr(loader, "dataset", None),
    ):
        for name in ("num_replicas", "num_processes"):  # of torch's samplers and accelerate's
            world_size = to_integer(getattr(part, name, None))
            if world_size is not None:
                return world_size
    return None


def _get_batch_sampler(loader: Any) -> Any:
    sampler = getattr(loader, "batch_sampler", None)
    return getattr(loader, "sampler", None) if sampler is None else sampler


def _check_count(name: str, value: object) -> int:
    number = to_integer(value)
    if number is None or number < 1:
        raise SchedulerError(f"{name} must be a positive whole number, got {value!r}.")
    return number


def _ceil_divide(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
