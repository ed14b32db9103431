"""A schedule on a torch optimizer."""

from lrlab.optim.counting import count_steps as count_steps
from lrlab.optim.scheduler import LRScheduler as LRScheduler
