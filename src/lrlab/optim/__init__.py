"""A schedule on a torch optimizer."""

from lrlab.optim.scheduler import LRScheduler as LRScheduler
