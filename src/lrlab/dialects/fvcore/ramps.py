"""fvcore's schedules along one curve."""

from lrlab.dialects.arguments import check_absolute, check_argument
from lrlab.schedules import Constant, Cosine, Geometric, Linear, Polynomial, Absolute, Schedule
from lrlab.schedules.parameters import Positive


def ConstantParamScheduler(value: float) -> Schedule:
    """One value throughout.

    >>> ConstantParamScheduler(0.1)
    Constant(Absolute(0.1))
    """
    return Constant(check_absolute("ConstantParamScheduler", value=value))


def LinearParamScheduler(start_value: float, end_value: float) -> Schedule:
    """A straight line over the whole training.

    >>> LinearParamScheduler(0.1, 0.0)
    Linear(Absolute(0.1), 0.0)
    """
    func_name = "LinearParamScheduler"
    start = check_absolute(func_name, start_value=start_value)
    return Linear(start, check_absolute(func_name, end_value=end_value))


def CosineParamScheduler(start_value: float, end_value: float) -> Schedule:
    """Half a cosine over the whole training.

    >>> CosineParamScheduler(0.1, 0.0001)
    Cosine(start=Absolute(0.1), end=Absolute(0.0001))
    """
    func_name = "CosineParamScheduler"
    start = check_absolute(func_name, start_value=start_value)
    return Cosine(start=start, end=check_absolute(func_name, end_value=end_value))


def ExponentialParamScheduler(start_value: float, decay: float) -> Schedule:
    """``start_value * decay ** where``, both above 0.

    >>> ExponentialParamScheduler(2.0, 0.25)
    Geometric(Absolute(2.0), Absolute(0.5))
    """
    func_name = "ExponentialParamScheduler"
    start = check_argument(func_name, Positive, start_value=start_value)
    end = start * check_argument(func_name, Positive, decay=decay)
    return Geometric(Absolute(start), check_absolute(func_name, end=end))


def PolynomialDecayParamScheduler(base_value: float, power: float) -> Schedule:
    """``base_value * (1 - where) ** power``, the power above 0.

    >>> PolynomialDecayParamScheduler(0.1, 0.9)
    Polynomial(0.9, start=Absolute(0.1))
    """
    start = check_absolute("PolynomialDecayParamScheduler", base_value=base_value)
    return Polynomial(power, start=start)
