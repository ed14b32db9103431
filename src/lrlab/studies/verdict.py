"""Verdicts in words, made from the numbers and from nothing else."""

from collections.abc import Iterator

from lrlab.problems.tables import counted
from lrlab.schedules import Constant
from lrlab.studies.numbers import Style, settings_named
from lrlab.studies.statistics import Comparison, Reading, Row, Versus

APART = "cannot be told apart"
AHEAD = "ahead as tuned"


def verdict(row: Row) -> str:
    """What the numbers of one schedule allow to say, in a few words.

    ``better here`` and ``worse here`` are said of this data, ``better, new data too`` of both
    readings; what is told apart for new data is told apart on this data. Each needs a p-value
    below 0.05 after Holm's correction.

    Where settings were chosen, ``better`` says more: than the baseline at all settings that it was
    run with, however well those chosen for it are. ``ahead as tuned`` is better than the baseline
    at those chosen, and not known to be at all others; ``worse as tuned`` is said of those chosen.
    """
    against, rival = row.to_baseline, row.to_rival
    if against is None:
        return "baseline"
    if not against.on_this_data.told:
        return "the same" if _same(against) else APART
    new = against.for_new_data is not None and against.for_new_data.told
    if against.mean < 0:
        where = "as tuned" if rival else "here"
        return "worse, new data too" if new else f"worse {where}"
    if rival and not rival.beaten:
        return AHEAD
    return "better, new data too" if new and _holds_for_new_data(row) else "better here"


def winners(comparison: Comparison) -> tuple[Row, ...]:
    """The schedules that may be called better than the baseline, the best mean first.

    None is where its best rate, or the baseline's, is the lowest or the highest that was tried: the
    one may do better still, and the other too. None is, either, that is not better than the
    baseline at all settings that it was run with.
    """
    if comparison.baseline.edge:
        return ()
    return tuple(row for row in _better(comparison) if not row.edge)


def answer(comparison: Comparison) -> str:
    """The study's answer: up to four sentences, a line each, the answer first.

    What is said of this data and what is said for new data like it are sentences of their own;
    differences are positive where the schedule is better, with their 95 % intervals.
    """
    rows = comparison.rows
    if all(row.diverged == comparison.seeds for row in rows):
        return "Every run diverged, so nothing can be said: use a lower rate (--lr)."
    if comparison.seeds == 1:
        return "One seed cannot tell a gain from luck: use more (--seeds 30)."
    if not comparison.others:
        return "There is nothing to compare: name another schedule (--schedule)."
    won = winners(comparison)
    if won:
        lines = _of_winner(comparison, won[0])
    elif _better(comparison):
        lines = _of_none_named(comparison)
    elif ahead := [row for row in comparison.others if verdict(row) == AHEAD]:
        lines = _of_those_ahead(comparison, ahead)
    else:
        lines = _of_none_better(comparison)
    return "\n".join(lines)


def claim(comparison: Comparison, row: Row, gain: float) -> str:
    """What the numbers say on a gain over the baseline that somebody claims for a schedule.

    Args:
        comparison: the study.
        row: the schedule's, not the baseline's.
        gain: positive where the schedule is better, in units of the metric (0.02 is 2 points).
    """
    style, against = Style.of(comparison), row.to_baseline
    words = f"A gain of {style.amount(gain)}"
    if against is None or against.on_this_data.low is None:
        return f"{words} can be neither confirmed nor refuted."
    said = [f"{_place(against.on_this_data, gain, style)} on this data"]
    if against.for_new_data is not None:
        said.append(f"{_place(against.for_new_data, gain, style)} for new data like it")
    return f"{words} lies {' and '.join(said)}."


def _of_winner(comparison: Comparison, top: Row) -> Iterator[str]:
    better = _better(comparison)
    inside = sum(not row.edge for row in better) - 1
    more = f"; so {_are(inside)} {inside} more" if inside else ""
    yield f"{_said(comparison, top, 'better')}{more}."
    yield _for_new_data(comparison, top)
    beyond = len(better) - 1 - inside
    if beyond:
        more = "1 more is" if beyond == 1 else f"{beyond} more are"
        yield f"{more} better, but at the lowest or highest rate tried, so not named: widen --lr."
    elif top is comparison.rows[0]:
        yield from _open(comparison, "the best", [(row, row.to_best) for row in comparison.rows])


def _of_none_named(comparison: Comparison) -> Iterator[str]:
    count = len(_better(comparison))
    many = "1 schedule is" if count == 1 else f"{count} schedules are"
    told = f"{_here(comparison)} {many} better than {_name(comparison)}"
    if comparison.baseline.edge:
        whose = f"the best rate of {_name(comparison)}"
    else:
        whose = "its best rate" if count == 1 else "the best rate of each"
    yield f"{told}, but none is named:"
    yield f"{whose} is the lowest or highest tried, a better one may lie beyond: widen --lr."


def _of_those_ahead(comparison: Comparison, ahead: list[Row]) -> Iterator[str]:
    """Where all that are ahead of the baseline are so because it was badly tuned, or may be."""
    count, name = len(ahead), _name(comparison)
    yield f"{_here(comparison)} no schedule is known to be better than {name}:"
    rival = ahead[0].to_rival
    assert rival is not None
    at = " and ".join(settings_named(rival.settings, comparison.varied))
    score = Style.of(comparison).score(rival.mean)
    yield f"{count} {_are(count)} ahead of it as tuned, but at {at} {name} scores {score}."
    yield "More --tuning-seeds choose better, and so do rates closer to each other (--lr)."


def _of_none_better(comparison: Comparison) -> Iterator[str]:
    worse = [row for row in comparison.others if verdict(row).startswith("worse")]
    left = len(comparison.others) - len(worse)
    if len(comparison.others) == 1 and worse:
        yield f"{_said(comparison, worse[0], 'worse')}."
        yield _for_new_data(comparison, worse[0])
        return
    if not worse:
        whom = comparison.others[0].schedule if left == 1 else "no schedule"
        can = "cannot" if left == 1 else "can"
        yield f"{_here(comparison)} {whom} {can} be told apart from {_name(comparison)}."
    else:
        rest = f", {left} {APART}" if left else ""
        are = f"{len(worse)} {_are(len(worse))} worse"
        yield f"{_here(comparison)} no schedule beats {_name(comparison)}: {are}{rest}."
    if comparison.overlap is None:
        yield _FIXED
    elif worse:
        too = sum(verdict(row) == "worse, new data too" for row in worse)
        yield f"For new data like it, {too or 'none'} of those {_are(too)} known to be worse."
    else:
        yield "Nor can it be said for new data like it."
    yield from _open(
        comparison, _name(comparison), [(row, row.to_baseline) for row in comparison.others]
    )


_FIXED = "For new data nothing can be said: test rows are not known to vary with the seeds."


def _for_new_data(comparison: Comparison, row: Row) -> str:
    """The second reading of a schedule that is told apart on this data."""
    against, style = row.to_baseline, Style.of(comparison)
    assert against is not None
    new = against.for_new_data
    if new is None:
        return _FIXED
    span = _span(new, style, len(comparison.others))
    if new.told and not _holds_for_new_data(row):
        return f"For new data like it that cannot be said of all settings of {_name(comparison)}."
    if new.told:
        word = "better" if against.mean > 0 else "worse"
        return f"For new data like it, it is {word} too{span}."
    more = (
        "more rows may tell, more seeds cannot"
        if new.seeds is None
        else f"{_about(new.seeds)} seeds would tell"
    )
    return f"For new data like it that cannot be said{span}: {more}."


def _open(
    comparison: Comparison, whom: str, pairs: list[tuple[Row, Versus | None]]
) -> Iterator[str]:
    """Of the pairs that are not told apart on this data, the first: what telling it takes."""
    style = Style.of(comparison)
    for row, against in pairs:
        if against is None or against.on_this_data.told or against.on_this_data.visible is None:
            continue
        here, gain = against.on_this_data, style.difference(against.mean)
        seen = f"{comparison.seeds} seeds see {style.amount(against.on_this_data.visible)} or more"
        needed = "no number sees" if here.seeds is None else f"{_about(here.seeds)} see"
        yield f"{row.schedule} {APART} from {whom} ({gain}): {seen}, {needed} this."
        return


def _about(seeds: int) -> str:
    """A number of seeds, two digits of it: it rests on estimates."""
    return f"about {float(f'{seeds:.1e}'):.0f}"


def _said(comparison: Comparison, row: Row, word: str) -> str:
    against, style = row.to_baseline, Style.of(comparison)
    assert against is not None
    unit = " points" if comparison.metric.percent else ""
    unit += " as tuned" if row.to_rival else ""
    span = _span(against.on_this_data, style, 1)
    gain = f"{style.difference(against.mean)}{unit}{span}"
    return f"{_here(comparison)} {row.schedule} is {word} than {_name(comparison)}: {gain}"


def _span(reading: Reading, style: Style, tests: int) -> str:
    """The interval in brackets, and why it does not tell where it excludes zero and does not."""
    if reading.low is None or reading.high is None:
        return ""
    excludes = reading.low > 0 or reading.high < 0
    many = f", but {tests} were compared" if excludes and not reading.told else ""
    return f" ({style.interval(reading.low, reading.high)}{many})"


def _place(reading: Reading, gain: float, style: Style) -> str:
    assert reading.low is not None
    assert reading.high is not None
    side = "within" if reading.low <= gain <= reading.high else "outside"
    return f"{side} {style.interval(reading.low, reading.high)}"


def _better(comparison: Comparison) -> list[Row]:
    return [row for row in comparison.others if verdict(row).startswith("better")]


def _holds_for_new_data(row: Row) -> bool:
    return row.to_rival is None or row.to_rival.beaten_on_new_data


def _same(against: Versus) -> bool:
    return against.mean == 0 and against.on_this_data.low is None


def _here(comparison: Comparison) -> str:
    return f"On this data ({counted(comparison.seeds, 'seed')})"


def _name(comparison: Comparison) -> str:
    own = comparison.baseline.schedule
    return "the constant rate" if own == repr(Constant(1.0)) else own


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
