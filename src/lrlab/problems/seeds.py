"""What a seed fixes: the splits, the initial weights and the order of batches, nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Streams:
    """Four independent seeds drawn from the one seed of a run.

    Args:
        split: for the rows used in training and for testing.
        weights: for the initial weights.
        order: for the order of batches in every epoch.
        validation: for the training rows that are held out, where some are.
    """

    split: int
    weights: int
    order: int
    validation: int


def streams(seed: int) -> Streams:
    """The streams of a seed, the same on every machine.

    Source: numpy.random.SeedSequence, so that neighbouring seeds are not alike.

    >>> streams(0) == streams(0), streams(0) == streams(1)
    (True, False)
    """
    split, weights, order, held_out = np.random.SeedSequence(seed).generate_state(4).tolist()
    return Streams(split=split, weights=weights, order=order, validation=held_out)


@contextmanager
def drawing(seed: int) -> Iterator[None]:
    """Random numbers of a seed inside, those of the caller untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
