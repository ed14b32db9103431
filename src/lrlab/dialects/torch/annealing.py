"""Schedulers that go to an absolute rate: cosines, stochastic weight averaging's, the plateau."""

from typing import Literal

from lrlab.dialects.arguments import check_count, check_choice
from lrlab.dialects.torch.arguments import _check_absolute_scalar
from lrlab.schedules import Cooldown, Cosine, Plateau, Schedule

_ANNEAL_CURVES = {"cos": "cosine", "linear": "linear"}
"""torch's names of annealing strategies, and the curves that they are."""


def CosineAnnealingLR(T_max: int, eta_min: float = 0.0) -> Schedule:
    """Half a cosine from the base rate to the absolute rate ``eta_min`` over ``T_max`` steps.

    Different on purpose past ``T_max``: this stays at ``eta_min``, torch climbs back to the base
    rate by ``2 * T_max``.

    >>> CosineAnnealingLR(T_max=45, eta_min=1e-5)
    Cosine(45, end=Absolute(1e-05))
    """
    return Cosine(T_max, end=_check_absolute_scalar("CosineAnnealingLR", eta_min=eta_min))


def CosineAnnealingWarmRestarts(T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> Schedule:
    """Half a cosine towards ``eta_min`` again and again, each ``T_mult`` times as long.

    >>> CosineAnnealingWarmRestarts(T_0=10, T_mult=2)
    Cosine(10).repeat(growth=2.0)
    """
    func_name = "CosineAnnealingWarmRestarts"
    low = _check_absolute_scalar(func_name, eta_min=eta_min)
    period = check_count(func_name, minimum=1, T_0=T_0)
    growth = check_count(func_name, minimum=1, T_mult=T_mult)
    return Cosine(period, end=low).repeat(growth=growth)


def SWALR(
    swa_lr: float,
    anneal_epochs: int = 10,
    anneal_strategy: Literal["cos", "linear"] = "cos",
) -> Schedule:
    """From the base rate to the absolute rate ``swa_lr`` over ``anneal_epochs`` steps.

    >>> SWALR(0.05)
    Cooldown(10, end=Absolute(0.05), curve="cosine")
    """
    # Of these functions' only this one makes a Cooldown, which is how SequentialLR knows it.
    return Cooldown(
        check_count("SWALR", anneal_epochs=anneal_epochs),
        end=_check_absolute_scalar("SWALR", swa_lr=swa_lr),
        curve=_ANNEAL_CURVES[check_choice("SWALR", *_ANNEAL_CURVES, anneal_strategy=anneal_strategy)],
    )


def ReduceLROnPlateau(
    mode: Literal["min", "max"] = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
    min_lr: float = 0,
    eps: float = 1e-8,
) -> Schedule:
    """Multiplied by ``factor`` whenever a metric has stopped improving; ``min_lr`` and ``eps``
    are absolute.

    >>> ReduceLROnPlateau(factor=0.5, min_lr=1e-5)
    Plateau(0.5, low=Absolute(1e-05), eps=Absolute(1e-08))
    """
    return Plateau(
        factor,
        patience=patience,
        mode=mode,
        threshold=threshold,
        threshold_mode=threshold_mode,
        cooldown=cooldown,
        low=_check_absolute_scalar("ReduceLROnPlateau", min_lr=min_lr),
        eps=_check_absolute_scalar("ReduceLROnPlateau", eps=eps),
    )
