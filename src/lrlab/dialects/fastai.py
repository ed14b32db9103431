"""fastai.callback.schedule's functions, by fastai's names, arguments and defaults.

fastai's schedules are functions of the share of the training that is behind, so durations here are
shares (``"25%"``) and a schedule must be told how long training is with ``bind(total_steps=...)``. The
value at t is that of batch t, the first being 0: fastai's at t / total. Values are absolute; where
``lr_max`` or ``lr`` is left out, they are factors of the base rate. The ``fit_`` functions take
what describes a schedule; ``wd``, ``cbs``, ``reset_opt`` and ``start_epoch`` are left out, and of
``lr_find`` all but the ramp. ``n_epoch`` is the length of the whole, on which shares of it do not
depend. fastai itself is not imported.

Where they differ on purpose:

- Parts meet at whole steps, the nearest to their share; fastai's anywhere.
- fastai computes where parts meet in float32; these are float64.
- Rates are one for all parameters: no slice or list of them.

Every function raises ``ScheduleError`` where an argument is out of its domain.
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
    combinators,
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
    """A straight line.

    >>> SchedLin(0.1, 0.0)
    Linear(Absolute(0.1), 0.0)
    """
    return Linear(check_absolute("SchedLin", start=start), check_absolute("SchedLin", end=end))


def SchedCos(start: float, end: float) -> Schedule:
    """Half a cosine.

    >>> SchedCos(0.1, 0.01)
    Cosine(start=Absolute(0.1), end=Absolute(0.01))
    """
    return Cosine(
        start=check_absolute("SchedCos", start=start), end=check_absolute("SchedCos", end=end)
    )


def SchedNo(start: float, end: float) -> Schedule:
    """``start`` throughout; ``end`` is ignored, as in fastai.

    >>> SchedNo(0.1, 0.01)
    Constant(Absolute(0.1))
    """
    check_absolute("SchedNo", end=end)
    return Constant(check_absolute("SchedNo", start=start))


def SchedExp(start: float, end: float) -> Schedule:
    """From ``start`` to ``end``, both above 0, by equal factors.

    >>> SchedExp(0.1, 0.01)
    Geometric(Absolute(0.1), Absolute(0.01))
    """
    return Geometric(check_absolute("SchedExp", start=start), check_absolute("SchedExp", end=end))


def SchedPoly(start: float, end: float, power: float) -> Schedule:
    """``start + (end - start) * p**power``.

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
    """One schedule after another, each for its share of the training; the shares add up to 1.

    The schedules are those of this module.

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
            f"{func_name}: pcts must be as many as scheds and add up to 1, got {pcts!r} for "
            f"{len(parts)}."
        )
    pieces = [
        (piece, share * inner_fraction)
        for part, share in zip(parts, part_fractions, strict=True)
        for piece, inner_fraction in _split_parts(part)
        if share * inner_fraction
    ]
    timed = [piece.replace(over=_to_percent(share)) for piece, share in pieces[:-1]]
    last = pieces[-1][0].replace(over=None)  # the rest, so that the whole ends with the training
    return combinators.Sequential((*timed, last)) if timed else last


def combined_cos(pct: float, start: float, middle: float, end: float) -> Schedule:
    """Half a cosine to ``middle`` for a share of the training, and one to ``end`` for the rest.

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
    """Cosines from ``lr_max / div`` up to ``lr_max`` and down to ``lr_max / div_final``.

    The momentum goes the other way, through the three of ``moms``.

    >>> fit_one_cycle(5, 1.0, div=4.0, div_final=8.0).lr
    Cosine("25%", start=Absolute(0.25), end=Absolute(1.0)) >> Cosine(start=Absolute(1.0), end=Absolute(0.125))
    >>> fit_one_cycle(5).momentum
    Cosine("25%", start=Absolute(0.95), end=Absolute(0.85)) >> Cosine(start=Absolute(0.85), end=Absolute(0.95))
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
    """``lr`` for a share of the training, then half a cosine to ``lr / div_final``.

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
    """Half a cosine to 0, ``n_cycles`` times, each ``cycle_mult`` times as long.

    ``cycle_len`` is in epochs, and the whole all cycles; their shares do not depend on it.

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
    """From ``start_lr`` to ``end_lr`` by equal factors over ``num_it`` batches, 6 at least.

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
    """A rate over ``divisor``, absolute, or a factor of the base rate where it is None."""
    if None in lr_argument.values():
        return 1 / divisor
    ((name, _),) = lr_argument.items()
    return check_absolute(
        func_name, **{name: check_argument(func_name, NonNegative, **lr_argument) / divisor}
    )


def _split_parts(schedule: Schedule) -> list[tuple[Any, float]]:
    """The shapes of which a schedule of this module consists, and their shares of it."""
    parts = schedule.schedules if isinstance(schedule, combinators.Sequential) else (schedule,)
    durations = [getattr(part, "over", "") for part in parts]
    if durations[-1] is not None or not all(str(over).endswith("%") for over in durations[:-1]):
        raise ScheduleError(
            "combine_scheds: scheds must be made by Sched... or combine..., whose length is a "
            f"share of the training, got {schedule}."
        )
    part_fractions = [float(over[:-1]) / 100 for over in durations[:-1]]
    return list(zip(parts, [*part_fractions, max(0.0, 1 - sum(part_fractions))], strict=True))


def _to_percent(fraction: float) -> str:
    return f"{to_int_if_whole(round(100 * fraction, 10))!r}%"
