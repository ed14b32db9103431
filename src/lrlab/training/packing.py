"""Which runs are trained together: as many as fit the cache and the memory, seed by seed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields

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
    seeds: defaultdict[int, list[int]] = defaultdict(list)
    for i in places:
        seeds[runs[i].seed].append(i)
    width = max(map(len, seeds.values()))
    return [own + [own[-1]] * (width - len(own)) for own in seeds.values()]
