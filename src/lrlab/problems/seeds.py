"""Random numbers: a seed fixes the split, the initial weights and the batch order, nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class DerivedSeeds:
    """Four independent seeds derived from the seed of a run.

    Args:
        split: for the draw of test rows.
        weights: for the initial weights.
        batch_order: for the order of batches in every epoch.
        validation: for the draw of validation rows.
    """

    split: int
    weights: int
    batch_order: int
    validation: int


def derive_seeds(seed: int) -> DerivedSeeds:
    """Derive the four seeds of a run, the same on every machine.

    Source: numpy.random.SeedSequence, whose streams of neighboring seeds are unrelated.

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
    """Seed torch's random numbers in the block, and restore the caller's afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
