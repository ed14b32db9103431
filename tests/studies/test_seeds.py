"""Seeds of a study: two streams that share nothing."""

from hypothesis import given
from hypothesis.strategies import integers

from lrlab.studies.plan.plan import FINAL_STREAM, TUNING_STREAM, draw_seeds


@given(study=integers(0, 2**63 - 1), count=integers(1, 400))
def test_no_seed_stands_twice_in_a_study(study: int, count: int) -> None:
    tuning, final = draw_seeds(study, TUNING_STREAM, count), draw_seeds(study, FINAL_STREAM, count)
    assert len({*tuning, *final}) == 2 * count
    assert all(0 <= seed < 2**32 for seed in (*tuning, *final))


@given(study=integers(0, 1000), few=integers(1, 50), more=integers(0, 300))
def test_more_seeds_begin_with_the_same(study: int, few: int, more: int) -> None:
    assert draw_seeds(study, FINAL_STREAM, few + more)[:few] == draw_seeds(study, FINAL_STREAM, few)


def test_equal_words_are_drawn_again() -> None:
    # Of 200 000 seeds out of 2^31, about nine are drawn twice.
    seeds = draw_seeds(0, TUNING_STREAM, 200_000)
    assert len(set(seeds)) == 200_000
    assert seeds[:150_000] == draw_seeds(0, TUNING_STREAM, 150_000)


def test_studies_differ() -> None:
    assert not set(draw_seeds(0, FINAL_STREAM, 100)) & set(draw_seeds(1, FINAL_STREAM, 100))
