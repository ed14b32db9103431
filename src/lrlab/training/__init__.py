"""Training of runs: what a run is, the loop and the ensemble that train it, and its result."""

from lrlab.training.dispatch import train as train
from lrlab.training.loop import train_and_get_model as train_and_get_model
from lrlab.training.result import Curve as Curve
from lrlab.training.result import Epoch as Epoch
from lrlab.training.result import Result as Result
from lrlab.training.run import Run as Run
from lrlab.training.settings import OPTIMIZERS as OPTIMIZERS
from lrlab.training.settings import Settings as Settings
