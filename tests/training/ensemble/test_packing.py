"""Blocks contain every run once, fit the memory and keep the runs of a seed together."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import settings as drawn
from hypothesis.strategies import integers, lists

from lrlab import Cosine
from lrlab.errors import TrainingError
from lrlab.problems import Split
from lrlab.training import Run, Settings, ensemble
from lrlab.training.ensemble.packing import MemoryBudget, pack_runs
from tests.raising import raises
from tests.training.factories import make_digits_problem, make_images_problem

pytestmark = pytest.mark.slow

SHORT = Settings(epochs=1, batch_size=16)


def make_runs(widths: list[int]) -> list[Run]:
    """Make ``widths`` runs of each seed, in an order that alternates."""
    runs = [
        Run(None, replace(SHORT, lr=0.1 / (1 + i)), seed)
        for seed, width in enumerate(widths)
        for i in range(width)
    ]
    return runs[::2] + runs[1::2]


@given(
    lists(integers(1, 40), min_size=1, max_size=6),
    integers(1, 10**7),
    integers(1, 10**6),
    integers(1, 10**8),
    integers(0, 10**8),
    integers(1, 4),
)
@example([8], 10**6, 10**3, 10**8, 10**6, 1)  # the cache is larger than the memory
@drawn(max_examples=150)
def test_every_run_is_in_one_block_that_fits(
    widths: list[int],
    run_bytes: int,
    seed_bytes: int,
    cache_bytes: int,
    spare_bytes: int,
    workers: int,
) -> None:
    runs = make_runs(widths)
    memory_bytes = run_bytes + seed_bytes + spare_bytes
    budget = MemoryBudget(run_bytes, run_bytes, seed_bytes, cache_bytes, memory_bytes)
    blocks = pack_runs(runs, range(len(runs)), budget, workers)
    assert sorted(i for block in blocks for i in block) == list(range(len(runs)))
    for block in blocks:
        runs_per_seed = Counter(runs[i].seed for i in block)
        width = max(runs_per_seed.values())
        assert len(runs_per_seed) * (width * run_bytes + seed_bytes) <= budget.memory_bytes
        assert len(runs_per_seed) * width <= max(1, cache_bytes // run_bytes)


def test_runs_of_a_seed_are_in_one_block() -> None:
    runs = make_runs([12, 12, 12, 12])
    (whole,) = ensemble.split_into_blocks(make_digits_problem(), runs, workers=1)
    assert len(whole) == 48
    halves = ensemble.split_into_blocks(make_digits_problem(), runs, workers=2)
    assert [len(half) for half in halves] == [24, 24]
    seeds = [{runs[i].seed for i in half} for half in halves]
    assert not seeds[0] & seeds[1]
    assert halves == ensemble.split_into_blocks(make_digits_problem(), runs, workers=2)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("widths", [[1], [64], [1, 50], [7] * 9])
def test_blocks_are_spread_evenly_over_workers(widths: list[int], workers: int) -> None:
    runs = make_runs(widths)
    sizes = sorted(
        map(len, ensemble.split_into_blocks(make_images_problem(), runs, workers)), reverse=True
    )
    busiest = sum(sizes[::workers])
    assert sum(sizes) == len(runs)
    assert busiest <= 2 * max(len(runs) / workers, 1)


def test_only_compatible_runs_share_a_block() -> None:
    incompatible = (
        {"optimizer": "adam"},
        {"batch_size": 8},
        {"step_every": "step"},
        {"validation_size": 0.2},
    )
    runs = [
        Run(schedule, replace(SHORT, **changes), seed)
        for schedule in (None, Cosine())
        for changes in ({}, {"lr": 0.2}, {"momentum": 0.9}, *incompatible)
        for seed in (0, 1)
    ]
    blocks = ensemble.split_into_blocks(make_digits_problem(), runs)
    assert sorted(map(len, blocks)) == [4, 4, 4, 4, 12]
    for block in blocks:
        kinds = {replace(runs[i].settings, lr=1.0, momentum=0.0) for i in block}
        assert len(kinds) == 1


def test_less_memory_gives_smaller_blocks() -> None:
    runs = make_runs([200, 200])
    with raises(TrainingError, "memory", "1 worker,", "1.049 MB", "`memory`"):
        ensemble.split_into_blocks(make_digits_problem(), runs, memory=1 << 20)
    largest = []
    for mebibytes in (501, 502, 504, 8000):
        blocks = ensemble.split_into_blocks(make_digits_problem(), runs, memory=mebibytes << 20)
        assert sorted(i for block in blocks for i in block) == list(range(400))
        largest.append(max(map(len, blocks)))
    assert largest == sorted(largest)
    assert largest[0] < largest[-1]


def test_no_runs_give_no_blocks() -> None:
    assert ensemble.split_into_blocks(make_digits_problem(), []) == []


def test_memory_of_many_test_rows_is_counted() -> None:
    short = make_digits_problem()

    def split(seed: int) -> Split:
        whole = short.split(seed)
        many = whole.x_test.repeat(2000, *[1] * (whole.x_test.dim() - 1))
        return replace(whole, x_test=many, y_test=whole.y_test.repeat(2000))

    runs = make_runs([64])
    memory = 3 << 29
    few = ensemble.split_into_blocks(short, runs, 1, memory)
    many = ensemble.split_into_blocks(replace(short, split=split), runs, 1, memory)
    assert len(few) == 1
    assert len(many) > 1
