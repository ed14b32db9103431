"""A schedule on a torch optimizer."""

from lrlab.optim.counting import total_steps as total_steps
from lrlab.optim.scheduler import LRScheduler as LRScheduler
