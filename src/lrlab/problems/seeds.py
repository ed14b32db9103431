"""What a seed fixes: the splits, the initial weights and the order of batches, nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class DerivedSeeds:
    """Four independent seeds drawn from the one seed of a run.

    Args:
        split: for the rows used in training and for testing.
        weights: for the initial weights.
        batch_order: for the order of batches in every epoch.
        validation: for the training rows that are held out, where some are.
    """

    split: int
    weights: int
    batch_order: int
    validation: int


def derive_seeds(seed: int) -> DerivedSeeds:
    """The streams of a seed, the same on every machine.

    Source: numpy.random.SeedSequence, so that neighbouring seeds are not alike.

    >>> derive_seeds(0) == derive_seeds(0), derive_seeds(0) == derive_seeds(1)
    (True, False)
    """
    split, weights, batch_order, validation = (
        np.random.SeedSequence(seed).generate_state(4).tolist()
    )
    return DerivedSeeds(
        split=split, weights=weights, batch_order=batch_order, validation=validation
    )


@contextmanager
def fork_seeded_rng(seed: int) -> Iterator[None]:
    """Random numbers of a seed inside, those of the caller untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
