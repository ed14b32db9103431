"""The seeds of a study: those that settings are chosen with and those of the final runs."""

import numpy as np

TUNING_STREAM, FINAL_STREAM = 0, 1


def draw_seeds(study_seed: int, stream: int, count: int) -> tuple[int, ...]:
    """The first seeds of a stream; more of them begin with the same.

    No seed is in both streams: those of ``TUNING_STREAM`` are even, those of ``FINAL_STREAM`` odd.

    Args:
        study_seed: the seed of the study, 0 or more.
        stream: ``TUNING_STREAM`` or ``FINAL_STREAM``.
        count: how many.

    Source: numpy.random.SeedSequence and its ``spawn``.

    >>> draw_seeds(0, FINAL_STREAM, 3)[:2] == draw_seeds(0, FINAL_STREAM, 2)
    True
    """
    sequence = np.random.SeedSequence(study_seed).spawn(2)[stream]
    word_count = count
    while True:  # of 32 bits each, so that two may be equal: some more are drawn then
        words = sequence.generate_state(word_count).astype(np.int64)
        seeds = dict.fromkeys(((words & ~1) | stream).tolist())
        if len(seeds) >= count:
            return tuple(seeds)[:count]
        word_count += count - len(seeds)
