"""Seeds of a study: two streams that share nothing."""

from hypothesis import given
from hypothesis.strategies import integers

from lrlab.studies.seeds import OF_FINAL, OF_TUNING, seeds_of


@given(study=integers(0, 2**63 - 1), count=integers(1, 400))
def test_no_seed_stands_twice_in_a_study(study: int, count: int) -> None:
    tuning, final = seeds_of(study, OF_TUNING, count), seeds_of(study, OF_FINAL, count)
    assert len({*tuning, *final}) == 2 * count
    assert all(0 <= seed < 2**32 for seed in (*tuning, *final))


@given(study=integers(0, 1000), few=integers(1, 50), more=integers(0, 300))
def test_more_seeds_begin_with_the_same(study: int, few: int, more: int) -> None:
    assert seeds_of(study, OF_FINAL, few + more)[:few] == seeds_of(study, OF_FINAL, few)


def test_equal_words_are_drawn_again() -> None:
    # Of 200 000 seeds out of 2^31, about nine are drawn twice.
    seeds = seeds_of(0, OF_TUNING, 200_000)
    assert len(set(seeds)) == 200_000
    assert seeds[:150_000] == seeds_of(0, OF_TUNING, 150_000)


def test_studies_differ() -> None:
    assert not set(seeds_of(0, OF_FINAL, 100)) & set(seeds_of(1, OF_FINAL, 100))
