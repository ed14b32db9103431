"""fvcore's schedules along one curve."""

from lrlab.dialects.arguments import absolute, read
from lrlab.schedules import Constant, Cosine, Geometric, Linear, Polynomial, Rate, Schedule
from lrlab.schedules.parameters import Positive


def ConstantParamScheduler(value: float) -> Schedule:
    """One value throughout.

    >>> ConstantParamScheduler(0.1)
    Constant(Rate(0.1))
    """
    return Constant(absolute(value))


def LinearParamScheduler(start_value: float, end_value: float) -> Schedule:
    """A straight line over the whole training.

    >>> LinearParamScheduler(0.1, 0.0)
    Linear(Rate(0.1), 0.0)
    """
    return Linear(absolute(start_value), absolute(end_value))


def CosineParamScheduler(start_value: float, end_value: float) -> Schedule:
    """Half a cosine over the whole training.

    >>> CosineParamScheduler(0.1, 0.0001)
    Cosine(start=Rate(0.1), end=Rate(0.0001))
    """
    return Cosine(start=absolute(start_value), end=absolute(end_value))


def ExponentialParamScheduler(start_value: float, decay: float) -> Schedule:
    """``start_value * decay ** where``, both above 0.

    >>> ExponentialParamScheduler(2.0, 0.25)
    Geometric(Rate(2.0), Rate(0.5))
    """
    start = read("ExponentialParamScheduler", Positive, start_value=start_value)
    return Geometric(
        Rate(start), Rate(start * read("ExponentialParamScheduler", Positive, decay=decay))
    )


def PolynomialDecayParamScheduler(base_value: float, power: float) -> Schedule:
    """``base_value * (1 - where) ** power``, the power above 0.

    >>> PolynomialDecayParamScheduler(0.1, 0.9)
    Polynomial(0.9, start=Rate(0.1))
    """
    return Polynomial(power, start=absolute(base_value))
