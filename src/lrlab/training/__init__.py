"""How runs are trained."""

from lrlab.training.loop import train as train
from lrlab.training.run import Epoch as Epoch
from lrlab.training.run import Result as Result
from lrlab.training.run import Run as Run
from lrlab.training.run import Settings as Settings
