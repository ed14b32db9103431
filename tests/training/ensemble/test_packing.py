"""Blocks hold every run once, keep a seed's runs together and fit where they are put."""

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
from tests.training.factories import make_digits_problem, make_images_problem

SHORT = Settings(epochs=1, batch_size=16)


def make_runs(widths: list[int]) -> list[Run]:
    """So many runs of each seed, in turns."""
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
@example([8], 10**6, 10**3, 10**8, 10**6, 1)  # a cache that is larger than the memory
@drawn(max_examples=150)
def test_every_run_has_one_place_that_fits(
    widths: list[int], run: int, seed: int, cache: int, spare: int, workers: int
) -> None:
    runs, room = make_runs(widths), MemoryBudget(run, run, seed, cache, run + seed + spare)
    blocks = pack_runs(runs, range(len(runs)), room, workers)
    assert sorted(place for block in blocks for place in block) == list(range(len(runs)))
    for block in blocks:
        of_seeds = Counter(runs[place].seed for place in block)
        width = max(of_seeds.values())
        assert len(of_seeds) * (width * run + seed) <= room.memory_bytes
        assert len(of_seeds) * width <= max(1, cache // run)


def test_a_seeds_runs_share_their_batches() -> None:
    runs = make_runs([12, 12, 12, 12])
    (whole,) = ensemble.split_into_blocks(make_digits_problem(), runs, workers=1)
    assert len(whole) == 48
    halves = ensemble.split_into_blocks(make_digits_problem(), runs, workers=2)
    assert [len(half) for half in halves] == [24, 24]
    seeds = [{runs[place].seed for place in half} for half in halves]
    assert not seeds[0] & seeds[1]
    assert halves == ensemble.split_into_blocks(make_digits_problem(), runs, workers=2)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("widths", [[1], [64], [1, 50], [7] * 9])
def test_workers_have_equally_much_to_do(widths: list[int], workers: int) -> None:
    runs = make_runs(widths)
    sizes = sorted(
        map(len, ensemble.split_into_blocks(make_images_problem(), runs, workers)), reverse=True
    )
    busiest = sum(sizes[::workers])
    assert sum(sizes) == len(runs)
    assert busiest <= 2 * max(len(runs) / workers, 1)


def test_only_runs_that_are_alike_share_a_block() -> None:
    others = ({"optimizer": "adam"}, {"batch_size": 8}, {"per": "step"}, {"validation": 0.2})
    runs = [
        Run(schedule, replace(SHORT, **words), seed)
        for schedule in (None, Cosine())
        for words in ({}, {"lr": 0.2}, {"momentum": 0.9}, *others)
        for seed in (0, 1)
    ]
    blocks = ensemble.split_into_blocks(make_digits_problem(), runs)
    assert sorted(map(len, blocks)) == [4, 4, 4, 4, 12]
    for block in blocks:
        kinds = {replace(runs[place].settings, lr=1.0, momentum=0.0) for place in block}
        assert len(kinds) == 1


def test_less_memory_makes_smaller_blocks_until_there_is_too_little() -> None:
    runs = make_runs([200, 200])
    with pytest.raises(TrainingError, match=r"1 workers need .* MiB of memory") as caught:
        ensemble.split_into_blocks(make_digits_problem(), runs, memory=1 << 20)
    assert "--memory" in str(caught.value)
    most = []
    for mebibytes in (501, 502, 504, 8000):
        blocks = ensemble.split_into_blocks(make_digits_problem(), runs, memory=mebibytes << 20)
        assert sorted(place for block in blocks for place in block) == list(range(400))
        most.append(max(map(len, blocks)))
    assert most == sorted(most)
    assert most[0] < most[-1]


def test_no_runs_need_no_block() -> None:
    assert ensemble.split_into_blocks(make_digits_problem(), []) == []


def test_outputs_for_many_test_rows_are_counted() -> None:
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
