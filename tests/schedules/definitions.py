"""The file of a user who defines a schedule."""

from lrlab.schedules import core

DEFINITION = """
from dataclasses import dataclass

import numpy as np

from lrlab.schedules import Primitive
from lrlab.schedules.fields import Positive


@dataclass(frozen=True, repr=False)
class MyDecay(Primitive):
    gallery_example = "MyDecay(0.1)"
    scale: Positive

    def evaluate(self, t, base):
        return base * fall(self.scale * t)


def fall(x):
    return 1 / (1 + x)
"""


def forget_schedule(name: str) -> None:
    """Let a name be unknown again, as in a new process."""
    core._BUILDERS.pop(name, None)
