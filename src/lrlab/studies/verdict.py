"""Verdicts in words, made from the numbers and from nothing else."""

from collections import Counter

from lrlab.studies.statistics import Comparison, Row


def verdict(row: Row) -> str:
    """What the numbers of one schedule allow to say.

    A schedule is better or worse than the baseline only when the interval of the difference lies
    wholly on one side of zero.
    """
    difference = row.difference
    if difference is None:
        return "baseline"
    if difference.low is None or difference.high is None:
        return "the same" if difference.mean == 0 else "cannot be told apart"
    if difference.low > 0:
        return "better"
    if difference.high < 0:
        return "worse"
    return "cannot be told apart"


def answer(comparison: Comparison) -> str:
    """The study's answer in one sentence.

    Each schedule is judged against the baseline alone, so two that are both better are not
    ranked by it.
    """
    others = [row for row in comparison.rows if row.difference is not None]
    better = [row.schedule for row in others if verdict(row) == "better"]
    if all(row.diverged == comparison.seeds for row in comparison.rows):
        return "Every run diverged, so nothing can be said: use a lower rate (--lr)."
    if comparison.seeds == 1:
        return "One seed cannot tell a gain from luck: use more (--seeds 10)."
    if not better:
        counts = Counter(verdict(row) for row in others)
        told = ", ".join(f"{count} {words}" for words, count in counts.items())
        return f"No schedule is better than the constant rate here ({told})."
    if len(better) == 1:
        return f"{better[0]} is better than the constant rate here."
    return f"{len(better)} schedules are better than the constant rate here, {better[0]} on top."
