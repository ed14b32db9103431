"""Verdicts in words, made from the numbers and from nothing else."""

from collections import Counter

from lrlab.studies.statistics import Comparison, Row

_EDGE = "at the edge of the grid: widen --lr before a winner is named"


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
    """The study's answer in one sentence or two.

    Each schedule is judged against the baseline alone, so two that are both better are not
    ranked by it. None is named whose best rate, or the baseline's, is the lowest or the highest
    that was tried: it may do better still.
    """
    rows = comparison.rows
    if all(row.diverged == comparison.seeds for row in rows):
        return "Every run diverged, so nothing can be said: use a lower rate (--lr)."
    if comparison.seeds == 1:
        return "One seed cannot tell a gain from luck: use more (--seeds 10)."
    better = [row for row in rows if verdict(row) == "better"]
    if not better:
        counts = Counter(verdict(row) for row in rows if row.difference is not None)
        told = ", ".join(f"{count} {words}" for words, count in counts.items())
        return f"No schedule is better than the constant rate here ({told})."
    inside = [row.schedule for row in better if not row.edge]
    beyond = len(better) - len(inside)
    if any(row.edge for row in rows if row.difference is None):
        return f"{_are_better(len(better))}, but the constant rate's own best rate is {_EDGE}."
    if not inside:
        return f"{_are_better(beyond)}, but at a best rate {_EDGE}."
    if len(inside) == 1:
        told = f"{inside[0]} is better than the constant rate here."
    else:
        told = f"{_are_better(len(inside))}, {inside[0]} on top."
    if not beyond:
        return told
    more = "1 more is" if beyond == 1 else f"{beyond} more are"
    return f"{told} {more}, but at a best rate {_EDGE}."


def _are_better(count: int) -> str:
    many = "1 schedule is" if count == 1 else f"{count} schedules are"
    return f"{many} better than the constant rate here"
