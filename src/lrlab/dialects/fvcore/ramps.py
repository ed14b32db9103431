"""fvcore's schedules along one curve."""

from lrlab.dialects.arguments import absolute, read
from lrlab.schedules import Constant, Cosine, Geometric, Linear, Polynomial, Rate, Schedule
from lrlab.schedules.parameters import Positive


def ConstantParamScheduler(value: float) -> Schedule:
    """One value throughout.

    >>> ConstantParamScheduler(0.1)
    Constant(Rate(0.1))
    """
    return Constant(absolute("ConstantParamScheduler", value=value))


def LinearParamScheduler(start_value: float, end_value: float) -> Schedule:
    """A straight line over the whole training.

    >>> LinearParamScheduler(0.1, 0.0)
    Linear(Rate(0.1), 0.0)
    """
    name = "LinearParamScheduler"
    start = absolute(name, start_value=start_value)
    return Linear(start, absolute(name, end_value=end_value))


def CosineParamScheduler(start_value: float, end_value: float) -> Schedule:
    """Half a cosine over the whole training.

    >>> CosineParamScheduler(0.1, 0.0001)
    Cosine(start=Rate(0.1), end=Rate(0.0001))
    """
    name = "CosineParamScheduler"
    start = absolute(name, start_value=start_value)
    return Cosine(start=start, end=absolute(name, end_value=end_value))


def ExponentialParamScheduler(start_value: float, decay: float) -> Schedule:
    """``start_value * decay ** where``, both above 0.

    >>> ExponentialParamScheduler(2.0, 0.25)
    Geometric(Rate(2.0), Rate(0.5))
    """
    name = "ExponentialParamScheduler"
    start = read(name, Positive, start_value=start_value)
    end = start * read(name, Positive, decay=decay)
    return Geometric(Rate(start), absolute(name, end=end))


def PolynomialDecayParamScheduler(base_value: float, power: float) -> Schedule:
    """``base_value * (1 - where) ** power``, the power above 0.

    >>> PolynomialDecayParamScheduler(0.1, 0.9)
    Polynomial(0.9, start=Rate(0.1))
    """
    start = absolute("PolynomialDecayParamScheduler", base_value=base_value)
    return Polynomial(power, start=start)
