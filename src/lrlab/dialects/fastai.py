"""fastai.callback.schedule's functions, by fastai's names, arguments and defaults.

fastai's schedules are functions of the share of the training that is behind, so durations here are
shares (``"25%"``) and a schedule must be told how long training is with ``bind(total=...)``. The
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

from lrlab.dialects.arguments import Fraction, absolute, read, schedule_of
from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Cosine, Geometric, Linear, Polynomial, Rate, Schedule, joins
from lrlab.schedules.numbers import tidy
from lrlab.schedules.parameters import Count, Growth, NotNegative, Positive

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

_MOMENTA = (0.95, 0.85, 0.95)
"""The Learner's ``moms``."""


def SchedLin(start: float, end: float) -> Schedule:
    """A straight line.

    >>> SchedLin(0.1, 0.0)
    Linear(Rate(0.1), 0.0)
    """
    return Linear(absolute("SchedLin", start=start), absolute("SchedLin", end=end))


def SchedCos(start: float, end: float) -> Schedule:
    """Half a cosine.

    >>> SchedCos(0.1, 0.01)
    Cosine(start=Rate(0.1), end=Rate(0.01))
    """
    return Cosine(start=absolute("SchedCos", start=start), end=absolute("SchedCos", end=end))


def SchedNo(start: float, end: float) -> Schedule:
    """``start`` throughout; ``end`` is ignored, as in fastai.

    >>> SchedNo(0.1, 0.01)
    Constant(Rate(0.1))
    """
    absolute("SchedNo", end=end)
    return Constant(absolute("SchedNo", start=start))


def SchedExp(start: float, end: float) -> Schedule:
    """From ``start`` to ``end``, both above 0, by equal factors.

    >>> SchedExp(0.1, 0.01)
    Geometric(Rate(0.1), Rate(0.01))
    """
    return Geometric(absolute("SchedExp", start=start), absolute("SchedExp", end=end))


def SchedPoly(start: float, end: float, power: float) -> Schedule:
    """``start + (end - start) * p**power``.

    >>> SchedPoly(0.1, 0.01, 2)
    Polynomial(1.0, start=Rate(0.1), end=Rate(0.01), k=2.0)
    """
    return Polynomial(
        1, start=absolute("SchedPoly", start=start), end=absolute("SchedPoly", end=end), k=power
    )


def combine_scheds(pcts: Sequence[float], scheds: Sequence[Schedule]) -> Schedule:
    """One schedule after another, each for its share of the training; the shares add up to 1.

    The schedules are those of this module.

    >>> combine_scheds([0.25, 0.75], [SchedNo(0.1, 0.1), SchedCos(0.1, 0.0)])
    Constant(Rate(0.1), over="25%") >> Cosine(start=Rate(0.1))
    """
    where = "combine_scheds"
    if not isinstance(pcts, Iterable) or not isinstance(scheds, Iterable):
        raise ScheduleError(f"{where}: pcts and scheds must be lists, got {pcts!r} and {scheds!r}.")
    shares = [read(where, Fraction, pcts=share) for share in pcts]
    parts = [schedule_of(where, scheds=part) for part in scheds]
    if len(shares) != len(parts) or not parts or abs(sum(shares) - 1) > 1e-9:
        raise ScheduleError(
            f"{where}: pcts must be as many as scheds and add up to 1, got {pcts!r} for "
            f"{len(parts)}."
        )
    pieces = [
        (piece, share * own)
        for part, share in zip(parts, shares, strict=True)
        for piece, own in _pieces(part)
        if share * own
    ]
    timed = [piece.changed(over=_percent(share)) for piece, share in pieces[:-1]]
    last = pieces[-1][0].changed(over=None)  # the rest, so that the whole ends with the training
    return joins.Sequence((*timed, last)) if timed else last


def combined_cos(pct: float, start: float, middle: float, end: float) -> Schedule:
    """Half a cosine to ``middle`` for a share of the training, and one to ``end`` for the rest.

    >>> combined_cos(0.25, 0.5, 1.0, 0.0)
    Cosine("25%", start=Rate(0.5), end=Rate(1.0)) >> Cosine(start=Rate(1.0))
    """
    share = read("combined_cos", Fraction, pct=pct)
    return combine_scheds([share, 1 - share], [SchedCos(start, middle), SchedCos(middle, end)])


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
    Cosine("25%", start=Rate(0.25), end=Rate(1.0)) >> Cosine(start=Rate(1.0), end=Rate(0.125))
    >>> fit_one_cycle(5).momentum
    Cosine("25%", start=Rate(0.95), end=Rate(0.85)) >> Cosine(start=Rate(0.85), end=Rate(0.95))
    """
    where = "fit_one_cycle"
    read(where, Positive, n_epoch=n_epoch)
    share = read(where, Fraction, pct_start=pct_start)
    first = _level(where, read(where, Positive, div=div), lr_max=lr_max)
    last = _level(where, read(where, Positive, div_final=div_final), lr_max=lr_max)
    peak = _level(where, 1.0, lr_max=lr_max)
    rates = combine_scheds(
        [share, 1 - share], [Cosine(start=first, end=peak), Cosine(start=peak, end=last)]
    )
    momenta = _MOMENTA if moms is None else moms
    if not isinstance(momenta, list | tuple) or len(momenta) != 3:
        raise ScheduleError(f"{where}: moms must be three momenta, got {moms!r}.")
    return LrAndMomentum(rates, combined_cos(share, *momenta))


def fit_flat_cos(
    n_epoch: float, lr: float | None = None, div_final: float = 1e5, pct_start: float = 0.75
) -> Schedule:
    """``lr`` for a share of the training, then half a cosine to ``lr / div_final``.

    >>> fit_flat_cos(5, div_final=8.0)
    Constant(1.0, over="75%") >> Cosine(end=0.125)
    """
    where = "fit_flat_cos"
    read(where, Positive, n_epoch=n_epoch)
    share = read(where, Fraction, pct_start=pct_start)
    flat = _level(where, 1.0, lr=lr)
    end = _level(where, read(where, Positive, div_final=div_final), lr=lr)
    return combine_scheds([share, 1 - share], [Constant(flat), Cosine(start=flat, end=end)])


def fit_sgdr(
    n_cycles: int, cycle_len: float, lr_max: float | None = None, cycle_mult: float = 2
) -> Schedule:
    """Half a cosine to 0, ``n_cycles`` times, each ``cycle_mult`` times as long.

    ``cycle_len`` is in epochs, and the whole all cycles; their shares do not depend on it.

    >>> fit_sgdr(3, 1, 0.5)
    Cosine(start=Rate(0.5)).repeat(3, growth=2.0)
    """
    where = "fit_sgdr"
    read(where, Positive, cycle_len=cycle_len)
    if not 0 < (times := read(where, Count, n_cycles=n_cycles)) <= 1000:
        raise ScheduleError(f"{where}: n_cycles must be from 1 to 1000, got {n_cycles}.")
    growth = read(where, Growth, cycle_mult=cycle_mult)
    return Cosine(start=_level(where, 1.0, lr_max=lr_max)).repeat(times, growth=growth)


def lr_find(start_lr: float = 1e-7, end_lr: float = 10, num_it: int = 100) -> Schedule:
    """From ``start_lr`` to ``end_lr`` by equal factors over ``num_it`` batches, 6 at least.

    >>> lr_find()
    Geometric(Rate(1e-07), Rate(10.0), over=100)
    """
    batches = max(6, read("lr_find", NotNegative, num_it=num_it))
    return Geometric(
        absolute("lr_find", start_lr=start_lr), absolute("lr_find", end_lr=end_lr), over=batches
    )


def _level(where: str, over: float, **rate: float | None) -> float | Rate:
    """A rate over ``over``, absolute, or a factor of the base rate where it is None."""
    if None in rate.values():
        return 1 / over
    ((name, _),) = rate.items()
    return absolute(where, **{name: read(where, NotNegative, **rate) / over})


def _pieces(schedule: Schedule) -> list[tuple[Any, float]]:
    """The shapes of which a schedule of this module consists, and their shares of it."""
    parts = schedule.schedules if isinstance(schedule, joins.Sequence) else (schedule,)
    overs = [getattr(part, "over", "") for part in parts]
    if overs[-1] is not None or not all(str(over).endswith("%") for over in overs[:-1]):
        raise ScheduleError(
            "combine_scheds: scheds must be made by Sched... or combine..., whose length is a "
            f"share of the training, got {schedule}."
        )
    shares = [float(over[:-1]) / 100 for over in overs[:-1]]
    return list(zip(parts, [*shares, max(0.0, 1 - sum(shares))], strict=True))


def _percent(share: float) -> str:
    return f"{tidy(round(100 * share, 10))!r}%"
