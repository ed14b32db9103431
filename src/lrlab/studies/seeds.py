"""The seeds of a study: those that settings are chosen with and those of the final runs."""

import numpy as np

OF_TUNING, OF_FINAL = 0, 1


def seeds_of(study: int, stream: int, count: int) -> tuple[int, ...]:
    """The first seeds of a stream; more of them begin with the same.

    No seed is in both streams: those of ``OF_TUNING`` are even, those of ``OF_FINAL`` odd.

    Args:
        study: the seed of the study, 0 or more.
        stream: ``OF_TUNING`` or ``OF_FINAL``.
        count: how many.

    Source: numpy.random.SeedSequence and its ``spawn``.

    >>> seeds_of(0, OF_FINAL, 3)[:2] == seeds_of(0, OF_FINAL, 2)
    True
    """
    sequence = np.random.SeedSequence(study).spawn(2)[stream]
    drawn = count
    while True:  # of 32 bits each, so that two may be equal: some more are drawn then
        words = sequence.generate_state(drawn).astype(np.int64)
        seeds = dict.fromkeys(((words & ~1) | stream).tolist())
        if len(seeds) >= count:
            return tuple(seeds)[:count]
        drawn += count - len(seeds)
