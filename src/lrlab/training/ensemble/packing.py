"""Which runs are trained together: as many as fit the cache and the memory, seed by seed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import ceil

from lrlab.training.run import Run
from lrlab.training.settings import Settings

_NUMERIC_SETTINGS = (
    "lr",
    "momentum",
    "weight_decay",
    "dampening",
    "betas",
    "eps",
    "alpha",
    "max_grad_norm",
)


def group_compatible_runs(runs: Sequence[Run]) -> list[list[int]]:
    """Places of runs whose settings differ in nothing but numbers, group by group."""
    groups: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    names = [field.name for field in fields(Settings) if field.name not in _NUMERIC_SETTINGS]
    for i, run in enumerate(runs):
        groups[tuple(getattr(run.settings, name) for name in names)].append(i)
    return list(groups.values())


def arrange_by_seed(runs: Sequence[Run], run_indices: Sequence[int]) -> list[list[int]]:
    """Places seed by seed, as many for each: the last of a seed that has fewer stands in again."""
    seeds = _group_by_seed(runs, run_indices)
    width = max(map(len, seeds))
    return [own + [own[-1]] * (width - len(own)) for own in seeds]


def _group_by_seed(runs: Sequence[Run], run_indices: Sequence[int]) -> list[list[int]]:
    seeds: defaultdict[int, list[int]] = defaultdict(list)
    for i in run_indices:
        seeds[runs[i].seed].append(i)
    return list(seeds.values())


@dataclass(frozen=True)
class MemoryBudget:
    """What runs of one kind need, and what there is.

    Args:
        run_bytes: bytes of a run: its weights, what the optimizer keeps of them, and a step's tensors.
        evaluation_bytes: bytes of a run at most, when it is scored.
        seed_bytes: bytes of a seed's rows.
        cache_bytes: bytes that are quick to reach, for one worker.
        memory_bytes: bytes that one worker may fill with runs and rows.
    """

    run_bytes: int
    evaluation_bytes: int
    seed_bytes: int
    cache_bytes: int
    memory_bytes: int

    def select_block_shape(self, seeds: int, runs_per_seed: int, workers: int) -> tuple[int, int]:
        """Seeds, and runs of a seed, of the blocks that all workers train soonest.

        Args:
            seeds, runs_per_seed: of all runs.
            workers: how many train blocks at the same time.
        """
        max_runs = max(
            1, min(self.cache_bytes // self.run_bytes, ceil(seeds * runs_per_seed / workers))
        )

        def estimate_cost(block_shape: tuple[int, int]) -> tuple[float, int]:
            tall, wide = block_shape
            blocks = ceil(seeds / tall) * ceil(runs_per_seed / wide)
            uneven = seeds % tall > 0 or runs_per_seed % wide > 0  # which takes a second program
            rounds = ceil(blocks / workers)
            return rounds * (tall * wide + self._step_overhead) * (1 + 0.05 * uneven), -wide

        shapes = [
            (tall, wide)
            for tall in range(1, min(seeds, max_runs) + 1)
            for limit in [
                min(
                    max_runs // tall,
                    (self.memory_bytes // tall - self.seed_bytes) // self.evaluation_bytes,
                )
            ]
            if limit > 0
            for wide in {
                min(runs_per_seed, limit),
                ceil(runs_per_seed / ceil(runs_per_seed / limit)),
            }
        ]
        return min(shapes, key=estimate_cost)

    @property
    def _step_overhead(self) -> float:
        """What a step of a block costs beside its runs, in runs: about 0.1 ms to a run's bytes."""
        return 500_000 / self.run_bytes


def pack_runs(
    runs: Sequence[Run], group: Sequence[int], budget: MemoryBudget, workers: int
) -> list[list[int]]:
    """Places of runs in blocks: a seed's runs in one block where they fit."""
    # Those of equal width side by side.
    seeds = sorted(_group_by_seed(runs, group), key=len, reverse=True)
    block_seeds, block_width = budget.select_block_shape(len(seeds), len(seeds[0]), workers)
    blocks = []
    for first in range(0, len(seeds), block_seeds):
        selected_seeds = seeds[first : first + block_seeds]
        for left in range(0, len(selected_seeds[0]), block_width):
            blocks.append([i for own in selected_seeds for i in own[left : left + block_width]])
    return blocks
