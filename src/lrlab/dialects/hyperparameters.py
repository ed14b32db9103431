"""What a function returns whose library schedules the momentum together with the rate."""

from typing import NamedTuple

from lrlab.schedules import Schedule


class LrAndMomentum(NamedTuple):
    """Two schedules of one training, each for its own hyperparameter; in a text, the rate's."""

    lr: Schedule
    momentum: Schedule
