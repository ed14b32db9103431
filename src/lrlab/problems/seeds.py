"""Random numbers: a seed fixes the split, the weights, the order of batches and augmentations."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class DerivedSeeds:
    """Independent seeds derived from the seed of a run.

    Args:
        split: for the draw of test rows.
        weights: for the initial weights.
        batch_order: for the order of batches in every epoch.
        validation: for the draw of validation rows.
        augmentation: for the random transforms of a data set.
    """

    split: int
    weights: int
    batch_order: int
    validation: int
    augmentation: int


def derive_seeds(seed: int) -> DerivedSeeds:
    """Derive the seeds of a run, the same on every machine.

    Source: numpy.random.SeedSequence, whose streams of neighboring seeds are unrelated.

    >>> derive_seeds(0) == derive_seeds(0), derive_seeds(0) == derive_seeds(1)
    (True, False)
    """
    split, weights, batch_order, validation, augmentation = (
        np.random.SeedSequence(seed).generate_state(5).tolist()
    )
    return DerivedSeeds(
        split=split,
        weights=weights,
        batch_order=batch_order,
        validation=validation,
        augmentation=augmentation,
    )


@contextmanager
def fork_seeded_rng(seed: int) -> Iterator[None]:
    """Seed torch's random numbers in the block, and restore the caller's afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def fork_all_rngs(seed: int) -> Iterator[None]:
    """Seed the random numbers of torch, NumPy and Python in the block, and restore the caller's.

    Those of torch are the CPU's: a GPU's belong to the layers of a model.

    Args:
        seed: from 0 to 2^32 - 1.
    """
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    python_state = random.getstate()
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
