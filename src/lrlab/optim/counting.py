"""How many steps a training has: what ``total_steps`` of a scheduler should be."""

import math
from collections.abc import Mapping, Sized
from typing import Any, Literal, get_args

from torch.utils.data import Dataset, IterableDataset

from lrlab.errors import SchedulerError
from lrlab.schedules.numbers import real, whole

Leftover = Literal["step", "drop", "carry"]


def total_steps(
    data: Sized | int,
    epochs: float,
    *,
    batch_size: int | None = None,
    accumulate: int = 1,
    world_size: int | None = None,
    drop_last: bool = False,
    leftover: Leftover = "step",
) -> int:
    """How often ``optimizer.step()``, and with it ``scheduler.step()``, is called in a training.

    Args:
        data: what an epoch goes through: a DataLoader, or anything else with a length that yields
            batches, which knows its own batch size, ``drop_last`` and sampler; or a number of
            samples.
        epochs: of the whole training; a fraction ends within an epoch and counts the step begun,
            as transformers' ``num_train_epochs`` does.
        batch_size: samples in a batch of one process; with a number of samples, and only there.
        accumulate: batches of one process whose gradients are added up for one step.
        world_size: processes that share the data; without it, data is what one process goes
            through, as it is in a loader with a ``DistributedSampler`` or one that accelerate has
            prepared: there it is only checked.
        drop_last: whether a last batch that is too small is left out; with a number of samples,
            and only there. False, as in torch.
        leftover: what becomes of fewer than ``accumulate`` batches at the end of an epoch:
            ``"step"``, one more step of them, as Lightning, transformers and accelerate do;
            ``"drop"`` and ``"carry"`` for a plain loop that steps ``if (i + 1) % accumulate == 0``:
            i starts again each epoch and the gradients are cleared there, or it counts on.

    Returns:
        The number of steps, at least 1.

    Raises:
        SchedulerError: a number is not positive or of the wrong kind, an argument is missing or
            given twice, the data has no length or is shared by another number of processes, or
            there would be no step at all.

    Libraries share n samples out alike, ``ceil(n / (world_size * batch_size))`` batches each, until
    a last batch is dropped. Then a number of samples is shared as ``DistributedSampler`` does, and
    Lightning with it: every process gets ``ceil(n / world_size)`` samples, some of them twice. A
    loader is shared as accelerate and transformers do: whole batches, and those that are not enough
    for all processes are dropped too. Accelerate's ``split_batches=True`` shares out every batch,
    so that the loader is counted without ``world_size``.

    Source: ``Trainer.estimated_stepping_batches`` of Lightning 2.6,
    ``Trainer.set_initial_training_values`` of transformers 5, ``BatchSamplerShard`` of
    accelerate 1.15.

    >>> total_steps(1000, epochs=3, batch_size=32)
    96
    >>> total_steps(1000, epochs=3, batch_size=32, world_size=4, accumulate=3)
    9
    >>> from torch.utils.data import DataLoader
    >>> total_steps(DataLoader(range(1000), batch_size=32, drop_last=True), epochs=2.5)
    78
    """
    length = real(epochs)
    if length is None or length <= 0:
        raise SchedulerError(f"epochs must be a positive number, got {epochs!r}.")
    if leftover not in get_args(Leftover):
        raise SchedulerError(f"leftover must be 'step', 'drop' or 'carry', got {leftover!r}.")
    each = _count("accumulate", accumulate)
    shares = None if world_size is None else _count("world_size", world_size)
    if isinstance(data, int | float | str) or whole(data) is not None:
        batches = _of_samples(data, batch_size, drop_last, shares or 1)
    else:
        if batch_size is not None or drop_last:
            raise SchedulerError(
                "batch_size and drop_last go with a number of samples, and a loader has its own: "
                f"leave them out, got batch_size={batch_size!r}, drop_last={drop_last!r}."
            )
        batches = _of_loader(data, shares)
    if leftover == "carry":
        steps = math.ceil(length * batches) // each
    else:
        an_epoch = _ceil(batches, each) if leftover == "step" else batches // each
        steps = math.ceil(length * an_epoch)
    if steps == 0:
        raise SchedulerError(
            f"a training must have a step, but {batches} batches an epoch give none with "
            f"accumulate={each} and leftover={leftover!r}; use smaller batches, keep the last one, "
            "or accumulate fewer."
        )
    return steps


def _of_samples(data: Any, batch_size: Any, drop_last: bool, world_size: int) -> int:
    """Batches of each process in one epoch, of so many samples."""
    samples = _count("a number of samples", data)
    if batch_size is None:
        raise SchedulerError(f"a number of samples needs a batch_size, got {samples} without one.")
    size = _count("batch_size", batch_size)
    own = _ceil(samples, world_size)
    return own // size if drop_last else _ceil(own, size)


def _of_loader(loader: Any, world_size: int | None) -> int:
    """Batches of each process in one epoch of a loader."""
    kind = type(loader).__name__
    samples = isinstance(loader, Dataset) and not isinstance(loader, IterableDataset)
    if samples or isinstance(loader, bytes | Mapping) or hasattr(loader, "shape"):
        raise SchedulerError(
            f"data must be a loader, whose length is in batches, or a number of samples, got "
            f"{kind}; give its number of samples and batch_size."
        )
    try:
        batches = len(loader)
    except (TypeError, NotImplementedError):
        raise SchedulerError(
            f"data must have a length, and this {kind} has none; give the number of samples and "
            "batch_size, or count the batches of one epoch."
        ) from None
    shared = _shared_by(loader)
    if world_size is None or world_size == shared:
        return batches
    if shared is not None:
        raise SchedulerError(
            f"world_size must be that of the loader, whose data {shared} processes share, got "
            f"{world_size}; leave it out."
        )
    dropped = getattr(_sampler_of_batches(loader), "drop_last", False)
    return batches // world_size if dropped else _ceil(batches, world_size)


def _shared_by(loader: Any) -> int | None:
    """How many processes share the data of a loader that knows it, or None."""
    batches = _sampler_of_batches(loader)
    for part in (batches, getattr(batches, "sampler", None), getattr(loader, "dataset", None)):
        for name in ("num_replicas", "num_processes"):  # of torch's samplers, and of accelerate's
            shared = whole(getattr(part, name, None))
            if shared is not None:
                return shared
    return None


def _sampler_of_batches(loader: Any) -> Any:
    sampler = getattr(loader, "batch_sampler", None)
    return getattr(loader, "sampler", None) if sampler is None else sampler


def _count(what: str, value: object) -> int:
    number = whole(value)
    if number is None or number < 1:
        raise SchedulerError(f"{what} must be a whole number of 1 or more, got {value!r}.")
    return number


def _ceil(a: int, b: int) -> int:
    return -(-a // b)
