"""Which runs are trained together: as many as fit the cache and the memory, seed by seed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import ceil

from lrlab.training.run import Run
from lrlab.training.settings import Settings

_NUMBERS = ("lr", "momentum", "weight_decay", "dampening", "betas", "eps", "alpha", "clip")


def alike(runs: Sequence[Run]) -> list[list[int]]:
    """Places of runs whose settings differ in nothing but numbers, group by group."""
    groups: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    names = [field.name for field in fields(Settings) if field.name not in _NUMBERS]
    for i, run in enumerate(runs):
        groups[tuple(getattr(run.settings, name) for name in names)].append(i)
    return list(groups.values())


def rectangle(runs: Sequence[Run], places: Sequence[int]) -> list[list[int]]:
    """Places seed by seed, as many for each: the last of a seed that has fewer stands in again."""
    seeds = _by_seed(runs, places)
    width = max(map(len, seeds))
    return [own + [own[-1]] * (width - len(own)) for own in seeds]


def _by_seed(runs: Sequence[Run], places: Sequence[int]) -> list[list[int]]:
    seeds: defaultdict[int, list[int]] = defaultdict(list)
    for i in places:
        seeds[runs[i].seed].append(i)
    return list(seeds.values())


@dataclass(frozen=True)
class Room:
    """What runs of one kind need, and what there is.

    Args:
        run: bytes of a run: its weights, what the optimizer keeps of them, and a step's tensors.
        judged: bytes of a run at most, when it is scored.
        seed: bytes of a seed's rows.
        cache: bytes that are quick to reach, for one worker.
        memory: bytes that one worker may fill with runs and rows.
    """

    run: int
    judged: int
    seed: int
    cache: int
    memory: int

    def shape(self, seeds: int, width: int, workers: int) -> tuple[int, int]:
        """Seeds, and runs of a seed, of the blocks that all workers train soonest.

        Args:
            seeds, width: of all runs.
            workers: how many train blocks at the same time.
        """
        most = max(1, min(self.cache // self.run, ceil(seeds * width / workers)))

        def cost(shape: tuple[int, int]) -> tuple[float, int]:
            tall, wide = shape
            blocks = ceil(seeds / tall) * ceil(width / wide)
            uneven = seeds % tall > 0 or width % wide > 0  # which takes a second program
            turns = ceil(blocks / workers)
            return turns * (tall * wide + self._beside) * (1 + 0.05 * uneven), -wide

        shapes = [
            (tall, wide)
            for tall in range(1, min(seeds, most) + 1)
            for limit in [min(most // tall, (self.memory // tall - self.seed) // self.judged)]
            if limit > 0
            for wide in {min(width, limit), ceil(width / ceil(width / limit))}
        ]
        return min(shapes, key=cost)

    @property
    def _beside(self) -> float:
        """What a step of a block costs beside its runs, in runs: about 0.1 ms to a run's bytes."""
        return 500_000 / self.run


def packed(runs: Sequence[Run], group: Sequence[int], room: Room, workers: int) -> list[list[int]]:
    """Places of runs in blocks: a seed's runs in one block where they fit."""
    # Those of equal width side by side.
    seeds = sorted(_by_seed(runs, group), key=len, reverse=True)
    tall, wide = room.shape(len(seeds), len(seeds[0]), workers)
    blocks = []
    for first in range(0, len(seeds), tall):
        beside = seeds[first : first + tall]
        for left in range(0, len(beside[0]), wide):
            blocks.append([i for own in beside for i in own[left : left + wide]])
    return blocks
