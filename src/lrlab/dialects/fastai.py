"""fastai.callback.schedule's functions, by fastai's names, arguments and defaults.

fastai's schedules are functions of the fraction of the training that is done, so durations here
are percentages (``"25%"``), and ``bind(total_steps=...)`` gives the length of the training. The
value at t is the rate of batch t, from 0 on: fastai's at t / total_steps. Values are absolute
rates; without ``lr_max`` or ``lr``, they are factors of the base rate. The ``fit_`` functions take
the arguments that describe a schedule, not ``wd``, ``cbs``, ``reset_opt`` and ``start_epoch``;
``lr_find`` has only the ramp. ``n_epoch`` is the length of the training and does not change the
percentages. fastai itself is not imported.

Intended differences:

- Parts meet at whole steps, the nearest to their percentages; fastai's meet anywhere.
- fastai computes in float32 where parts meet; these are float64.
- All parameters have the same rate: slices and lists of rates are refused.

Every function raises ``ScheduleError`` if an argument breaks a rule of the schedule.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from lrlab._checks import to_int_if_whole
from lrlab.dialects.arguments import Fraction, check_absolute, check_argument, check_schedule
from lrlab.dialects.building_blocks import LrAndMomentum
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Constant,
    Cosine,
    Geometric,
    Linear,
    Polynomial,
    Schedule,
    Sequential,
)
from lrlab.schedules.fields import AtLeastOne, NonNegative, NonNegativeInteger, Positive

__all__ = [
    "SchedCos",
    "SchedExp",
    "SchedLin",
    "SchedNo",
    "SchedPoly",
    "combine_scheds",
    "combined_cos",
    "fit_flat_cos",
    "fit_one_cycle",
    "fit_sgdr",
    "lr_find",
]

_DEFAULT_MOMENTA = (0.95, 0.85, 0.95)
"""The Learner's ``moms``."""


def SchedLin(start: float, end: float) -> Schedule:
    """Go from ``start`` to ``end`` on a straight line.

    >>> SchedLin(0.1, 0.0)
    Linear(Absolute(0.1), 0.0)
    """
    return Linear(check_absolute("SchedLin", start=start), check_absolute("SchedLin", end=end))


def SchedCos(start: float, end: float) -> Schedule:
    """Follow half a cosine from ``start`` to ``end``.

    >>> SchedCos(0.1, 0.01)
    Cosine(start=Absolute(0.1), end=Absolute(0.01))
    """
    return Cosine(
        start=check_absolute("SchedCos", start=start), end=check_absolute("SchedCos", end=end)
    )


def SchedNo(start: float, end: float) -> Schedule:
    """Keep ``start`` throughout; ``end`` is ignored, as in fastai.

    >>> SchedNo(0.1, 0.01)
    Constant(Absolute(0.1))
    """
    check_absolute("SchedNo", end=end)
    return Constant(check_absolute("SchedNo", start=start))


def SchedExp(start: float, end: float) -> Schedule:
    """Go from ``start`` to ``end``, both above 0, by equal factors.

    >>> SchedExp(0.1, 0.01)
    Geometric(Absolute(0.1), Absolute(0.01))
    """
    return Geometric(check_absolute("SchedExp", start=start), check_absolute("SchedExp", end=end))


def SchedPoly(start: float, end: float, power: float) -> Schedule:
    """Compute ``start + (end - start) * p**power``.

    >>> SchedPoly(0.1, 0.01, 2)
    Polynomial(1.0, start=Absolute(0.1), end=Absolute(0.01), k=2.0)
    """
    return Polynomial(
        1,
        start=check_absolute("SchedPoly", start=start),
        end=check_absolute("SchedPoly", end=end),
        k=power,
    )


def combine_scheds(pcts: Sequence[float], scheds: Sequence[Schedule]) -> Schedule:
    """Run one schedule of this module after another, each for its fraction of the training.

    The fractions in ``pcts`` must add up to 1.

    >>> combine_scheds([0.25, 0.75], [SchedNo(0.1, 0.1), SchedCos(0.1, 0.0)])
    Constant(Absolute(0.1), over="25%") >> Cosine(start=Absolute(0.1))
    """
    func_name = "combine_scheds"
    if not isinstance(pcts, Iterable) or not isinstance(scheds, Iterable):
        raise ScheduleError(
            f"{func_name}: pcts and scheds must be lists, got {pcts!r} and {scheds!r}."
        )
    part_fractions = [check_argument(func_name, Fraction, pcts=fraction) for fraction in pcts]
    parts = [check_schedule(func_name, scheds=part) for part in scheds]
    if len(part_fractions) != len(parts) or not parts or abs(sum(part_fractions) - 1) > 1e-9:
        raise ScheduleError(
            f"{func_name}: pcts must have one entry per schedule and add up to 1, got {pcts!r} for "
            f"{len(parts)} schedules."
        )
    pieces = [
        (piece, fraction * inner_fraction)
        for part, fraction in zip(parts, part_fractions, strict=True)
        for piece, inner_fraction in _split_parts(part)
        if fraction * inner_fraction
    ]
    timed_parts = [piece.replace(over=_to_percent(fraction)) for piece, fraction in pieces[:-1]]
    # The last part takes the rest, so that the whole ends with the training.
    last_part = pieces[-1][0].replace(over=None)
    return Sequential((*timed_parts, last_part)) if timed_parts else last_part


def combined_cos(pct: float, start: float, middle: float, end: float) -> Schedule:
    """Follow half a cosine to ``middle`` for the fraction ``pct``, and one to ``end`` for the rest.

    >>> combined_cos(0.25, 0.5, 1.0, 0.0)
    Cosine("25%", start=Absolute(0.5), end=Absolute(1.0)) >> Cosine(start=Absolute(1.0))
    """
    fraction = check_argument("combined_cos", Fraction, pct=pct)
    return combine_scheds(
        [fraction, 1 - fraction], [SchedCos(start, middle), SchedCos(middle, end)]
    )


def fit_one_cycle(
    n_epoch: float,
    lr_max: float | None = None,
    div: float = 25.0,
    div_final: float = 1e5,
    pct_start: float = 0.25,
    moms: Sequence[float] | None = None,
) -> LrAndMomentum:
    """Follow cosines from ``lr_max / div`` up to ``lr_max`` and down to ``lr_max / div_final``.

    The momentum goes the other way, through the three values of ``moms``.

    >>> fit_one_cycle(5, div=4.0, div_final=8.0).lr
    Cosine("25%", start=0.25, end=1.0) >> Cosine(end=0.125)
    >>> fit_one_cycle(5).momentum.bind(total_steps=8)([0, 2, 8], base=1.0)
    array([0.95, 0.85, 0.95])
    """
    func_name = "fit_one_cycle"
    check_argument(func_name, Positive, n_epoch=n_epoch)
    fraction = check_argument(func_name, Fraction, pct_start=pct_start)
    first_lr = _divide_lr(func_name, check_argument(func_name, Positive, div=div), lr_max=lr_max)
    last_lr = _divide_lr(
        func_name, check_argument(func_name, Positive, div_final=div_final), lr_max=lr_max
    )
    peak_lr = _divide_lr(func_name, 1.0, lr_max=lr_max)
    lr = combine_scheds(
        [fraction, 1 - fraction],
        [Cosine(start=first_lr, end=peak_lr), Cosine(start=peak_lr, end=last_lr)],
    )
    momenta = _DEFAULT_MOMENTA if moms is None else moms
    if not isinstance(momenta, list | tuple) or len(momenta) != 3:
        raise ScheduleError(f"{func_name}: moms must be three momenta, got {moms!r}.")
    return LrAndMomentum(lr, combined_cos(fraction, *momenta))


def fit_flat_cos(
    n_epoch: float, lr: float | None = None, div_final: float = 1e5, pct_start: float = 0.75
) -> Schedule:
    """Keep ``lr`` for the fraction ``pct_start``, then follow half a cosine to ``lr / div_final``.

    >>> fit_flat_cos(5, div_final=8.0)
    Constant(1.0, over="75%") >> Cosine(end=0.125)
    """
    func_name = "fit_flat_cos"
    check_argument(func_name, Positive, n_epoch=n_epoch)
    fraction = check_argument(func_name, Fraction, pct_start=pct_start)
    flat = _divide_lr(func_name, 1.0, lr=lr)
    end = _divide_lr(func_name, check_argument(func_name, Positive, div_final=div_final), lr=lr)
    return combine_scheds([fraction, 1 - fraction], [Constant(flat), Cosine(start=flat, end=end)])


def fit_sgdr(
    n_cycles: int, cycle_len: float, lr_max: float | None = None, cycle_mult: float = 2
) -> Schedule:
    """Repeat half a cosine to 0 ``n_cycles`` times, each ``cycle_mult`` times as long as the last.

    ``cycle_len`` is in epochs. All cycles fill the training, so it does not change their
    percentages.

    >>> fit_sgdr(3, 1, 0.5)
    Cosine(start=Absolute(0.5)).repeat(3, growth=2.0)
    """
    func_name = "fit_sgdr"
    check_argument(func_name, Positive, cycle_len=cycle_len)
    if not 0 < (times := check_argument(func_name, NonNegativeInteger, n_cycles=n_cycles)) <= 1000:
        raise ScheduleError(f"{func_name}: n_cycles must be from 1 to 1000, got {n_cycles}.")
    growth = check_argument(func_name, AtLeastOne, cycle_mult=cycle_mult)
    return Cosine(start=_divide_lr(func_name, 1.0, lr_max=lr_max)).repeat(times, growth=growth)


def lr_find(start_lr: float = 1e-7, end_lr: float = 10, num_it: int = 100) -> Schedule:
    """Go from ``start_lr`` to ``end_lr`` by equal factors in ``num_it`` batches, at least 6.

    >>> lr_find()
    Geometric(Absolute(1e-07), Absolute(10.0), over=100)
    """
    batches = max(6, check_argument("lr_find", NonNegative, num_it=num_it))
    return Geometric(
        check_absolute("lr_find", start_lr=start_lr),
        check_absolute("lr_find", end_lr=end_lr),
        over=batches,
    )


def _divide_lr(func_name: str, divisor: float, **lr_argument: float | None) -> float | Absolute:
    """Divide a rate by ``divisor``; if the rate is None, return a factor of the base rate."""
    if None in lr_argument.values():
        return 1 / divisor
    ((name, _),) = lr_argument.items()
    return check_absolute(
        func_name, **{name: check_argument(func_name, NonNegative, **lr_argument) / divisor}
    )


def _split_parts(schedule: Schedule) -> list[tuple[Any, float]]:
    """Split a schedule of this module into its parts, each with its fraction of the whole."""
    parts = schedule.schedules if isinstance(schedule, Sequential) else (schedule,)
    durations = [getattr(part, "over", "") for part in parts]
    if durations[-1] is not None or not all(str(over).endswith("%") for over in durations[:-1]):
        raise ScheduleError(
            "combine_scheds: scheds must be made by Sched... or combine..., whose length is a "
            f"fraction of the training, got {schedule}."
        )
    part_fractions = [float(over[:-1]) / 100 for over in durations[:-1]]
    return list(zip(parts, [*part_fractions, max(0.0, 1 - sum(part_fractions))], strict=True))


def _to_percent(fraction: float) -> str:
    return f"{to_int_if_whole(round(100 * fraction, 10))!r}%"
