"""Paddle's schedulers of one's own function."""

from collections.abc import Callable

from lrlab.dialects.arguments import check_absolute, check_function
from lrlab.schedules import Constant, Schedule


def LambdaDecay(learning_rate: float, lr_lambda: Callable[[int], float]) -> Schedule:
    """``learning_rate * lr_lambda(t)``, t an int.

    >>> LambdaDecay(0.5, lambda epoch: 0.95**epoch)(1, base=1.0)
    0.475
    """
    return Constant(check_absolute("LambdaDecay", learning_rate=learning_rate)) * check_function(
        "LambdaDecay", lr_lambda=lr_lambda
    )


def MultiplicativeDecay(learning_rate: float, lr_lambda: Callable[[int], float]) -> Schedule:
    """``learning_rate * lr_lambda(1) * ... * lr_lambda(t)``.

    >>> MultiplicativeDecay(0.5, lambda epoch: 0.5)(2, base=1.0)
    0.125
    """
    factors = check_function("MultiplicativeDecay", lr_lambda=lr_lambda)
    return (
        Constant(check_absolute("MultiplicativeDecay", learning_rate=learning_rate))
        * factors.cumprod()
    )
